"""Tests of L{edgegate.route_tests.coverage}."""

from __future__ import annotations

from hypothesis import given, settings
from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.conditions import tried
from edgegate.explain.decision import Decider
from edgegate.explain.question import question_of
from edgegate.istio.translate import CompileOptions
from edgegate.model.matching import HTTPMatch, Kind, StringMatch, any_path
from edgegate.model.notes import Notes, RouteNote
from edgegate.model.origin import Origin
from edgegate.route_tests.coverage import Coverage, Group, conditions_of
from edgegate.routing.snapshot import VirtualHost
from edgegate.sources.compilation import compile_resources
from tests.istio.translate.compiling import decoded
from tests.route_tests.shop import snapshot
from tests.routing.test_matching import Asked
from tests.routing.test_table import matches, requests

QA = (b"x-user", b"qa")


class CoverageTests(SynchronousTestCase):
    """What requests have asked for."""

    def setUp(self) -> None:
        """Count on the shop."""
        self.snapshot = snapshot()
        self.coverage = Coverage(self.snapshot, Notes())

    def ask(self, request: str, *headers: tuple[bytes, bytes], place: str = "t.yaml:1") -> None:
        """Count a request."""
        method, _, url = request.rpartition(" ")
        self.coverage.take(Decider(self.snapshot).decide(question_of(method, url, headers)), place)

    def hit(self, group: Group) -> list[str]:
        """Return what of a group was hit."""
        return [unit.what for unit in self.coverage.units(group) if unit.hit]

    def missed(self, group: Group) -> list[tuple[str, str]]:
        """Return what of a group was not hit, and why."""
        return [(unit.what, unit.missing) for unit in self.coverage.units(group) if not unit.hit]

    def test_nothing(self) -> None:
        """Without a test all is missed. Routes of two hosts count once, destinations of weight 0 never."""
        self.assertEqual(
            [what for what, _ in self.missed(Group.ROUTES)],
            ["cart", "beta", "old", "pong", "api", "broken", "connections"],
        )
        cart = ["cart.default:8080/v2", "cart.default:8080/v1", "cart.default:8080/v2"]
        self.assertEqual([what for what, _ in self.missed(Group.DESTINATIONS)][:3], cart)
        hosts = [
            "shop.example on port 80",
            "moved.example on port 81",
            "shop.example on port 443",
            "locked.example on port 443",
        ]
        self.assertEqual([what for what, _ in self.missed(Group.HOSTS)], hosts)
        self.assertEqual(self.coverage.percent(Group.ROUTES), 0.0)

    def test_route(self) -> None:
        """A request hits its route, the match that held for it, its host, and the destinations."""
        self.ask("GET http://shop.example/basket", place="t.yaml:7")
        self.assertEqual(self.hit(Group.ROUTES), ["cart"])
        self.assertEqual(self.hit(Group.MATCHES), ["match 2 of cart"])
        self.assertEqual(self.hit(Group.HOSTS), ["shop.example on port 80"])
        self.assertEqual(self.hit(Group.DESTINATIONS), ["cart.default:8080/v2"])
        self.assertEqual(next(self.coverage.units(Group.ROUTES)).by, "t.yaml:7")
        self.assertEqual(round(self.coverage.percent(Group.ROUTES)), 14)

    def test_conditions(self) -> None:
        """A condition is hit when it has held, and has been the first that failed."""
        self.ask("POST http://shop.example/cart")
        uri, method = "uri begins with '/cart'", "method exactly 'POST'"
        missed = dict(self.missed(Group.CONDITIONS))
        self.assertEqual(missed[uri], "no request where it fails")
        self.assertEqual(missed[method], "no request where it fails")
        self.assertEqual(missed["headers[x-user] exactly 'qa'"], "no request")
        self.ask("GET http://shop.example/cart")
        self.assertEqual(self.hit(Group.CONDITIONS), [method])
        self.ask("GET http://shop.example/beta")
        # for the first of the two requests it has failed
        self.assertEqual(self.hit(Group.CONDITIONS), [uri, method, "uri begins with '/beta'"])
        missed = dict(self.missed(Group.CONDITIONS))
        self.assertEqual(missed["headers[x-user] exactly 'qa'"], "no request where it holds")

    def test_answers(self) -> None:
        """Redirects and direct responses are answers; a relay's route is one as others are."""
        self.ask("GET http://shop.example/old")
        self.ask("tcp://127.0.0.1:5432")
        self.assertEqual(self.hit(Group.ANSWERS), ["redirect of old"])
        others = ("direct response of pong", "fault of api", "fault of broken")
        self.assertEqual(self.missed(Group.ANSWERS), [(f"{what}", "no request") for what in others])
        self.assertEqual(self.hit(Group.ROUTES), ["old", "connections"])

    def test_no_route(self) -> None:
        """A request that ends before it has a route hits at most its host."""
        self.ask("GET https://nobody.example/")
        self.ask("GET http://nobody.example/")
        self.assertEqual(self.hit(Group.HOSTS), [])
        self.ask("GET http://moved.example:81/")
        self.assertEqual(self.hit(Group.HOSTS), ["moved.example on port 81"])

    def test_places(self) -> None:
        """A match that was noted has a line of its own."""
        (host,) = {id(host): host for _, host in self.routes()}.values()
        cart = host.routes[0]
        places = (Origin("a.yaml", 3, "VirtualService a/b"), Origin("a.yaml", 5, "VirtualService a/b"))
        coverage = Coverage(self.snapshot, Notes(routes=[(cart, RouteNote(places, places[0]))]))
        self.assertEqual([str(unit.origin) for unit in coverage.units(Group.MATCHES)][:2], ["a.yaml:3", "a.yaml:5"])

    def routes(self) -> list[tuple[str, VirtualHost]]:
        """Return the virtual host of the shop in the clear."""
        plain = self.snapshot.listeners[0].plain
        assert plain is not None
        assert plain.http is not None
        return [(domain, host) for domain, host in plain.http.items() if domain == "shop.example"]


class UnreachedTests(SynchronousTestCase):
    """What no request reaches."""

    def counted(self, text: str, *requests: str) -> dict[str, list[str]]:
        """Return what counts of each group in a VirtualService with some routes, behind requests."""
        notes = Notes()
        resources, problems = decoded(f"""\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec: {{servers: [{{port: {{number: 80, name: h, protocol: HTTP}}, hosts: ["*"]}}]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop}}
spec:
  hosts: [a.example, b.example]
  gateways: [gw]
  http: [{text}]
""")
        found = compile_resources(resources, CompileOptions(notes=notes), problems).snapshot
        coverage = Coverage(found, notes)
        for url in requests:
            coverage.take(Decider(found).decide(question_of("GET", url, ())), "t.yaml:1")
        coverage.leave_out_unreached()
        self.percent = coverage.percent(Group.ROUTES)
        return {group.value: [unit.what for unit in coverage.counted(group)] for group in Group}

    def test_covered(self) -> None:
        """A match behind a wider one is left out with its conditions; a route with its answer, if all of it is."""
        route = "{{name: {}, match: [{}], directResponse: {{status: 200}}}}"
        prefix = "{{uri: {{prefix: {}}}{}}}"
        text = ", ".join(
            (
                route.format("first", prefix.format("/a", "")),
                route.format("second", prefix.format("/ab", ", method: {exact: GET}")),
                route.format("third", f"{prefix.format('/ac', '')}, {prefix.format('/b', '')}"),
            )
        )
        found = self.counted(text, "http://a.example/a", "http://b.example/b")
        self.assertEqual(found["routes"], ["first", "third"])
        self.assertEqual(found["matches"], ["match of first", "match 2 of third"])
        self.assertEqual(found["conditions"], ["uri begins with '/a'", "uri begins with '/b'"])
        self.assertEqual(found["answers"], ["direct response of first", "direct response of third"])
        self.assertEqual(self.percent, 100.0)

    def test_together(self) -> None:
        """A route without matches behind two that take all between them is left out, too."""
        answer = "directResponse: {status: 200}"
        text = (
            f"{{name: get, match: [{{method: {{exact: GET}}}}], {answer}}}, "
            f"{{name: rest, match: [{{method: {{regex: '.*'}}}}], {answer}}}, {{name: none, {answer}}}"
        )
        self.assertEqual(self.counted(text)["routes"], ["get", "rest"])


class ConditionTests(SynchronousTestCase):
    """The conditions that are counted."""

    def test_any(self) -> None:
        """What can't fail does not count."""
        for uri in (StringMatch(Kind.PREFIX, "/"), StringMatch(Kind.REGEX, ".*")):
            self.assertEqual(list(conditions_of(HTTPMatch(uri, port=80))), [])
        named = HTTPMatch(
            without_headers=(("x-a", StringMatch(Kind.PRESENT)),), query_params=(("v", StringMatch(Kind.EXACT, "1")),)
        )
        self.assertEqual(
            list(conditions_of(named)), [("withoutHeaders[x-a]", "is there"), ("queryParams[v]", "exactly '1'")]
        )

    @given(matches, requests)
    @settings(max_examples=200, deadline=None)
    def test_names(self, match: HTTPMatch, asked: Asked) -> None:
        """They are called as those that are tried, and none is missing."""
        counted = {what for what, _ in conditions_of(match)}
        told = {each.what for each in tried(match, asked)} - {"port"}
        if match.uri is not None and any_path(match.uri):
            told.discard("uri")
        self.assertLessEqual(told, counted)
