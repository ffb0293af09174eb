"""Tests for L{edgegate.http.header_mutation}: what routes change of requests and answers."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.header_mutation import changed
from edgegate.http.request import refused_head
from edgegate.model.actions import NewPath, RequestChanges, Substitution
from edgegate.model.headers import HeaderChanges, Template
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from edgegate.model.routes import HTTPRoute
from tests.http.conversation import Conversation, routed, to_web
from tests.http.h1.test_downstream_connection import GET, OK
from tests.http.test_exchange import FakeDownstream

IDENTITY = (
    b"x-forwarded-for: 192.0.2.7\r\nx-forwarded-proto: http\r\nx-envoy-external-address: 192.0.2.7\r\n"
    b"x-request-id: ID\r\n"
)


def changes(
    remove: tuple[str, ...] = (), to_set: dict[str, str] | None = None, add: dict[str, str] | None = None
) -> HeaderChanges:
    """Make changes of headers; values may hold operators."""
    values = [
        tuple((name.encode(), Template.parse(value)) for name, value in (given or {}).items())
        for given in (to_set, add)
    ]
    return HeaderChanges(tuple(name.encode() for name in remove), *values)


def sent(route: HTTPRoute, target: bytes = b"/", fields: bytes = b"", method: bytes = b"GET", hops: int = 0) -> bytes:
    """Return what a backend gets of a request."""
    request = b"%b %b HTTP/1.1\r\nHost: web.example\r\n%b\r\n" % (method, target, fields)
    return Conversation(route, hops=hops).asked(request)


class RewriteTests(SynchronousTestCase):
    """Paths and hosts that a backend sees."""

    def test_path(self) -> None:
        """The new path with the old query; the old one is told."""
        for path, target, new in (
            (NewPath(b"/n", b"/old"), b"/old/a?b=c", b"/n/a?b=c"),
            (NewPath(b"/n"), b"/old/a?b=c", b"/n?b=c"),
            (Substitution("/old/(.*)", r"/\1/n"), b"/old/a?b=c", b"/a/n?b=c"),
            (Substitution("/other", "/x"), b"/old", b"/old"),
        ):
            head = sent(to_web(request=RequestChanges(path)), target)
            self.assertTrue(head.startswith(b"GET %b HTTP/1.1\r\nhost: web.example\r\n" % new), head)
            self.assertIn(b"x-envoy-original-path: %b\r\n" % target, head)

    def test_no_path(self) -> None:
        """OPTIONS * has no path that could be rewritten."""
        star = (HTTPMatch(uri=StringMatch(Kind.EXACT, "*")),)
        for path in (NewPath(b"/n", b"/"), NewPath(b"/n"), Substitution("x", "y")):
            head = sent(to_web(request=RequestChanges(path), matches=star), b"*", method=b"OPTIONS")
            self.assertTrue(head.startswith(b"OPTIONS * HTTP/1.1\r\n"), head)
            self.assertNotIn(b"original-path", head)

    def test_authority(self) -> None:
        """The new host; the old one is appended to those that a trusted proxy told, a client's own are left out."""
        for hops, fields, told in (
            (0, b"", b"web.example"),
            (1, b"X-Forwarded-Host: a\r\nX-Forwarded-Host: b\r\n", b"a,b,web.example"),
            (0, b"X-Forwarded-Host: a\r\nX_Forwarded_Host: b\r\n", b"web.example"),
        ):
            head = sent(to_web(request=RequestChanges(authority=b"in:81")), fields=fields, hops=hops)
            self.assertTrue(head.startswith(b"GET / HTTP/1.1\r\nhost: in:81\r\n"))
            self.assertEqual(head.count(b"x-forwarded-host"), 1)
            self.assertIn(b"x-forwarded-host: %b\r\n" % told, head)
            self.assertIn(b"x-envoy-original-host: web.example\r\n", head)

    def test_forged(self) -> None:
        """A client's own word of the original path does not pass."""
        head = sent(to_web(request=RequestChanges(NewPath(b"/n"))), b"/old", b"X-Envoy-Original-Path: /forged\r\n")
        self.assertNotIn(b"forged", head)


class RequestHeadersTests(SynchronousTestCase):
    """Headers that a backend sees."""

    def lines(self, *given: HeaderChanges, fields: bytes = b"") -> bytes:
        """Return the lines behind the host that a backend gets."""
        return sent(to_web(request=RequestChanges(headers=given)), fields=fields).partition(b"web.example\r\n")[2]

    def test_order(self) -> None:
        """Removals come first, then what is set, then what is added."""
        given = changes(("x-a", "x-b"), {"x-b": "set", "x-c": "set"}, {"x-c": "added", "x-a": "added"})
        fields = b"X-A: 1\r\nX-B: 1\r\nX-C: 1\r\nX-C: 2\r\nX-D: 1\r\n"
        self.assertEqual(
            self.lines(given, fields=fields),
            b"x-d: 1\r\nx-b: set\r\nx-c: set\r\nx-c: added\r\nx-a: added\r\n"
            + IDENTITY
            + b"x-envoy-attempt-count: 1\r\n\r\n",
        )

    def test_one_after_the_other(self) -> None:
        """Of two groups of changes the second one sees what the first has made."""
        lines = self.lines(changes(to_set={"x-a": "1"}), changes(("x-a",), add={"x-b": "%REQ(x-a)%2"}))
        self.assertNotIn(b"x-a", lines)
        self.assertIn(b"x-b: 2\r\n", lines)

    def test_identity(self) -> None:
        """What tells the backend who asks can be removed and set, and read."""
        lines = self.lines(
            changes(
                ("x-forwarded-for", "x-request-id"),
                {"x-forwarded-proto": "https", "x-client": "%REQ(x-envoy-external-address)%"},
            )
        )
        self.assertEqual(
            lines,
            b"x-envoy-external-address: 192.0.2.7\r\nx-forwarded-proto: https\r\nx-client: 192.0.2.7\r\n"
            b"x-envoy-attempt-count: 1\r\n\r\n",
        )

    def test_told_of_tries(self) -> None:
        """So can be what is told of each try."""
        given = changes(("x-envoy-attempt-count", "x-envoy-expected-rq-timeout-ms"))
        head = sent(to_web(request=RequestChanges(headers=(given,)), timeout=5.0))
        self.assertNotIn(b"x-envoy-attempt", head)
        self.assertNotIn(b"x-envoy-expected", head)
        head = self.lines(changes(to_set={"x-envoy-attempt-count": "many"}))
        self.assertEqual(head.count(b"x-envoy-attempt-count"), 1)
        self.assertTrue(head.endswith(b"\r\n\r\n"))

    def test_values(self) -> None:
        """Values are those of each request; one that is empty leaves its header out, and alone."""
        route = to_web(
            request=RequestChanges(headers=(changes(to_set={"x-user": "%REQ(x-id?x-name)%", "x-none": "%REQ(x-no)%"}),))
        )
        talk = Conversation(route)
        client = talk.client()
        backend = None
        for fields, user in ((b"X-Id: 1\r\n", b"1"), (b"X-Name: n\r\nX-None: kept\r\n", b"n"), (b"X-Id: 2\r\n", b"2")):
            client.deliver(b"GET / HTTP/1.1\r\nHost: web.example\r\n%b\r\n" % fields)
            backend = backend or talk.backend()
            head = backend.take()
            self.assertIn(b"x-user: %b\r\n" % user, head)
            self.assertEqual(b"x-none" in head, b"kept" in fields)
            backend.deliver(OK)

    def test_nothing_is_injected(self) -> None:
        """What a client sends can't end a line, nor begin one."""
        lines = self.lines(changes(to_set={"x-a": "%REQ(x-b)%"}), fields=b"X-B: a\tb \x80\r\n")
        self.assertIn(b"x-a: a\tb \x80\r\n", lines)


class MemoryTests(SynchronousTestCase):
    """Lines are made once for a head; those of one route are never another's."""

    def test_routes_and_hosts(self) -> None:
        """One connection asks for the same head again and again, while routes change under it, and other hosts."""
        first = to_web(request=RequestChanges(headers=(changes(to_set={"x-r": "1"}),)))
        second = to_web(request=RequestChanges(headers=(changes(to_set={"x-r": "2"}),)))
        talk = Conversation(first)
        client = talk.client()
        client.deliver(GET)
        backend = talk.backend()
        seen = []
        for route in (first, second, None, second, first, first):
            seen.append([line for line in backend.take().split(b"\r\n") if line.startswith(b"x-r: ")])
            backend.deliver(OK)
            client.protocol.move(routed(route or to_web()))
            client.deliver(GET)
        self.assertEqual(seen, [[b"x-r: 1"], [b"x-r: 1"], [b"x-r: 2"], [], [b"x-r: 2"], [b"x-r: 1"]])

    def test_two_routes_of_one_host(self) -> None:
        """Paths that lead to different routes are different heads."""
        to_a = to_web(
            matches=(HTTPMatch(StringMatch(Kind.PREFIX, "/a")),), request=RequestChanges(NewPath(b"/n", b"/a"))
        )
        talk = Conversation(to_a, to_web())
        client = talk.client()
        client.deliver(GET.replace(b"/ ", b"/a/1 "))
        backend = talk.backend()
        for target, new in ((b"/a/1", b"/n/1"), (b"/b", b"/b"), (b"/a/1", b"/n/1"), (b"/a/2", b"/n/2")):
            client.deliver(GET.replace(b"/ ", target + b" ")) if not backend.sent else None
            self.assertTrue(backend.take().startswith(b"GET %b HTTP/1.1\r\n" % new), target)
            backend.deliver(OK)

    def test_answers(self) -> None:
        """A response that is the one before, byte for byte, is changed by the route that was asked now."""
        talk = Conversation(to_web(response=(changes(to_set={"x-r": "1"}),)))
        client = talk.client()
        client.deliver(GET)
        backend = talk.backend()
        seen = []
        for value in ("2", "2", "1", None):
            backend.deliver(OK)
            seen.append([line for line in client.take().split(b"\r\n") if line.startswith(b"x-r: ")])
            response = (changes(to_set={"x-r": value}),) if value else ()
            client.protocol.move(routed(to_web(response=response)))
            client.deliver(GET)
        self.assertEqual(seen, [[b"x-r: 1"], [b"x-r: 2"], [b"x-r: 2"], [b"x-r: 1"]])


class AnswerHeadersTests(SynchronousTestCase):
    """Headers that a client sees."""

    def answer(self, given: tuple[HeaderChanges, ...], fields: bytes = b"") -> bytes:
        """Return the head that a client gets of a response with these fields."""
        talk = Conversation(to_web(response=given))
        client = talk.ask(GET)
        talk.backend().deliver(OK.replace(b"Date", fields + b"Date"))
        return client.sent.partition(b"\r\n\r\n")[0] + b"\r\n"

    def test_order(self) -> None:
        """As for requests; the framing and the server's name are the gateway's."""
        head = self.answer((changes(("x-a",), {"x-b": "set"}, {"x-b": "added"}),), b"X-A: 1\r\nX-B: 1\r\n")
        self.assertEqual(
            head,
            b"HTTP/1.1 200 OK\r\ndate: today\r\nx-b: set\r\nx-b: added\r\ncontent-length: 2\r\n"
            b"x-envoy-upstream-service-time: 0\r\nserver: edgegate\r\n",
        )

    def test_several_cookies(self) -> None:
        """Several fields of one name stay several; all of them are removed or replaced."""
        cookies = b"Set-Cookie: a\r\nSet-Cookie: b\r\n"
        self.assertIn(
            b"set-cookie: a\r\nset-cookie: b\r\ndate: today\r\nset-cookie: c\r\n",
            self.answer((changes(add={"set-cookie": "c"}),), cookies),
        )
        self.assertNotIn(b"cookie", self.answer((changes(("set-cookie",)),), cookies))
        self.assertEqual(self.answer((changes(to_set={"set-cookie": "c"}),), cookies).count(b"cookie"), 1)

    def test_service_time(self) -> None:
        """The time that the backend took can be removed, or set."""
        name = "x-envoy-upstream-service-time"
        self.assertNotIn(b"service-time", self.answer((changes((name,)),)))
        head = self.answer((changes(to_set={name: "secret"}),))
        self.assertEqual(head.count(b"service-time"), 1)
        self.assertIn(b"service-time: secret\r\n", head)

    def test_values(self) -> None:
        """Values of the response, and of its request."""
        head = self.answer(
            (changes(to_set={"x-a": "%RESPONSE_CODE% %RESP(x-b)% %REQ(:path)% %UPSTREAM_HOST%"}),), b"X-B: b\r\n"
        )
        self.assertIn(b"x-a: 200 b / 10.0.0.1:80\r\n", head)

    def test_values_of_the_request(self) -> None:
        """Of the request a response tells what its backend has got (Envoy)."""
        request = RequestChanges(NewPath(b"/n", b"/"), b"in.example", (changes(to_set={"x-u": "set"}),))
        value = "%REQ(:path)% %REQ(x-u)% %REQ(:authority)% %PATH(NQ:ORIG)% %REQ(x-envoy-original-path)%"
        route = to_web(request=request, response=(changes(to_set={"x-a": value}),))
        talk = Conversation(route)
        client = talk.ask(b"GET /?q HTTP/1.1\r\nHost: web.example\r\nX-U: sent\r\n\r\n")
        talk.backend().deliver(OK)
        self.assertIn(b"x-a: /n?q set in.example / /?q\r\n", client.sent)

    def test_failures(self) -> None:
        """A response of the gateway's own is changed as the backend's would have been."""
        given = (changes(("content-type",), {"x-a": "%RESPONSE_FLAGS% %UPSTREAM_HOST%"}, {"x-b": "b"}),)
        talk = Conversation(to_web(response=given, retries=None))
        client = talk.ask(GET)
        talk.connects[0].failed(CONNECT_REFUSED)
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 503 "), client.sent)
        self.assertIn(b"x-a: UF 10.0.0.1:80\r\nx-b: b\r\n", client.sent)
        self.assertIn(b"content-type: text/plain\r\n", client.sent)

    def test_no_cluster(self) -> None:
        """So is the response where there is no cluster to ask."""
        route = to_web(response=(changes(to_set={"x-a": "%RESPONSE_FLAGS%"}),))
        gone = replace(route.destinations[0], cluster="void")
        self.assertIn(b"x-a: NC\r\n", Conversation(replace(route, destinations=(gone,))).ask(GET).sent)

    def test_date(self) -> None:
        """A date is there, once, whether it is removed or set."""
        self.assertEqual(self.answer((changes(("date",)),)).count(b"date: "), 1)
        head = self.answer((changes(to_set={"date": "mine"}),))
        self.assertIn(b"date: mine\r\n", head)
        self.assertEqual(head.count(b"date: "), 1)


NAMES = st.sampled_from(["a", "b", "c"])
FIELDS = st.lists(st.tuples(NAMES, st.sampled_from("123")), max_size=8)
CHANGES = st.builds(
    changes,
    st.lists(NAMES, max_size=2).map(tuple),
    st.dictionaries(NAMES, st.sampled_from(["x", "%REQ(a)%", "%REQ(b?c)%"]), max_size=2),
    st.dictionaries(NAMES, st.sampled_from(["y", "%REQ(a)%"]), max_size=2),
)


class ModelTests(SynchronousTestCase):
    """Changes against the plainest way to make them."""

    @given(FIELDS, st.lists(CHANGES, max_size=3))
    def test_model(self, given: list[tuple[str, str]], steps: list[HeaderChanges]) -> None:
        """Envoy's order, one field after the other."""
        fields = [(name.encode(), value.encode()) for name, value in given]
        expected = list(fields)
        for step in steps:
            expected = _naive(expected, step)
        exchange = Exchange(FakeDownstream(), refused_head(), {})
        self.assertEqual(changed(fields, steps, exchange), expected)


def _naive(fields: list[Field], step: HeaderChanges) -> list[Field]:
    for name in step.remove:
        fields = [field for field in fields if field[0] != name]
    before = list(fields)

    def value(template: Template) -> bytes:
        text = b""
        for part in template.parts:
            if isinstance(part, bytes):
                text += part
                continue
            for name in (part.argument or "").encode().split(b"?"):
                found = [value for key, value in before if key == name and value]
                if found:
                    text += found[0]
                    break
        return text

    made = [[(name, value(template)) for name, template in group] for group in (step.set, step.add)]
    for name, text in made[0]:
        if text:
            fields = [field for field in fields if field[0] != name]
    return fields + [field for group in made for field in group if field[1]]
