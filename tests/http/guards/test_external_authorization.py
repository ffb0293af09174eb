"""Tests of L{edgegate.http.guards.external_authorization}: who may pass is for a service to say, over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from time import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED
from edgegate.http.filters.cors import CORSFilter
from edgegate.http.guards.registry import GUARD_FILTERS
from edgegate.model.authorizers import BodyInCheck, HeaderNames
from edgegate.model.guards.credentials import APIKeys, KeyLocation, KeyPlace
from edgegate.model.guards.guard import Guard, Stage
from edgegate.model.guards.jwt import ClaimHeader, InlineKeys, JWTRule, TokenGuard
from edgegate.model.headers import Template
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from edgegate.model.policies import CORSPolicy
from edgegate.observe.metrics.families import EXTERNAL_AUTHORIZATION
from tests.access.jwt.tokens import ISSUER, believed, good
from tests.http.conversation import NOTHING_LEFT, ORIGIN, Conversation, to_web, without_ids
from tests.http.guards.checking import GET, Checking, asking, names, parsed

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
POST = b"POST /a HTTP/1.1\r\nHost: web.example\r\n"

USER = b"x-user"
KEYS = APIKeys(
    "default/apps",
    ORIGIN,
    (KeyPlace(KeyLocation.HEADER, b"x-api-key"),),
    ((sha256(b"x").digest(), "one"),),
    b"apps",
    client_header=USER,
)
TOKENS = TokenGuard(
    "default/idp",
    ORIGIN,
    (JWTRule("default/idp", ORIGIN, ISSUER, InlineKeys(believed()), claim_headers=(ClaimHeader(USER, ("sub",)),)),),
)


@dataclass(frozen=True, slots=True)
class _Token(Guard):
    """Stands for one that verifies tokens."""

    def stage(self) -> Stage:
        return Stage.JWT


class CheckTests(SynchronousTestCase):
    """What is asked, and what becomes of the request."""

    def test_allowed(self) -> None:
        """The service gets the request without its body and headers; where it says 200 the request goes on."""
        talk = Checking(asking())
        talk.ask(GET, b"Cookie: a=b", b"Authorization: Basic eA==")
        self.assertFalse(talk.passed)
        self.assertEqual(
            talk.service.sent,
            b"GET /a?b HTTP/1.1\r\nhost: web.example\r\nauthorization: Basic eA==\r\nx-forwarded-for: 127.0.0.1\r\n"
            b"x-envoy-internal: true\r\ncontent-length: 0\r\n\r\n",
        )
        talk.answer(b"200 OK", b"X-User: jane")
        first, fields, _ = talk.sent()
        self.assertEqual((first, fields[b"cookie"]), (b"GET /a?b HTTP/1.1", b"a=b"))
        self.assertNotIn(b"x-user", fields)
        talk.backend.deliver(OK)
        self.assertTrue(talk.client.sent.endswith(b"ok"))
        self.assertEqual(talk.talk.left, NOTHING_LEFT)

    def test_what_is_told(self) -> None:
        """The files say which headers are told, what is added to them, and what stands before the path."""
        guard = asking(
            path_prefix=b"/check",
            sent=names(b"cookie", b"x-request-id", b"x-forwarded-for", prefixes=(b"x-a",)),
            added=(
                (b"x-url", Template.parse("%REQ(:SCHEME)%://%REQ(:AUTHORITY)%%REQ(:PATH)%")),
                (b"x-none", Template.parse("%REQ(x-none)%")),
                (b"x-ab", Template.parse("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%")),
            ),
        )
        talk = Checking(guard)
        talk.ask(GET, b"Cookie: a=b", b"X-Ab: forged", b"X-Aa: 1", b"X-Aa: 2", b"X-B: 1")
        first, fields, _ = parsed(without_ids(talk.service.sent))
        self.assertEqual(first, b"GET /check/a?b HTTP/1.1")
        self.assertEqual(
            fields,
            {
                b"host": b"web.example",
                b"cookie": b"a=b",
                b"x-aa": b"1,2",
                b"x-request-id": b"ID",
                b"x-forwarded-for": b"192.0.2.7,127.0.0.1",
                b"x-url": b"http://web.example/a?b",
                b"x-ab": b"192.0.2.7",
                b"x-envoy-internal": b"true",
                b"content-length": b"0",
            },
        )
        # the backend knows the request by the same id
        number = parsed(talk.service.sent)[1][b"x-request-id"]
        talk.answer(b"200 OK")
        self.assertEqual(talk.sent()[1][b"x-request-id"], number)

    def test_denied(self) -> None:
        """What the service says goes to the client, with a flag in the log; the connection stays."""
        talk = Checking(asking())
        talk.ask()
        talk.answer(b"302 Found", b"Location: https://login/", b"Set-Cookie: a=1", b"Set-Cookie: b=2", body=b"go")
        first, fields, body = talk.got()
        self.assertEqual((first, body), (b"HTTP/1.1 302 Found", b"go"))
        self.assertEqual((fields[b"location"], fields[b"set-cookie"]), (b"https://login/", b"a=1 | b=2"))
        self.assertEqual(fields[b"content-type"], b"text/plain")
        ended = talk.talk.ended[-1]
        self.assertEqual((ended.flags, ended.details), ("UAEX", "ext_authz_denied"))
        assert ended.guard is not None
        self.assertEqual(ended.guard.name, "istio-system/login")
        self.assertFalse(talk.passed)
        talk.ask()
        talk.answer(b"401 No", b"WWW-Authenticate: Bearer", b"Content-Type: application/json", body=b"{}")
        first, fields, _ = talk.got()
        self.assertEqual((first, fields[b"content-type"]), (b"HTTP/1.1 401 Unauthorized", b"application/json"))
        self.assertEqual(talk.talk.left, NOTHING_LEFT)

    def test_denied_gets_listed_headers(self) -> None:
        """Where headers are listed, a refused client gets these, and where to log in."""
        talk = Checking(asking(to_denied=names(b"set-cookie")))
        talk.ask()
        talk.answer(b"302 Found", b"Location: /l", b"Set-Cookie: a=1", b"Content-Type: text/html", b"X-B: 1", body=b"x")
        _, fields, _ = talk.got()
        self.assertEqual((fields[b"location"], fields[b"set-cookie"]), (b"/l", b"a=1"))
        self.assertEqual(fields[b"content-type"], b"text/plain")
        self.assertNotIn(b"x-b", fields)

    def test_grpc_client(self) -> None:
        """A client of gRPC is refused in its own words."""
        talk = Checking(asking())
        talk.ask(POST, b"Content-Type: application/grpc", b"Content-Length: 0")
        talk.answer(b"401 No", b"X-Why: none", body=b"log in")
        first, fields, body = talk.got()
        self.assertEqual((first, body), (b"HTTP/1.1 200 OK", b""))
        self.assertEqual((fields[b"grpc-status"], fields[b"grpc-message"]), (b"16", b"log in"))
        self.assertEqual((fields[b"content-type"], fields[b"x-why"]), (b"application/grpc", b"none"))

    def test_forged(self) -> None:
        """What the service may say is believed of nobody else, in no spelling, also where it says nothing of it."""
        listed = names(b"x-auth-user", b"x-auth-groups", prefixes=(b"remote-",))
        forged = (
            *(b"X-Auth-User: admin", b"x-auth-user: root", b"X_Auth_User: admin", b"X.Auth.User: admin"),
            *(b"X-Auth-Groups: all", b"Remote-User: admin", b"remote_user: admin", b"X-Other: mine"),
        )
        talk = Checking(asking(to_upstream=listed))
        talk.ask(GET, *forged)
        talk.answer(b"200 OK", b"X-Auth-User: jane", b"X-Auth-User: second", b"X-Secret: s")
        _, fields, _ = talk.sent()
        told = {name: value for name, value in fields.items() if b"auth" in name or b"remote" in name}
        self.assertEqual((told, fields[b"x-other"]), ({b"x-auth-user": b"jane | second"}, b"mine"))

    def test_forwarded_user(self) -> None:
        """A service may say what no client may; what the gateway says itself nobody else does."""
        talk = Checking(asking(to_upstream=names(prefixes=(b"x-",))))
        talk.ask(GET, b"X-Forwarded-User: admin")
        talk.answer(b"200 OK", b"X-Forwarded-User: jane", b"X-Forwarded-For: 1.1.1.1", b"X-Envoy-Internal: true")
        _, fields, _ = talk.sent()
        self.assertEqual((fields[b"x-forwarded-user"], fields[b"x-forwarded-for"]), (b"jane", b"192.0.2.7"))
        self.assertNotIn(b"x-envoy-internal", fields)

    def test_removed(self) -> None:
        """The service may have headers of the request removed."""
        talk = Checking(asking())
        talk.ask(GET, b"Authorization: x", b"X-A: 1")
        talk.answer(b"200 OK", b"X-Envoy-Auth-Headers-To-Remove: authorization, X-A, host")
        _, fields, _ = talk.sent()
        self.assertTrue({b"authorization", b"x-a"}.isdisjoint(fields))
        self.assertEqual(fields[b"host"], b"web.example")

    def test_told_to_the_client(self) -> None:
        """What is listed for that is added to the backend's answer."""
        talk = Checking(asking(to_client=names(b"set-cookie")))
        talk.ask()
        talk.answer(b"200 OK", b"Set-Cookie: fresh=1", b"X-B: 1")
        talk.backend.deliver(OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: own=1\r\n\r\n"))
        _, fields, _ = talk.got()
        self.assertEqual(fields[b"set-cookie"], b"own=1 | fresh=1")
        self.assertNotIn(b"x-b", fields)
        # and to no other answer on the connection
        talk.ask()
        talk.answer(b"200 OK")
        talk.backend.deliver(OK)
        self.assertNotIn(b"set-cookie", talk.got()[1])


class FailureTests(SynchronousTestCase):
    """A service that says nothing."""

    def outcomes(self, **what: object) -> list[tuple[bytes, str, str]]:
        """Return what clients get by services that fail each in its own way; empty where they passed."""
        found = []
        for way in ("refused", "500", "reset", "garbage", "slow", "huge head", "huge body", "no cluster"):
            talk = Checking(asking(timeout=2.0, cluster="none" if way == "no cluster" else "mirror", **what))
            talk.ask(GET, b"X-User: forged")
            if way == "refused":
                talk.talk.connects[-1].failed(CONNECT_REFUSED)
            elif way == "500":
                talk.answer(b"500 Broken", b"Location: /x", body=b"details")
            elif way == "reset":
                talk.service.reset()
            elif way == "garbage":
                talk.service.deliver(b"\x16\x03\x01\x00")
            elif way == "slow":
                talk.service.deliver(b"HTTP/1.1 200 OK\r\n")
                talk.talk.advance(3)
            elif way == "huge head":
                talk.service.deliver(b"HTTP/1.1 200 OK\r\nX-User: " + b"x" * 100_000)
            elif way == "huge body":
                talk.service.deliver(b"HTTP/1.1 403 No\r\nContent-Length: 9999999\r\n\r\n" + b"x" * 2_000_000)
            if talk.passed:
                self.assertNotIn(b"x-user", talk.sent()[1], way)
                talk.backend.deliver(OK)
            ended = talk.talk.ended[-1]
            first, fields, body = talk.got()
            self.assertEqual(body, b"ok" if talk.passed else b"", way)
            self.assertNotIn(b"location", fields)
            found.append((first, ended.flags, ended.details))
            talk.talk.advance(20)
            self.assertEqual(talk.talk.left, NOTHING_LEFT, way)
        return found

    def test_refused(self) -> None:
        """Nobody passes, whatever goes wrong, and a client learns nothing of it."""
        self.assertEqual(self.outcomes(), [(b"HTTP/1.1 403 Forbidden", "UAEX", "ext_authz_error")] * 8)

    def test_status(self) -> None:
        """The files may say another status."""
        expected = [(b"HTTP/1.1 503 Service Unavailable", "UAEX", "ext_authz_error")] * 8
        self.assertEqual(self.outcomes(status_on_error=503), expected)

    def test_fail_open(self) -> None:
        """The files may let such requests pass, without what clients claim to be."""
        found = self.outcomes(fail_open=True, to_upstream=names(b"x-user"))
        self.assertEqual(found, [(b"HTTP/1.1 200 OK", "", "")] * 8)

    def test_error_of_ours(self) -> None:
        """An error of ours lets nobody pass."""
        broken: Any = None
        talk = Checking(asking(to_client=HeaderNames(broken)))
        talk.ask()
        talk.answer(b"200 OK", b"X: y")
        self.assertTrue(talk.got()[0].startswith(b"HTTP/1.1 403"))
        self.assertEqual(len(self.flushLoggedErrors(TypeError)), 1)
        self.assertFalse(talk.passed)

    def test_cut_short(self) -> None:
        """An answer that allows does so when it is whole, wherever else it ends."""
        for answer in (
            b"HTTP/1.1 200 OK\r\nX-User: jane\r\nContent-Length: 2\r\n\r\nok",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        ):
            for end in range(len(answer) + 1):
                talk = Checking(asking())
                talk.ask()
                if end:
                    talk.service.deliver(answer[:end])
                if not talk.service.ended:
                    talk.service.finish()
                self.assertIs(talk.passed, end == len(answer), answer[:end])
                self.assertEqual(talk.client.sent == b"", talk.passed, answer[:end])

    @given(st.binary(max_size=80))
    def test_any_bytes(self, data: bytes) -> None:
        """Whatever a service says that is no answer, nobody passes."""
        talk = Checking(asking())
        talk.ask()
        if data:
            talk.service.deliver(b"HTTP/1.1 2" + data)
        if not talk.service.over and not talk.service.ended:
            talk.service.finish()
        self.assertFalse(talk.passed and b"200" not in b"2" + data)

    def test_client_leaves(self) -> None:
        """Nobody is asked any more for a client that has left, and an answer that comes late is nobody's."""
        talk = Checking(asking())
        talk.ask()
        service = talk.service
        talk.client.finish()
        self.assertEqual(service.ended, "aborted")
        talk.talk.advance(20)
        self.assertEqual(talk.talk.left, NOTHING_LEFT)

    def test_counted(self) -> None:
        """What has come of it is counted for each provider."""
        talk = Checking(asking(fail_open=True))
        for status in (b"200 OK", b"403 No", b"404 No", b"500 No"):
            talk.ask()
            talk.answer(status)
            if status[0:1] in b"25":
                talk.backend.deliver(OK)
        (series,) = talk.talk.clusters.environment.meters.of(EXTERNAL_AUTHORIZATION)
        self.assertEqual((series.labels[1], series.numbers), ("login", [1, 2, 1, 1]))


class WhoIsAskedAboutTests(SynchronousTestCase):
    """Which requests are."""

    def test_rules(self) -> None:
        """Those that a rule matches."""
        talk = Checking(asking(paths=("/login*",)))
        talk.ask(GET.replace(b"/a?b", b"/login/x"))
        self.assertTrue(talk.passed)
        self.assertFalse(talk.asked)

    def test_no_route(self) -> None:
        """A request without a route is answered 404, and nobody is asked."""
        route = to_web(matches=(HTTPMatch(uri=StringMatch(Kind.PREFIX, "/b")),))
        talk = Checking(asking(), routes=(route,))
        talk.ask()
        self.assertEqual(talk.got()[0], b"HTTP/1.1 404 Not Found")
        self.assertFalse(talk.asked)
        # a host that nobody knows neither
        talk.ask(GET.replace(b"web.example", b"other.example"))
        self.assertEqual(talk.got()[0], b"HTTP/1.1 404 Not Found")
        self.assertFalse(talk.asked)

    def test_route_by_token(self) -> None:
        """A request that may have a route by what its token says is asked about: it must not pass by."""
        route = to_web(matches=(HTTPMatch(uri=StringMatch(Kind.PREFIX, "/b")),))
        GUARD_FILTERS[_Token] = lambda guard, environment: CORSFilter(guard)
        self.addCleanup(GUARD_FILTERS.pop, _Token)
        talk = Checking(asking(), _Token("a/b", to_web().origin), routes=(route,))
        talk.ask()
        self.assertTrue(talk.asked)

    def test_redirected_to_https(self) -> None:
        """A redirect of the files' is a route (Envoy)."""
        talk = Checking(asking(), redirect=443)
        talk.ask()
        talk.answer(b"200 OK")
        self.assertEqual(talk.got()[0], b"HTTP/1.1 301 Moved Permanently")

    def test_several(self) -> None:
        """Several providers are asked one after the other, and the first that refuses is the last."""
        guards = asking("a", path_prefix=b"/1", to_client=names(b"x-a")), asking("b", path_prefix=b"/2")
        talk = Checking(*guards)
        talk.ask()
        self.assertTrue(talk.service.take().startswith(b"GET /1/a?b"))
        talk.answer(b"200 OK", b"X-A: 1")
        self.assertTrue(talk.service.take().startswith(b"GET /2/a?b"))
        talk.answer(b"403 No")
        first, fields, _ = talk.got()
        self.assertEqual((first, fields[b"x-a"]), (b"HTTP/1.1 403 Forbidden", b"1"))
        talk.ask()
        talk.answer(b"403 No")
        self.assertEqual(talk.service.take().count(b"GET "), 1)

    def test_websocket(self) -> None:
        """A request for another protocol is asked about without that, and goes on with it."""
        talk = Checking(asking(body=BodyInCheck(10)))
        handshake = (
            *(b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13"),
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        )
        talk.ask(GET, *handshake)
        self.assertNotIn(b"upgrade", talk.service.sent.lower())
        talk.answer(b"200 OK")
        self.assertIn(b"upgrade: websocket", talk.backend.sent)


class RouteTests(SynchronousTestCase):
    """Which route a request takes that was changed."""

    def way(self, clears: bool, *forged: bytes) -> int:
        """Return the number of the route that was taken."""
        jane = HTTPMatch(headers=(("x-user", StringMatch(Kind.EXACT, "jane")),))
        routes = (to_web(matches=(jane,)), to_web(timeout=77.0))
        talk = Checking(asking(clears_route=clears, to_upstream=names(b"x-user")), routes=routes)
        talk.ask(GET, *forged)
        talk.answer(b"200 OK", b"X-User: jane")
        self.assertEqual(talk.sent()[1][b"x-user"], b"jane")
        talk.backend.deliver(OK)
        route = talk.talk.ended[-1].route
        return routes.index(route) if route is not None else -1

    def test_as_it_came(self) -> None:
        """The route is that of the request as it came: what a service adds to it changes nothing (Istio)."""
        self.assertEqual(self.way(False), 1)
        self.assertEqual(self.way(False, b"X-User: jane"), 0)

    def test_as_it_goes_on(self) -> None:
        """The files may have it be that of the request as it goes on."""
        self.assertEqual(self.way(True), 0)
        self.assertEqual(self.way(True, b"X-User: other"), 0)

    def test_who_is_known_later(self) -> None:
        """By what others find out of a request its route is chosen; not by what a client says of it."""
        admin = HTTPMatch(headers=(("x-user", StringMatch(Kind.EXACT, "admin")),))
        one = HTTPMatch(headers=(("x-user", StringMatch(Kind.EXACT, "one")),))
        routes = (to_web(matches=(admin,)), to_web(matches=(one,), timeout=77.0), to_web(timeout=78.0))
        for guard, field, listed, expected in (
            (KEYS, b"X-Api-Key: x", names(), 1),
            (TOKENS, b"A: b", names(), 2),
            (TOKENS, b"A: b", names(b"x-user"), 2),
            (TOKENS, b"Authorization: Bearer " + good(time()), names(), 2),
        ):
            talk = Checking(asking(to_upstream=listed), guard, routes=routes)
            talk.ask(GET, b"X-User: admin", b"X-A: 1", field)
            talk.answer(b"200 OK", b"X-Envoy-Auth-Headers-To-Remove: x-a")
            talk.backend.deliver(OK)
            route = talk.talk.ended[-1].route
            self.assertEqual(-1 if route is None else routes.index(route), expected)

    def test_preflight(self) -> None:
        """Whether a route answers a preflight itself is asked of the route that it takes."""
        admin = HTTPMatch(headers=(("x-user", StringMatch(Kind.EXACT, "admin")),))
        origins = (StringMatch(Kind.EXACT, "https://a.example"),)
        routes = (to_web(matches=(admin,)), to_web(cors=CORSPolicy(origins, methods=b"GET")))
        for fields, status in (((b"X-User: admin",), b"401"), ((), b"200")):
            talk = Checking(asking(to_upstream=names(b"x-user")), KEYS, routes=routes)
            preflight = (b"Origin: https://a.example", b"Access-Control-Request-Method: GET")
            talk.ask(GET.replace(b"GET", b"OPTIONS"), *preflight, *fields)
            talk.answer(b"200 OK")
            self.assertIn(status, talk.got()[0])
            self.assertFalse(talk.passed)


class BodyTests(SynchronousTestCase):
    """A service that wants to see bodies."""

    def test_whole(self) -> None:
        """The body is sent with the check when it is whole, and then on its way."""
        talk = Checking(asking(body=BodyInCheck(10)))
        talk.ask(POST, b"Content-Length: 10", b"X-Envoy-Auth-Partial-Body: true", body=b"01234")
        self.assertFalse(talk.asked)
        talk.client.deliver(b"56789")
        first, fields, body = parsed(talk.service.sent)
        self.assertEqual((first, fields[b"content-length"], body), (b"POST /a HTTP/1.1", b"10", b"0123456789"))
        self.assertEqual(fields[b"x-envoy-auth-partial-body"], b"false")
        talk.answer(b"200 OK")
        _, fields, body = talk.sent()
        self.assertEqual((fields[b"content-length"], body), (b"10", b"0123456789"))
        talk.backend.deliver(OK)
        self.assertEqual(talk.talk.environment.kept_bodies, 0)

    def test_none(self) -> None:
        """A request without a body is asked about at once."""
        talk = Checking(asking(body=BodyInCheck(10)))
        talk.ask()
        self.assertNotIn(b"partial", talk.service.sent)

    def test_too_long(self) -> None:
        """What is longer than may be kept is refused, whatever failOpen says: by its length, or as it comes."""
        for fields, body in (
            ((b"Content-Length: 11",), b""),
            ((b"Transfer-Encoding: chunked",), b"b\r\n01234567890\r\n"),
        ):
            talk = Checking(asking(body=BodyInCheck(10), fail_open=True))
            talk.ask(POST, *fields, body=body)
            self.assertEqual(talk.got()[0], b"HTTP/1.1 413 Content Too Large")
            self.assertFalse(talk.asked)
            self.assertEqual(talk.talk.environment.kept_bodies, 0)

    def test_partial(self) -> None:
        """Of what is longer the beginning is told, where the files say so; all of it goes on."""
        talk = Checking(asking(body=BodyInCheck(10, partial=True)))
        talk.ask(POST, b"Transfer-Encoding: chunked", body=b"8\r\n01234567\r\n")
        self.assertFalse(talk.asked)
        talk.client.deliver(b"3\r\n89A\r\n")
        _, fields, body = parsed(talk.service.sent)
        self.assertEqual((fields[b"x-envoy-auth-partial-body"], body), (b"true", b"0123456789"))
        talk.client.deliver(b"1\r\nB\r\n")
        talk.answer(b"200 OK")
        talk.client.deliver(b"0\r\n\r\n")
        self.assertEqual(b"".join(talk.sent()[2].split(b"\r\n")[1::2]), b"0123456789AB")

    def test_just_as_long(self) -> None:
        """A body that is as long as may be told is whole."""
        talk = Checking(asking(body=BodyInCheck(10, partial=True)))
        talk.ask(POST, b"Content-Length: 10", body=b"0123456789")
        self.assertEqual(parsed(talk.service.sent)[1][b"x-envoy-auth-partial-body"], b"false")

    def test_longer_than_is_held(self) -> None:
        """More is read than is held elsewhere, up to what is told."""
        talk = Checking(asking(body=BodyInCheck(200_000)))
        talk.ask(POST, b"Content-Length: 150000", body=b"x" * 100_000)
        self.assertTrue(talk.client.reading)
        talk.client.deliver(b"x" * 50_000)
        self.assertEqual(len(parsed(talk.service.sent)[2]), 150_000)

    def test_expected(self) -> None:
        """A client that waits to be told is told to send its body."""
        talk = Checking(asking(body=BodyInCheck(10)))
        talk.ask(POST, b"Content-Length: 2", b"Expect: 100-continue")
        self.assertEqual(talk.client.take(), b"HTTP/1.1 100 Continue\r\n\r\n")
        talk.client.deliver(b"ab")
        talk.answer(b"200 OK")
        self.assertEqual(talk.sent()[2], b"ab")

    def test_no_room(self) -> None:
        """Where all that is kept is too much already, a body that has to be kept is refused."""
        talk = Checking(asking(body=BodyInCheck(100_000)))
        talk.talk.environment.kept_bodies = 16 << 20
        talk.ask(POST, b"Content-Length: 10", body=b"01234")
        self.assertEqual(talk.got()[0], b"HTTP/1.1 503 Service Unavailable")
        self.assertEqual(talk.talk.environment.kept_bodies, 16 << 20)

    def test_client_leaves(self) -> None:
        """Nothing is left of a client that leaves before its body is whole."""
        talk = Checking(asking(body=BodyInCheck(10)))
        talk.ask(POST, b"Content-Length: 10", body=b"01234")
        talk.client.finish()
        self.assertEqual((talk.talk.environment.kept_bodies, talk.talk.left), (0, NOTHING_LEFT))

    def test_unused(self) -> None:
        """A conversation without guards has none of it."""
        self.assertFalse(Conversation().ask(GET + b"\r\n").sent)
