"""Tests of L{edgegate.http.health.health_checker}, of servers on this machine."""

from __future__ import annotations

from functools import partial
from typing import Any

from OpenSSL import SSL
from OpenSSL.crypto import FILETYPE_PEM, load_certificate, load_privatekey
from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.policies import WrappingFactory
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import TestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site
from zope.interface import implementer

from edgegate.http.connector import HTTPConnector
from edgegate.http.health.health_checker import HealthChecker, Unreachable, Unwell
from edgegate.http.limits import Limits
from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.model.clusters import Probe
from edgegate.net.connecting import connect
from edgegate.net.stream import Stream
from edgegate.net.wheel import TimerWheel
from edgegate.tls.authority import Authority
from edgegate.upstream.dns.lookups import SystemLookups

reactor: Any = installed


class Page(Resource):
    """Answers every path with the status that it names; C{/endless} without an end, C{/never} not at all."""

    isLeaf = True  # noqa: N815

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []

    def render_GET(self, request: Request) -> Any:
        self.requests.append(request)
        word = request.path.strip(b"/")
        if word == b"never":
            return NOT_DONE_YET
        if word == b"endless":
            request.write(b"x" * 65536)
            return NOT_DONE_YET
        request.setResponseCode(int(word or b"200"))
        request.setHeader("location", "/500")
        request.addCookie("a", "b")
        return b"" if word == b"204" else b"words"


class Reticent(Protocol):
    """Answers, and reads nothing more: not that the other side ends TLS either."""

    def dataReceived(self, data: bytes) -> None:
        transport: Any = self.transport
        transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        transport.transport.pauseProducing()


@implementer(IOpenSSLServerConnectionCreator)
class _Served:
    """The server's side of TLS."""

    def __init__(self, context: SSL.Context) -> None:
        self._context = context

    def serverConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:
        return SSL.Connection(self._context, None)


def secured(factory: Factory) -> TLSMemoryBIOFactory:
    """Speak TLS with a certificate of nobody's."""
    made = Authority.new("Probes").server(["shop.example"])
    context = SSL.Context(SSL.TLS_METHOD)
    context.use_certificate(load_certificate(FILETYPE_PEM, made.chain_pem))
    context.use_privatekey(load_privatekey(FILETYPE_PEM, made.key_pem))
    return TLSMemoryBIOFactory(_Served(context), False, factory)


class AskingTests(TestCase):
    """Real questions."""

    timeout = 5

    def setUp(self) -> None:
        self.wheel = TimerWheel(reactor)
        self.addCleanup(self.wheel.stop)
        connector = HTTPConnector(partial(connect, reactor, self.wheel), self.wheel, Limits())
        self.ask = HealthChecker(connector, self.wheel, SystemLookups(reactor))
        self.page = Page()

    def serve(self, factory: Any) -> TCPAddress:
        wrapped = WrappingFactory(factory)
        port = reactor.listenTCP(0, wrapped, interface="127.0.0.1")
        self.addCleanup(self.end, port, wrapped)
        return TCPAddress("127.0.0.1", port.getHost().port)

    async def end(self, port: Any, factory: WrappingFactory) -> None:
        """Close a port and all connections of it."""
        await port.stopListening()
        for protocol in tuple(factory.protocols):
            protocol.abortConnection()
        while factory.protocols:
            await _turn()
        # the client's end of the last one
        for _ in range(3):
            await _turn()

    def pages(self) -> TCPAddress:
        return self.serve(Site(self.page))

    async def test_statuses(self) -> None:
        """Statuses of 200 to 399 are well; a redirect is not followed, and no cookie is sent back."""
        address = self.pages()
        for status in (200, 204, 301, 399):
            await self.ask(address, Probe(0, f"/{status}"))
        for status in (400, 404, 500, 503):
            with self.assertRaises(Unwell) as caught:
                await self.ask(address, Probe(0, f"{status}"))
            self.assertEqual(str(caught.exception), f"it answers {status}")
        self.assertEqual(len(self.page.requests), 8)
        self.assertFalse(any(request.getHeader("cookie") for request in self.page.requests))

    async def test_headers(self) -> None:
        """The files' header fields are sent, the host among them."""
        address = self.pages()
        await self.ask(address, Probe(0, "/", http_headers=(("Host", "shop.example"), ("X-Probe", "1"))))
        (request,) = self.page.requests
        self.assertEqual([request.getHeader(name) for name in ("host", "x-probe")], ["shop.example", "1"])
        self.assertEqual(request.getHeader("user-agent"), "edgegate-probe")

    async def test_endless(self) -> None:
        """An answer without an end is well when its head is."""
        await self.ask(self.pages(), Probe(0, "/endless"))

    async def test_answered_and_silent(self) -> None:
        """A server that answers, and never closes its side of TLS, is left at once."""
        address = self.serve(secured(Factory.forProtocol(Reticent)))
        await self.ask(address, Probe(0, "/", tls=True))
        while any(isinstance(each, Stream) for each in reactor.getReaders()):
            await _turn()

    async def test_given_up(self) -> None:
        """A question may be given up; its connection ends."""
        address = self.pages()
        asking = self.ask(address, Probe(0, "/never"))
        while not self.page.requests:
            await _turn()
        gone = self.page.requests[0].notifyFinish()
        asking.cancel()
        with self.assertRaises(Exception):  # noqa: B017
            await asking
        with self.assertRaises(Exception):  # noqa: B017
            await gone

    async def test_connections(self) -> None:
        """Whether somebody takes connections."""
        address = self.serve(Factory.forProtocol(Protocol))
        await self.ask(address, Probe(0, tcp=True))
        port = reactor.listenTCP(0, Factory.forProtocol(Protocol), interface="127.0.0.1")
        closed = TCPAddress("127.0.0.1", port.getHost().port)
        await port.stopListening()
        for probe in (Probe(0, tcp=True), Probe(0, "/"), Probe(0, grpc_service="")):
            with self.assertRaises(Unreachable):
                await self.ask(closed, probe)

    async def test_unix(self) -> None:
        """A UNIX socket is asked itself."""
        path = self.mktemp()
        factory = WrappingFactory(Site(self.page))
        self.addCleanup(self.end, reactor.listenUNIX(path, factory), factory)
        await self.ask(UNIXAddress(path), Probe(0, "/"))
        await self.ask(UNIXAddress(path), Probe(0, tcp=True))
        path = self.mktemp()
        factory = WrappingFactory(secured(Site(self.page)))
        self.addCleanup(self.end, reactor.listenUNIX(path, factory), factory)
        await self.ask(UNIXAddress(path), Probe(0, "/", tls=True))

    async def test_by_name(self) -> None:
        """A probe may name a host."""
        address = self.pages()
        await self.ask(TCPAddress("localhost", address.port), Probe(0, "/"))
        (request,) = self.page.requests
        self.assertEqual(request.getHeader("host"), f"localhost:{address.port}")

    async def test_grpc(self) -> None:
        """A server that does not speak gRPC is not healthy."""
        with self.assertRaises(Unwell):
            await self.ask(self.pages(), Probe(0, grpc_service="shop"))


def _turn() -> Deferred[None]:
    turn: Deferred[None] = Deferred()
    reactor.callLater(0, turn.callback, None)
    return turn
