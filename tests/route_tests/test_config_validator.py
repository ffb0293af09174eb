"""Tests of L{edgegate.route_tests.config_validator} and of L{edgegate.route_tests.declared_checks}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.route_tests.check import Miss
from edgegate.route_tests.running import run
from tests.istio.translate.compiling import compiled
from tests.route_tests.shop import FILES, cases, endpoints, snapshot

SPLIT = "route: [{destination: %s}]"
REQUEST = "{authority: [shop.example], method: [GET], uri: [%s]}"


class ConfigValidatorTests(SynchronousTestCase):
    """Files of istio-config-validator, on the shop."""

    def misses(self, uri: str, expected: str, match: str = "true") -> list[Miss]:
        """Return how a request differs from what is expected."""
        asked = (REQUEST % uri).replace("}", ", headers: {x-user: qa}}")
        text = f"testCases:\n- wantMatch: {match}\n  request: {asked}\n  {expected}\n"
        found, problems = cases(text)
        self.assertEqual(problems, [])
        return [miss for each in run(found, snapshot(), endpoints()) for miss in each.misses]

    def test_multiplied(self) -> None:
        """Lists are multiplied out; without C{wantMatch} what is given must not be so."""
        found, problems = cases("""\
            testCases:
            - description: happy path
              wantMatch: true
              request:
                authority: ["shop.example", "locked.example"]
                method: ["GET", "POST"]
                uri: ["/basket", "/basket/1"]
                headers: {x-user-id: abc123}
              route:
              - destination: {host: cart.default.svc.cluster.local, port: {number: 8080}, subset: v2}
            - description: the cart takes POST only
              request: {authority: ["shop.example"], method: ["PUT"], uri: ["/cart"]}
              route:
              - destination: {host: cart.default.svc.cluster.local, subset: v2}
            """)
        self.assertEqual(problems, [])
        self.assertEqual(
            [each.name for each in found[6:]], ["happy path [7]", "happy path [8]", "the cart takes POST only"]
        )
        self.assertEqual((found[1].request, found[1].line), ("POST shop.example/basket", 2))
        results = list(run(found, snapshot(), endpoints()))
        self.assertEqual([each.misses for each in results], [()] * 9)

    def test_route(self) -> None:
        """A destination is compared whole where it names its port; several by their weights."""
        port = "port: {number: 8080}"
        self.assertEqual(
            self.misses("/basket", f"route: [{{destination: {{host: cart, {port}}}}}]"),
            [Miss("route", "outbound|8080||cart", "cart.default:8080/v2")],
        )
        self.assertEqual(self.misses("/basket", f"route: [{{destination: {{host: cart, {port}, subset: v2}}}}]"), [])
        split = "route: [{destination: {host: cart, subset: v1}, weight: 9}, {destination: {host: cart, subset: v2}}]"
        self.assertEqual(
            self.misses("/basket", split), [Miss("route", "cart/v1 100 %, cart/v2 0 %", "cart.default:8080/v2")]
        )
        self.assertEqual(self.misses("/none", split, "false"), [])

    def test_subset(self) -> None:
        """A destination without a subset is that of the whole service, with its port or without."""
        self.assertEqual(
            self.misses("/basket", "route: [{destination: {host: cart}}]"),
            [Miss("route", "cart", "cart.default:8080/v2")],
        )
        self.assertEqual(self.misses("/api/a", "route: [{destination: {host: cart}}]"), [])

    def test_not_that_split(self) -> None:
        """A split must not be so as a whole: of another one a share may be the same."""
        asked = SPLIT % "{host: cart, subset: v1}, weight: 50}, {destination: {host: cart, subset: v2}, weight: 50"
        self.assertEqual(self.misses("/beta", asked, "false"), [])
        asked = SPLIT % "{host: cart, subset: v1}, weight: 90}, {destination: {host: cart, subset: v3}, weight: 10"
        self.assertEqual(self.misses("/beta", asked, "false"), [])
        asked = SPLIT % "{host: cart, subset: v1}, weight: 90}, {destination: {host: cart, subset: v2}, weight: 10"
        self.assertEqual(self.misses("/beta", asked), [])
        wanted = "anything but cart/v1 90 %, cart/v2 10 %"
        self.assertEqual([each.wanted for each in self.misses("/beta", asked, "false")], [wanted])

    def test_aborted(self) -> None:
        """The route is compared as it is said, whatever its fault does."""
        self.assertEqual(self.misses("/broken", "route: [{destination: {host: cart}}]"), [])

    def test_declared(self) -> None:
        """Redirects, rewrites, faults, headers and delegates are compared with what the route says."""
        for uri, expected in (
            ("/old", "redirect: {uri: /new, redirectCode: 308, authority: shop.example, scheme: http}"),
            ("/old", "redirect: {redirectCode: 308, port: 80, authority: shop.example}"),
            ("/api/a", "rewrite: {uri: /v2/, authority: api.internal}"),
            ("/api/a", "fault: {delay: {fixedDelay: 2s, percentage: {value: 10}}}"),
            ("/api/a", "fault: {abort: {httpStatus: 503, percentage: {value: 5}}}"),
            (
                "/api/a",
                "headers: {request: {set: {x-env: beta}, remove: [x-secret]}, response: {set: {x-served-by: shop}}}",
            ),
            ("/api/a", "delegate: {name: shop}"),
            ("/api/a", "delegate: {name: shop, namespace: default}"),
        ):
            self.assertEqual(self.misses(uri, expected), [], expected)
            self.assertNotEqual(self.misses(uri, expected, "false"), [], expected)
            self.assertNotEqual(self.misses("/none", expected), [], expected)

    def test_redirect_port(self) -> None:
        """A redirect to another port has the authority that the files say, and this port."""
        there = FILES.replace(
            "redirect: {uri: /new, redirectCode: 308}", "redirect: {authority: b.example, port: 8443}"
        )
        (other, _) = compiled(there)
        for expected in ("{authority: b.example, port: 8443, scheme: http}", "{authority: 'b.example:8443'}"):
            found, problems = cases(
                f"testCases: [{{wantMatch: true, request: {REQUEST % '/old'}, redirect: {expected}}}]"
            )
            self.assertEqual(problems, [])
            self.assertEqual([each.misses for each in run(found, other, endpoints())], [()], expected)

    def test_no_url(self) -> None:
        """What a redirect leads to may be no URL, or have a port that there is not: that is otherwise, and no more."""
        for authority, port in (("a:99999", "99999"), ("'[a'", "nothing")):
            files = f"redirect: {{authority: {authority}, redirectCode: 308}}"
            (other, _) = compiled(FILES.replace("redirect: {uri: /new, redirectCode: 308}", files))
            wanted = "redirect: {redirectCode: 308, port: 80}"
            found, _ = cases(f"testCases: [{{wantMatch: true, request: {REQUEST % '/old'}, {wanted}}}]")
            (result,) = run(found, other, endpoints())
            (miss,) = result.misses
            self.assertEqual((miss.key, miss.wanted, miss.there.partition(":")[0]), ("redirect.port", "80", port))

    def test_misses(self) -> None:
        """What is otherwise is told by its key."""
        self.assertEqual(
            self.misses("/api/a", "rewrite: {uri: /v3/}, fault: {abort: {httpStatus: 503}}".replace("}, f", "}\n  f")),
            [Miss("rewrite.uri", "/v3/", "/v2/"), Miss("fault.abort", "503 for 100 %", "503 for 5 %")],
        )
        self.assertEqual(
            self.misses("/old", "redirect: {uri: /newer, port: 81}"),
            [
                Miss("redirect.redirectCode", "301", "308"),
                Miss("redirect.uri", "/newer", "/new"),
                Miss("redirect.port", "81", "80"),
            ],
        )
        header = "headers: {request: {set: {x-env: live}, add: {x-a: b}}}"
        self.assertEqual(
            [miss.key for miss in self.misses("/api/a", header)],
            ["headers.request.set.x-env", "headers.request.add.x-a"],
        )

    def test_bad(self) -> None:
        """What can't be asked or expected is told with its line."""
        for text, told in (
            (f"request: {REQUEST % 'b'}, route: [{{destination: {{host: a}}}}]", "testCases[0].request: a path begins"),
            (f"request: {REQUEST % '/b'}", "testCases[0]: nothing is expected"),
            (f"request: {REQUEST % '/b'}, redirect: {{prefixRewrite: /a}}", "testCases[0]: redirect: of prefixRewrite"),
            (
                "request: {authority: [], method: [], uri: []}, rewrite: {uri: /}",
                "testCases[0].request: authority, method",
            ),
            (f"request: {REQUEST % '/b'}, rout: []", 'testCases[0].rout: unknown field; did you mean "route"?'),
        ):
            found, problems = cases(f"testCases:\n- {{{text}}}\n")
            self.assertEqual(found, [])
            self.assertIn(told, problems[0])
