"""Tests for L{edgegate.istio.translate.actions}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.actions import REQUEST_PORT, DirectResponse, NewPath, Redirect, Substitution
from edgegate.model.headers import HeaderChanges
from edgegate.model.policies import DEFAULT_RETRIES, Abort, Delay, Faults, Mirror, RetryPolicy
from edgegate.model.routes import HTTPRoute
from tests.istio.translate.compiling import compiled, gateway, listener, virtual_service

TO = "route: [{destination: {host: 127.0.0.1, port: {number: 80}}}]"


def routes(*items: str) -> tuple[HTTPRoute, ...]:
    """Compile the HTTP items of a VirtualService, each the inside of a flow mapping."""
    http = ", ".join(f"{{{item}}}" for item in items)
    text = gateway("gw", "80 HTTP a.example") + virtual_service("vs", "a.example", f"http: [{http}]")
    snapshot, problems = compiled(text)
    assert not any(" error: " in problem for problem in problems), problems
    chain = listener(snapshot, 80).plain
    assert chain is not None
    assert chain.http is not None
    found = chain.http.lookup("a.example")
    assert found is not None
    return found.routes


def route(item: str) -> HTTPRoute:
    """Compile one item that makes one route."""
    (found,) = routes(item)
    return found


def told(changes: HeaderChanges) -> tuple[object, ...]:
    """Return removals, and constant values."""
    return (
        changes.remove,
        tuple((name, value.constant) for name, value in changes.set),
        tuple((name, value.constant) for name, value in changes.add),
    )


class RedirectTests(SynchronousTestCase):
    """Redirects and answers."""

    def test_redirects(self) -> None:
        """Each field, and Istio's defaults."""
        for item, redirect in (
            ("uri: /n", Redirect(path=NewPath(b"/n"))),
            ("uri: '/n?x=1'", Redirect(path=NewPath(b"/n?x=1", whole=True))),
            ("prefixRewrite: '/n?x=1'", Redirect(path=NewPath(b"/n?x=1", b"/"))),
            ("prefixRewrite: /n, redirectCode: 308", Redirect(308, NewPath(b"/n", b"/"))),
            (
                "authority: 'b:81', scheme: https, port: 8443",
                Redirect(authority=b"b:81", scheme=b"https", port=8443),
            ),
            ("derivePort: FROM_REQUEST_PORT", Redirect(port=REQUEST_PORT)),
            ("derivePort: FROM_PROTOCOL_DEFAULT", Redirect(port=0)),
        ):
            self.assertEqual(route(f"redirect: {{{item}}}").redirect, redirect)

    def test_answers(self) -> None:
        """A body is text, or bytes in base64."""
        self.assertEqual(route("directResponse: {status: 204}").direct, DirectResponse(204))
        self.assertEqual(
            route("directResponse: {status: 200, body: {string: é}}").direct, DirectResponse(200, "é".encode())
        )
        self.assertEqual(
            route("directResponse: {status: 200, body: {bytes: AAE=}}").direct, DirectResponse(200, b"\0\1")
        )

    def test_headers_of_answers(self) -> None:
        """What the route changes is changed in them; the server's name is not."""
        found = route("directResponse: {status: 200}, headers: {response: {set: {x-a: b, server: mine}}}").response
        assert found is not None
        self.assertEqual(told(found), ((), ((b"x-a", b"b"),), ()))


class RewriteTests(SynchronousTestCase):
    """Rewrites, which depend on the condition that held."""

    def test_by_match(self) -> None:
        """Of one item several routes are made where conditions of several kinds are rewritten in different ways."""
        found = routes(
            "match: [{uri: {prefix: /a}}, {uri: {prefix: /a}, method: {exact: GET}}, {uri: {exact: /b}}], "
            f"rewrite: {{uri: /n}}, {TO}"
        )
        paths = [each.destinations[0].request.path for each in found]  # type: ignore[union-attr]
        self.assertEqual(paths, [NewPath(b"/n", b"/a"), NewPath(b"/n")])
        self.assertEqual([len(each.matches) for each in found], [2, 1])

    def test_by_expression(self) -> None:
        """An expression is the same whatever held."""
        found = route(
            f"match: [{{uri: {{prefix: /a}}}}, {{uri: {{exact: /b}}}}], "
            f"rewrite: {{uriRegexRewrite: {{match: a, rewrite: b}}}}, {TO}"
        )
        assert found.destinations[0].request is not None
        self.assertEqual(found.destinations[0].request.path, Substitution("a", "b"))

    def test_authority(self) -> None:
        """A rewrite's counts, or the route's headers', before the destination's."""
        own = "route: [{destination: {host: 127.0.0.1, port: {number: 80}}, headers: {request: {set: {host: d}}}}]"
        for item, authority in (
            (f"rewrite: {{authority: r}}, {own}", b"r"),
            (f"headers: {{request: {{set: {{':authority': h}}}}}}, {own}", b"h"),
            (own, b"d"),
        ):
            changes = route(item).destinations[0].request
            assert changes is not None
            self.assertEqual((changes.authority, changes.headers), (authority, ()))


class HeadersTests(SynchronousTestCase):
    """Header operations in Istio's order."""

    ROUTE = "headers: {request: {set: {X-B: r, x-a: r}, remove: [X-Z, x-z]}, response: {add: {x-c: r}}}"
    OWN = "headers: {request: {set: {x-a: d}, add: {x-d: d}, remove: [x-y]}, response: {remove: [x-e]}}"

    def test_single(self) -> None:
        """With one destination they are one step, and the destination's word is the last."""
        to = f"[{{destination: {{host: 127.0.0.1, port: {{number: 80}}}}, {self.OWN}}}]"
        destination = route(f"{self.ROUTE}, route: {to}").destinations[0]
        assert destination.request is not None
        self.assertEqual(
            [told(changes) for changes in destination.request.headers],
            [((b"x-z", b"x-y"), ((b"x-b", b"r"), (b"x-a", b"d")), ((b"x-d", b"d"),))],
        )
        self.assertEqual([told(changes) for changes in destination.response], [((b"x-e",), (), ((b"x-c", b"r"),))])

    def test_several(self) -> None:
        """With several the destination's come first, and the route's word is the last."""
        one = f"{{destination: {{host: 127.0.0.1, port: {{number: 80}}}}, weight: 1, {self.OWN}}}"
        other = "{destination: {host: 127.0.0.2, port: {number: 80}}, weight: 1}"
        first, second = route(f"{self.ROUTE}, route: [{one}, {other}]").destinations
        assert first.request is not None
        assert second.request is not None
        of_route = ((b"x-z",), ((b"x-b", b"r"), (b"x-a", b"r")), ())
        of_destination = ((b"x-y",), ((b"x-a", b"d"),), ((b"x-d", b"d"),))
        self.assertEqual([told(changes) for changes in first.request.headers], [of_destination, of_route])
        self.assertEqual([told(changes) for changes in second.request.headers], [of_route])

    def test_left_alone(self) -> None:
        """Framing is no route's, and the server's name is the gateway's in answers, not in requests."""
        operations = "{set: {server: a, Connection: b}, add: {Content-Length: '1'}, remove: [TE, server]}"
        destination = route(f"headers: {{request: {operations}, response: {operations}}}, {TO}").destinations[0]
        assert destination.request is not None
        self.assertEqual(
            [told(each) for each in destination.request.headers], [((b"server",), ((b"server", b"a"),), ())]
        )
        self.assertEqual(destination.response, ())

    def test_nothing(self) -> None:
        """A route that changes nothing has nothing to do for each request."""
        self.assertIsNone(route(TO).destinations[0].request)
        self.assertIsNone(route(f"headers: {{request: {{}}}}, {TO}").destinations[0].request)


class PolicyTests(SynchronousTestCase):
    """Retries, faults, mirrors, CORS."""

    def test_retries(self) -> None:
        """Istio's default, none, and each field."""
        for item, policy in (
            ("", DEFAULT_RETRIES),
            ("retries: {attempts: 0}, ", None),
            ("retries: {}, ", None),
            ("retries: {attempts: 5}, ", RetryPolicy(5)),
            (
                "retries: {attempts: 1, retryOn: '5xx, 409,reset', perTryTimeout: 2s, backoff: 50ms}, ",
                RetryPolicy(1, frozenset(("5xx", "reset")), frozenset((409,)), 2.0, 0.05),
            ),
            ("retries: {attempts: 1, retryIgnorePreviousHosts: false}, ", RetryPolicy(1, elsewhere=False)),
            ("retries: {attempts: 1, retryIgnorePreviousHosts: true}, ", RetryPolicy(1)),
        ):
            self.assertEqual(route(item + TO).retries, policy, item)

    def test_faults(self) -> None:
        """A share that is not given is none, as one of 0 is; a delay may have the old field for it."""
        for item, faults in (
            ("delay: {fixedDelay: 2s}", None),
            ("delay: {fixedDelay: 2s, percent: 0}", None),
            ("delay: {fixedDelay: 2s, percentage: {value: 100}}", Faults(Delay(2.0))),
            ("delay: {fixedDelay: 2s, percentage: {value: 0.5}}", Faults(Delay(2.0, 0.005))),
            ("delay: {fixedDelay: 2s, percent: 50}", Faults(Delay(2.0, 0.5))),
            ("delay: {fixedDelay: 2s, percent: 50, percentage: {value: 10}}", Faults(Delay(2.0, 0.1))),
            ("abort: {httpStatus: 418}", None),
            ("abort: {grpcStatus: UNAVAILABLE}", None),
            ("abort: {httpStatus: 418, percentage: {value: 100}}", Faults(abort=Abort(418))),
            ("abort: {grpcStatus: UNAVAILABLE, percentage: {value: 10}}", Faults(abort=Abort(200, 14, 0.1))),
            ("abort: {httpStatus: 418, percentage: {value: 0}}", None),
            ("abort: {httpStatus: 418, percentage: {}}", None),
            (
                "delay: {fixedDelay: 1s, percent: 100}, abort: {httpStatus: 500, percentage: {value: 50}}",
                Faults(Delay(1.0), Abort(500, share=0.5)),
            ),
            ("delay: {fixedDelay: 1s, percent: 100}, abort: {httpStatus: 500}", Faults(Delay(1.0))),
        ):
            self.assertEqual(route(f"fault: {{{item}}}, {TO}").faults, faults, item)

    def test_mirrors(self) -> None:
        """One, several, and shares."""
        to = "{host: 127.0.0.2, port: {number: 81}}"
        for item, shares in (
            (f"mirror: {to}", [1.0]),
            (f"mirror: {to}, mirrorPercentage: {{value: 50}}", [0.5]),
            (f"mirrors: [{{destination: {to}}}, {{destination: {to}, percentage: {{value: 10}}}}]", [1.0, 0.1]),
        ):
            mirrors = route(f"{item}, {TO}").mirrors
            self.assertEqual([mirror.share for mirror in mirrors], shares, item)
            self.assertTrue(all(isinstance(mirror, Mirror) and "127.0.0.2" in mirror.cluster for mirror in mirrors))

    def test_cors(self) -> None:
        """Lists are joined, an age is whole seconds, and the old list of exact origins counts where it is alone."""
        policy = route(
            f"corsPolicy: {{allowOrigins: [{{exact: 'https://a'}}, {{prefix: 'https://b'}}], allowMethods: [GET, PUT], "
            f"allowHeaders: [x-a], exposeHeaders: [x-b, x-c], maxAge: 1h, allowCredentials: true, "
            f"unmatchedPreflights: IGNORE}}, {TO}"
        ).cors
        assert policy is not None
        self.assertEqual(
            (policy.methods, policy.headers, policy.expose, policy.max_age, policy.credentials),
            (b"GET,PUT", b"x-a", b"x-b,x-c", b"3600", True),
        )
        self.assertFalse(policy.forward_unmatched)
        self.assertTrue(policy.allowed.include(b"https://bcd"))
        old = route(f"corsPolicy: {{allowOrigin: ['https://a']}}, {TO}").cors
        assert old is not None
        self.assertEqual((old.allowed.include(b"https://a"), old.allowed.include(b"https://ab")), (True, False))
        self.assertTrue(old.forward_unmatched)
        self.assertEqual(old.max_age, b"")
