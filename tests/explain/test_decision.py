"""Tests of L{edgegate.explain.decision}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import BAD_PATH, BODY_TOO_LARGE, HEAD_TOO_LARGE, MISDIRECTED, NO_ROUTE, SCHEME_MISMATCH
from edgegate.explain.decision import Decider, Decision, Refusal, chain_by_name
from edgegate.explain.question import HTTP2, Question, question_of
from edgegate.http.fields import Underscores
from edgegate.http.limits import Limits
from edgegate.model.addresses import TCPAddress
from edgegate.model.routes import HTTPRoute, TCPRoute
from edgegate.routing.snapshot import Snapshot
from edgegate.tls.sni import ContextMap
from tests.istio.translate.compiling import compiled, gateway, route, secret, virtual_service
from tests.tls.handshakes import secrets, server_tls
from tests.tls.test_sni import chain, listener

SIMPLE = "{mode: SIMPLE, credentialName: cert}"
MUTUAL = "{mode: MUTUAL, credentialName: mutual}"
FILES = (
    gateway(
        "gw",
        "80 HTTP shop.example,*.example",
        "81 HTTP moved.example {httpsRedirect: true}",
        f"443 HTTPS shop.example,other.example {SIMPLE}",
        f"443 HTTPS locked.example {MUTUAL}",
        "443 TLS through.example {mode: PASSTHROUGH}",
        "5432 TCP *",
    )
    + virtual_service(
        "shop",
        "shop.example,locked.example",
        "http: [{name: cart, match: [{uri: {prefix: /cart}, headers: {x-user: {exact: qa}}}], "
        "route: [{destination: {host: 127.0.0.1, port: {number: 80}}}]}, "
        "{name: beta, match: [{uri: {prefix: /beta}}], directResponse: {status: 200}}]",
    )
    + virtual_service("db", "db.example", f"tcp: [{route('127.0.0.1', 5433)}]")
    + virtual_service(
        "through",
        "through.example",
        "tls: [{match: [{sniHosts: [through.example]}], route: [{destination: {host: 127.0.0.1, port: {number: 1}}}]}]",
    )
    + secret("cert", "tls.crt", "tls.key")
    + secret("mutual", "tls.crt", "tls.key", "ca.crt")
)


def snapshot() -> Snapshot:
    """Compile the files."""
    found, problems = compiled(FILES, port_map={80: 8080})
    assert not [each for each in problems if " error: " in each], problems
    return found


class DecisionTests(SynchronousTestCase):
    """The way of a question."""

    def setUp(self) -> None:
        """Decide by one Snapshot."""
        self.decider = Decider(snapshot())

    def decide(self, url: str, *headers: tuple[bytes, bytes], **more: object) -> Decision:
        """Decide what is asked by a URL."""
        question = question_of("GET" if url.startswith("http") else "", url, headers)
        return self.decider.decide(replace(question, **more))  # type: ignore[arg-type]

    def test_route(self) -> None:
        """A request goes by listener, chain and virtual host to a route."""
        found = self.decide("http://shop.example/cart/1?a=b", (b"X-User", b"qa"))
        assert isinstance(found.route, HTTPRoute) and found.virtual_host is not None and found.asked is not None
        self.assertEqual((found.route.name, found.virtual_host.domain), ("cart", "shop.example"))
        self.assertEqual((found.asked.path, found.asked.query), (b"/cart/1", b"a=b"))
        self.assertIsNone(found.fault)

    def test_bound_port(self) -> None:
        """A port that no file has, but that is bound for one, is that one."""
        self.assertIsNotNone(self.decide("http://shop.example:8080/beta").route)

    def test_http2(self) -> None:
        """Over HTTP/2 it is the same."""
        found = self.decide("https://shop.example/cart", (b"X-User", b"qa"), alpn=HTTP2)
        assert found.route is not None and found.asked is not None
        self.assertEqual(found.asked.head.version, "2")

    def test_no_route(self) -> None:
        """Where it ends there is a fault, and what was found before."""
        found = self.decide("http://shop.example/cart/1")
        self.assertEqual((found.fault, found.route), (NO_ROUTE, None))
        assert found.virtual_host is not None
        self.assertEqual(self.decide("http://nobody.test/").virtual_host, None)

    def test_head(self) -> None:
        """What can't be a request is told as it is answered."""
        self.assertEqual(self.decide("http://shop.example/%zz").fault, BAD_PATH)
        asked = replace(question_of("GET", "http://shop.example/"), target=b"https://shop.example/")
        found = self.decider.decide(asked)
        self.assertEqual((found.fault, found.routed), (SCHEME_MISMATCH, False))

    def test_breaks_http2(self) -> None:
        """What breaks HTTP/2 is answered by nothing: its stream is reset. As HTTP/1.1 it is served."""
        for field in ((b"Connection", b"close"), (b"TE", b"gzip")):
            found = self.decide("https://shop.example/beta", field, alpn=HTTP2)
            self.assertEqual((found.refusal, found.fault), (Refusal.MALFORMED, None))
            self.assertIsNotNone(self.decide("https://shop.example/beta", field).route)

    def test_limits(self) -> None:
        """What a gateway that runs does not take is refused as it does."""
        limits = Limits(head_bytes=200, body_bytes=10, underscores=Underscores.REJECT)
        self.decider = Decider(snapshot(), limits=limits)
        self.assertEqual(self.decide("http://shop.example/beta", length=11).fault, BODY_TOO_LARGE)
        self.assertIsNone(self.decide("http://shop.example/beta", length=11).route)
        self.assertIsNotNone(self.decide("http://shop.example/beta", length=10).route)
        self.assertEqual(self.decide("http://shop.example/beta", (b"x-a", b"a" * 200)).fault, HEAD_TOO_LARGE)
        self.assertIsNotNone(self.decide("http://shop.example/beta", (b"x_a", b"a")).fault)

    def test_misdirected(self) -> None:
        """A host of a server with other terms is refused on this one's connection."""
        found = self.decide("https://shop.example/", (b"Host", b"locked.example"))
        self.assertEqual((found.fault, found.owner), (MISDIRECTED, None))
        found = self.decide("https://other.example/beta", (b"Host", b"shop.example"))
        self.assertIsNotNone(found.route)

    def test_redirect(self) -> None:
        """A server that redirects to HTTPS does so before any route."""
        self.assertEqual(self.decide("http://moved.example:81/").redirect_port, 443)

    def test_connection(self) -> None:
        """What no server takes is told by why."""
        for url, refusal in (
            ("http://shop.example:444/", Refusal.NO_LISTENER),
            ("https://nobody.example/", Refusal.UNKNOWN_NAME),
            ("https://10.0.0.1/", Refusal.NO_NAME),
            ("http://shop.example:443/", Refusal.HTTP_IN_THE_CLEAR),
            ("tcp://10.0.0.1:443", Refusal.NOT_TLS),
            ("tcp://10.0.0.1:80", Refusal.NO_REQUEST),
            ("https://shop.example:80/", Refusal.NOT_PLAIN),
            ("https://locked.example/", Refusal.NO_CERTIFICATE),
        ):
            self.assertEqual(self.decide(url).refusal, refusal, url)

    def test_certificate(self) -> None:
        """With a certificate its server serves, and conditions see what is said of it."""
        found = self.decide("https://locked.example/beta", certificate=b"Hash=1")
        assert found.asked is not None and found.route is not None
        self.assertIn((b"x-forwarded-client-cert", b"Hash=1"), found.asked.headers)

    def test_bytes(self) -> None:
        """Connections of bytes have routes of their own."""
        for url in ("tcp://10.0.0.1:5432", "tls://through.example:443"):
            self.assertIsInstance(self.decide(url).route, TCPRoute, url)
        self.assertIsInstance(self.decider.decide(Question(5432, peer=TCPAddress("::1", 1))).route, TCPRoute)


class ChainTests(SynchronousTestCase):
    """Chains by SNI name."""

    def test_agree(self) -> None:
        """A chain is found as the map of contexts finds it, with and without a name."""
        one = chain("one", server_tls(), "a.example", "*.b.example")
        anyone = chain("anyone", server_tls(), "*")
        passed = chain("passed", None, "passed.example")
        for chains in ((one,), (one, passed), (one, anyone), (passed,)):
            served = listener(*chains)
            contexts = ContextMap(served, secrets())
            for name in ("", "a.example", "x.b.example", "passed.example", "nobody.example"):
                found = contexts.lookup(name)
                self.assertIs(chain_by_name(served, name), found[0] if found is not None else None, name)
