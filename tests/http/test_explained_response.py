"""Tests for L{edgegate.http.explained_response}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED
from edgegate.http.explained_response import MOST_BYTES, shown
from edgegate.model.actions import Redirect
from edgegate.model.addresses import Address, TCPAddress, UNIXAddress
from edgegate.model.policies import RetryPolicy
from tests.http.conversation import Conversation, FakeStream, plain, routed, to_web
from tests.http.h1.test_downstream_connection import OK
from tests.http.h2.clients import HTTP2Client

CLIENT, NETWORK = "192.0.2.7", "192.0.2.0/24"
ASKS = b"x-edgegate-explain: 1\r\n"


def request(more: bytes = ASKS, host: bytes = b"web.example") -> bytes:
    """Return a request."""
    return b"GET / HTTP/1.1\r\nhost: %b\r\n%b\r\n" % (host, more)


def told(client: FakeStream) -> dict[str, str]:
    """Return what a response says of the way of its request, by the names' last parts."""
    head = client.sent.partition(b"\r\n\r\n")[0].decode("ascii")
    fields = [line.partition(": ") for line in head.split("\r\n")[1:]]
    return {name.removeprefix("x-edgegate-"): value for name, _, value in fields if name.startswith("x-edgegate-")}


class ExplanationTests(SynchronousTestCase):
    """What a client is told."""

    def test_backend(self) -> None:
        """The way of a request that a backend answers, with the id that the backend got; it does not see the wish."""
        talk = Conversation(debug_from=NETWORK)
        client = talk.ask(request())
        backend = talk.backend()
        self.assertNotIn(b"explain", backend.sent)
        backend.deliver(OK)
        found = told(client)
        self.assertIn(b"x-request-id: %b\r\n" % found.pop("request-id").encode(), backend.sent)
        self.assertEqual(
            found,
            {
                "virtual-host": "web.example",
                "route": "r",
                "route-origin": "coolstore.yaml:1",
                "cluster": "web",
                "endpoint": "10.0.0.1:80",
                "tries": "1",
                "details": "via_upstream",
            },
        )
        names = [name for block in talk.ended[0].response_fields for name, _ in block.fields]
        self.assertIn(b"x-edgegate-route", names, "the access log can show it")

    def test_next_request(self) -> None:
        """The next request on the connection that does not ask is told nothing."""
        talk = Conversation(debug_from=NETWORK)
        client = talk.ask(request())
        backend = talk.backend()
        backend.deliver(OK)
        client.take()
        client.deliver(request(b""))
        backend.deliver(OK)
        self.assertEqual(told(client), {})
        self.assertIn(b"200 OK", client.sent)

    def test_retries(self) -> None:
        """Of several tries the last endpoint, how many they were, and the flag of one that was in vain."""
        route = to_web(retries=RetryPolicy(1))
        talk = Conversation(route, endpoints=2, debug_from=NETWORK)
        client = talk.ask(request())
        first = talk.connects[-1]
        first.failed(CONNECT_REFUSED)
        talk.retry()
        second = talk.connects[-1]
        self.assertNotEqual(first.address, second.address)
        second.failed(CONNECT_REFUSED)
        found = told(client)
        self.assertEqual((found["tries"], found["endpoint"]), ("2", str(second.address)))
        self.assertEqual((found["flags"], found["details"]), ("URX,UF", CONNECT_REFUSED.details))

    def test_no_route(self) -> None:
        """An answer of the gateway's own says why, and has the id by which its request is found."""
        talk = Conversation(debug_from=NETWORK)
        found = told(talk.ask(request(host=b"other.example")))
        self.assertEqual(len(found.pop("request-id")), 36)
        self.assertEqual(found, {"tries": "0", "flags": "NR", "details": "route_not_found"})
        found = told(talk.ask(request(host=b"void.example")))
        self.assertEqual((found["virtual-host"], found["flags"]), ("void.example", "NC"))

    def test_redirects(self) -> None:
        """So do a redirect to https and one of a route."""
        talk = Conversation(debug_from=NETWORK)
        found = told(talk.ask(request(host=b"moved.example")))
        self.assertEqual((found["virtual-host"], found["details"]), ("moved.example", "direct_response"))
        talk = Conversation(to_web(redirect=Redirect()), debug_from=NETWORK)
        self.assertEqual(told(talk.ask(request()))["route-origin"], "coolstore.yaml:1")

    def test_not_stored(self) -> None:
        """Caches in front are told to keep no explained response for others, whatever the backend says."""
        talk = Conversation(debug_from=NETWORK)
        client = talk.ask(request())
        backend = talk.backend()
        cached = OK.replace(b"\r\n\r\n", b"\r\ncache-control: public, max-age=60\r\n\r\n")
        backend.deliver(cached)
        fields = [line for line in client.take().lower().split(b"\r\n") if line.startswith(b"cache-control:")]
        self.assertEqual(fields, [b"cache-control: no-store"])
        client.deliver(request(b""))
        backend.deliver(cached)
        self.assertIn(b"cache-control: public, max-age=60\r\n", client.take())
        self.assertIn(b"cache-control: no-store\r\n", talk.ask(request(host=b"other.example")).sent)

    def test_http2(self) -> None:
        """Over HTTP/2 it is the same."""
        talk = Conversation(debug_from=NETWORK)
        client = HTTP2Client(talk)
        number = client.head(b"/", b"GET", True, (b"x-edgegate-explain", b"1"))
        backend = talk.backend()
        self.assertNotIn(b"explain", backend.sent)
        backend.deliver(OK)
        client.read()
        fields = dict(client.answers[number].fields)
        self.assertEqual(fields[b"x-edgegate-route-origin"], b"coolstore.yaml:1")
        self.assertEqual(fields[b"x-edgegate-endpoint"], b"10.0.0.1:80")

    def test_unnamed(self) -> None:
        """A route without a name is told by its place alone."""
        talk = Conversation(debug_from=NETWORK)
        route = replace(to_web(), name="")
        client = talk.client(routed(route))
        client.deliver(request())
        talk.backend().deliver(OK)
        self.assertEqual([name for name in told(client) if name.startswith("route")], ["route-origin"])


class WhoMayAskTests(SynchronousTestCase):
    """Who is told."""

    def answer(self, debug_from: str, hops: int = 0, more: bytes = b"", peer: Address | None = None) -> dict[str, str]:
        """Ask from an address, and return what is told."""
        talk = Conversation(debug_from=debug_from, hops=hops)
        client = talk.client(plain() if peer is None else replace(plain(), peer=peer))
        client.deliver(request(ASKS + more))
        backend = talk.backend()
        self.assertNotIn(b"explain", backend.sent, "it is nobody's but the gateway's")
        backend.deliver(OK)
        return told(client)

    def test_nobody(self) -> None:
        """Without the option nobody is told anything, and the wish goes nowhere."""
        self.assertEqual(self.answer(""), {})

    def test_connection(self) -> None:
        """The connection's address decides; others are told nothing."""
        self.assertIn("route", self.answer(NETWORK))
        self.assertEqual(self.answer("192.0.3.0/24"), {})
        self.assertIn("route", self.answer("192.0.2.0/24", peer=TCPAddress("::ffff:192.0.2.9", 1)))
        self.assertIn("route", self.answer("fe80::/16", peer=TCPAddress("fe80::1%eth0", 1)))
        self.assertEqual(self.answer("0.0.0.0/0", peer=UNIXAddress("/run/client")), {})

    def test_sent_on(self) -> None:
        """Who sends a request on for somebody else is not who asks."""
        self.assertEqual(self.answer(NETWORK, more=b"x-forwarded-for: 192.0.2.8\r\n"), {})

    def test_trusted_proxies(self) -> None:
        """Behind trusted proxies the client that they name decides, unless it too sends on for somebody else."""
        for forwarded, may in (
            (b"x-forwarded-for: 198.51.100.1\r\n", True),
            (b"x-forwarded-for: 203.0.113.9\r\n", False),
            (b"x-forwarded-for: 198.51.100.2, 198.51.100.1\r\n", False),
            (b"x-forwarded-for: 198.51.100.2\r\nx-forwarded-for: 198.51.100.1\r\n", False),
        ):
            found = self.answer("198.51.100.0/24", 1, forwarded)
            self.assertEqual("route" in found, may, forwarded)

    def test_no_address(self) -> None:
        """The address of a trusted proxy is never its client's, not even where it says none."""
        for forwarded in (b"203.0.113.7:5123", b"unknown", b"", b"[2001:db8::1]"):
            self.assertEqual(self.answer(NETWORK, 1, b"x-forwarded-for: %b\r\n" % forwarded), {}, forwarded)
        self.assertEqual(self.answer(NETWORK, 1), {})
        self.assertEqual(self.answer(NETWORK, 2, b"x-forwarded-for: 192.0.2.8\r\n"), {})

    def test_long_id(self) -> None:
        """An id that a client has chosen behind trusted proxies is cut and escaped, as texts of the files are."""
        forwarded = b"x-forwarded-for: 192.0.2.8\r\nx-request-id: %b\r\n"
        self.assertEqual(self.answer(NETWORK, 1, forwarded % b"a\\b\xff")["request-id"], "a\\x5cb\\xff")
        found = self.answer(NETWORK, 1, forwarded % (b"i" * 5000))
        self.assertEqual(found["request-id"], "i" * MOST_BYTES + "...")

    def test_trailers(self) -> None:
        """In trailers, where it asks for nothing, it goes nowhere either."""
        talk = Conversation(debug_from=NETWORK)
        talk.ask(
            b"POST / HTTP/1.1\r\nhost: web.example\r\ntransfer-encoding: chunked\r\n\r\n"
            b"0\r\nx-edgegate-explain: 1\r\nx-b: 2\r\n\r\n"
        )
        backend = talk.backend()
        self.assertIn(b"x-b: 2", backend.sent)
        self.assertNotIn(b"explain", backend.sent)

    def test_respelled(self) -> None:
        """Another spelling, which some backends take for the same, goes nowhere either."""
        talk = Conversation(debug_from=NETWORK)
        client = talk.ask(request(b"X_Edgegate_Explain: 1\r\n"))
        backend = talk.backend()
        self.assertNotIn(b"xplain", backend.sent)
        backend.deliver(OK)
        self.assertEqual(told(client), {})


class ShownTests(SynchronousTestCase):
    """Texts of the files in headers."""

    def test_shown(self) -> None:
        """Whatever a file says, a header stays one."""
        for text, value in (
            ("cart", b"cart"),
            ("a b", b"a b"),
            ("a\r\nset-cookie: x", b"a\\x0d\\x0aset-cookie: x"),
            ("caf\u00e9", b"caf\\xc3\\xa9"),
            ("\\x41", b"\\x5cx41"),
            ("x" * 300, b"x" * MOST_BYTES + b"..."),
        ):
            self.assertEqual(shown(text), value)
