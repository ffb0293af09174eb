"""Tests for L{edgegate.http.gateway}."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.tls import ClientVerification, Credential, ServerTLS, TLSRules
from tests.http.conversation import Conversation, https_chain, secure

PAIR = Credential("webapp")
OTHER_PAIR = Credential("catalog")
SIMPLE = ServerTLS((PAIR,))
MUTUAL = ServerTLS((PAIR,), TLSRules(verification=ClientVerification(True, b"ca")))


class SpecialTests(SynchronousTestCase):
    """Requests that no route is asked for."""

    def status(self, request: bytes, hops: int = 0) -> int:
        """Return the status of a response; 0: it is a backend's to give."""
        talk = Conversation(hops=hops)
        client = talk.ask(request)
        return 0 if talk.connects else int(client.sent.split(b" ", 2)[1])

    def test_scheme(self) -> None:
        """A URL with https is not asked for in the clear, unless a trusted proxy has ended TLS (Envoy)."""
        request = b"GET https://web.example/ HTTP/1.1\r\nHost: web.example\r\nX-Forwarded-Proto: https\r\n\r\n"
        self.assertEqual((self.status(request), self.status(request, hops=1)), (403, 0))
        self.assertEqual(self.status(request.replace(b"https://", b"http://")), 0)
        client = Conversation().ask(request)
        self.assertIn(b"connection: close\r\n", client.sent)
        self.assertEqual(client.ended, "closed")

    def test_redirect(self) -> None:
        """Behind a trusted proxy that has ended TLS a redirect to https would lead to itself: the request is served."""
        for field, expected in (
            (b"https", (301, 404)),
            (b"HTTPS", (301, 404)),
            (b"http", (301, 301)),
            (b"ftp", (301, 301)),
        ):
            request = b"GET / HTTP/1.1\r\nHost: moved.example\r\nX-Forwarded-Proto: %b\r\n\r\n" % field
            self.assertEqual((self.status(request), self.status(request, hops=1)), expected, field)


class MisdirectedTests(SynchronousTestCase):
    """Requests for a host of another server."""

    def test_misdirected_answer(self) -> None:
        """The client is told to open a connection of its own."""
        chains = {
            "open.example": https_chain("open.example", SIMPLE),
            "locked.example": https_chain("locked.example", MUTUAL),
        }
        client = Conversation().client(secure(chains, "open.example"))
        client.deliver(b"GET / HTTP/1.1\r\nHost: locked.example\r\n\r\n")
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 421 Misdirected Request\r\n"))


class HTTPGatewayTests(SynchronousTestCase):
    """What connections share."""

    def test_date(self) -> None:
        """The date is one of RFC 9110, made once a second."""
        environment = Conversation().environment
        line = environment.date().h1
        name, value = line.decode().strip().split(": ")
        self.assertEqual(name, "date")
        parsedate_to_datetime(value)
        self.assertTrue(value.endswith(" GMT"))

    def test_route_is_noted(self) -> None:
        """A request that ended says which route and cluster it took."""
        talk = Conversation()
        client = talk.client()
        client.deliver(b"GET / HTTP/1.1\r\nHost: WEB.example.:80\r\n\r\n")
        talk.backend().deliver(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        exchange = talk.ended[0]
        assert exchange.route is not None
        self.assertEqual((exchange.route.name, exchange.cluster), ("r", "web"))
        self.assertEqual(str(exchange.upstream), "10.0.0.1:80")
