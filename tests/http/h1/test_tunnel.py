"""Tests for L{edgegate.http.h1.tunnel}: what follows on a 101, and what comes before it."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import inf
from random import Random
from typing import Any, cast

from twisted.internet import reactor
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from edgegate.errors import (
    BAD_WEBSOCKET,
    CLIENT_GONE,
    STREAM_IDLE,
    UPSTREAM_CLOSED,
    UPSTREAM_CUT_SHORT,
    UPSTREAM_PROTOCOL,
    Fault,
)
from edgegate.http.connector import HTTPConnector
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.gateway import HTTPGateway
from edgegate.http.h1.tunnel import Tunnel
from edgegate.http.limits import Limits
from edgegate.http.overdue import Overdue
from edgegate.model.actions import NewPath, RequestChanges
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Cluster, Discovery, Endpoint
from edgegate.model.headers import HeaderChanges, Template
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from edgegate.model.policies import Mirror
from edgegate.model.routes import HTTPRoute, WeightedCluster
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.connecting import connect
from edgegate.net.poller import poller
from edgegate.net.stream import Stream
from edgegate.net.tls_stream import TLSStream
from edgegate.net.wheel import TimerWheel
from edgegate.observe.observers import Observers
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, VirtualHost
from edgegate.tls.contexts import server_context
from edgegate.upstream.registry import ClusterRegistry
from tests.http.conversation import ORIGIN, Conversation, plain
from tests.http.h1.test_downstream_connection import GET, OK, POST, steady
from tests.http.test_upgrade import ACCEPT, KEY
from tests.net.pairs import HERE, THERE, attempt, receive, tcp_pair, until
from tests.tls.handshakes import client_context, server_tls

ASK = (
    b"GET /chat HTTP/1.1\r\nHost: web.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: %b\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat, superchat\r\n\r\n" % KEY
)
SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nServer: x\r\n"
    b"Sec-WebSocket-Accept: %b\r\nSec-WebSocket-Protocol: chat\r\n\r\n" % ACCEPT
)
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: %b\r\nsec-websocket-protocol: chat\r\n"
    b"x-envoy-upstream-service-time: 0\r\ndate: now\r\nconnection: upgrade\r\nupgrade: WebSocket\r\n"
    b"server: edgegate\r\n\r\n" % ACCEPT
)
LARGE = os.urandom(1 << 20) * 4


def said(text: str) -> Template:
    """Return a header's value."""
    return Template.parse(text)


def on_route(
    destination: WeightedCluster, mirrors: tuple[Mirror, ...] = (), matches: tuple[HTTPMatch, ...] = ()
) -> ConnectionInfo:
    """Make a client's connection to a gateway with one route."""
    route = HTTPRoute("r", ORIGIN, (destination,), matches, mirrors=mirrors)
    chain = FilterChain("http", ORIGIN, http=HostTable([("*", VirtualHost("*", (route,)))]))
    before = plain()
    return replace(before, listener=replace(before.listener, plain=chain), chain=chain)


class TunnelCase(SynchronousTestCase):
    """A client that asks for an upgrade."""

    def ask(self, request: bytes = ASK, host: bytes = b"web.example") -> None:
        """Ask, and let the connect succeed."""
        self.talk = Conversation()
        self.client = self.talk.client()
        self.client.deliver(request.replace(b"web.example", host))
        self.backend = self.talk.backend()

    def open(self, request: bytes = ASK, host: bytes = b"web.example") -> None:
        """Ask, and be answered 101."""
        self.ask(request, host)
        self.backend.take()
        self.backend.deliver(SWITCH)
        self.assertEqual(steady(self.client.take()), SWITCHED)

    def tunnel(self) -> Tunnel:
        """Return the only one."""
        (found,) = self.talk.environment.connections
        assert isinstance(found, Tunnel)
        return found

    def active(self) -> int:
        """Return how many requests the endpoint carries."""
        cluster = self.talk.clusters.get("web")
        assert cluster is not None
        return cluster.endpoints[0].active

    def over(self, fault: Fault | None, received: int, sent: int, status: int = 101) -> None:
        """Check that the exchange ended once, in this way, and that nothing is left of it."""
        self.client.settle()
        self.backend.settle()
        (exchange,) = self.talk.ended
        self.assertEqual((exchange.status, exchange.fault), (status, fault))
        self.assertEqual((exchange.received, exchange.sent), (received, sent))
        self.assertEqual((self.talk.environment.connections, self.active()), (set(), 0))
        self.talk.advance(400)
        self.assertEqual(self.talk.clock.getDelayedCalls(), [])


class AskingTests(TunnelCase):
    """What a backend is asked, and which answers open a tunnel."""

    def test_said_anew(self) -> None:
        """The backend is asked for what the client asked for, in the gateway's own words."""
        self.ask()
        head = self.backend.sent
        self.assertTrue(head.startswith(b"GET /chat HTTP/1.1\r\nhost: web.example\r\nsec-websocket-key: " + KEY))
        self.assertEqual(head.count(b"connection: upgrade\r\nupgrade: websocket\r\n"), 1)
        self.assertNotIn(b"keep-alive", head)

    def test_h2c(self) -> None:
        """HTTP/2 is never asked for, nor are its settings passed on; what is left is asked for, or nothing."""
        for asked, left in ((b"h2c", b""), (b"HTTP/2.0, h2", b""), (b"h2c, chat/1", b"chat/1"), (b"TLS/1.2", b"")):
            request = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: %b\r\nHTTP2-Settings: AAMA\r\n\r\n" % asked
            self.ask(GET[:-2] + request)
            head = self.backend.sent.lower()
            self.assertNotIn(b"settings", head)
            lines = b"connection: upgrade\r\nupgrade: %b\r\n" % left if left else b""
            self.assertEqual((lines in head, head.count(b"upgrade")), (True, 2 if left else 0), asked)

    def test_ordinary(self) -> None:
        """An Upgrade without the connection option, beside a body, or in HTTP/1.0 is not passed on."""
        for request in (
            GET[:-2] + b"Upgrade: chat\r\n\r\n",
            GET[:-2].replace(b"1.1", b"1.0") + b"Connection: upgrade\r\nUpgrade: chat\r\n\r\n",
            POST[:-2] + b"Connection: upgrade\r\nUpgrade: chat\r\n\r\n0123456789",
            POST[:-2].replace(b"Content-Length: 10", b"Transfer-Encoding: chunked")
            + b"Connection: upgrade\r\nUpgrade: chat\r\n\r\n1\r\na\r\n0\r\n\r\n",
        ):
            self.ask(request)
            self.assertNotIn(b"upgrade", self.backend.sent.lower(), request)
            self.backend.deliver(OK)
            self.assertIn(b" 200 OK\r\n", self.client.sent)

    def test_bad_handshake(self) -> None:
        """A WebSocket handshake without its key is answered 400, and no backend hears of it."""
        talk = Conversation()
        client = talk.client()
        client.deliver(ASK.replace(b"Sec-WebSocket-Key", b"X-Key"))
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 400 Bad Request\r\n"))
        self.assertEqual(([each.fault for each in talk.ended], talk.connects), ([BAD_WEBSOCKET], []))

    def test_refused_by_the_backend(self) -> None:
        """Any other response is an ordinary one, and both connections are kept for the next request."""
        self.ask()
        self.backend.deliver(OK.replace(b"200 OK", b"403 Forbidden"))
        self.assertTrue(self.client.take().startswith(b"HTTP/1.1 403 Forbidden\r\n"))
        self.client.deliver(GET)
        self.assertEqual(len(self.talk.connects), 1)
        self.backend.deliver(OK)
        self.assertEqual((self.client.ended, self.backend.ended), ("", ""))
        self.client.deliver(ASK)
        self.backend.deliver(SWITCH)
        self.assertIsInstance(self.tunnel(), Tunnel)

    def test_early_bytes_are_requests_without_a_101(self) -> None:
        """What came behind a request that was not upgraded is the next request."""
        self.ask(ASK + GET)
        self.backend.take()
        self.backend.deliver(OK)
        self.assertTrue(self.backend.sent.startswith(b"GET / HTTP/1.1\r\n"))

    def test_answers_that_do_not_fit(self) -> None:
        """A 101 that was not asked for, or not like that, is answered 502, and its connection is not used again."""
        for request, answer in (
            (GET, SWITCH),
            (ASK, SWITCH.replace(b"WebSocket\r", b"chat\r")),
            (ASK, SWITCH.replace(b"Upgrade: WebSocket\r\n", b"")),
            (ASK, SWITCH.replace(ACCEPT, KEY)),
            (ASK, SWITCH.replace(b"Server", b"Content-Length: 5\r\nServer")),
            (ASK, SWITCH.replace(b"HTTP/1.1", b"HTTP/1.0")),
            (ASK.replace(b"websocket", b"h2c"), SWITCH.replace(b"WebSocket", b"h2c")),
        ):
            self.ask(request)
            self.backend.deliver(answer + b"behind")
            self.assertTrue(self.client.sent.startswith(b"HTTP/1.1 502 Bad Gateway\r\n"), answer)
            self.assertIn(b"(UPE)", self.client.sent)
            self.assertEqual((self.backend.ended, self.client.ended), ("aborted", ""))
            self.assertEqual([each.fault for each in self.talk.ended], [UPSTREAM_PROTOCOL])
            self.assertEqual(self.active(), 0)
            self.client.deliver(GET)
            self.assertEqual(len(self.talk.connects), 2)

    def test_client_gone_before(self) -> None:
        """A client that does not wait for the 101 gives up the backend's connection."""
        self.ask()
        self.client.reset()
        self.assertEqual(self.backend.ended, "aborted")
        self.over(CLIENT_GONE, 0, 0, status=0)

    def test_backend_gone_before(self) -> None:
        """A backend that dies before the 101 is a backend that did not answer."""
        self.ask()
        self.backend.finish()
        self.assertTrue(self.client.sent.startswith(b"HTTP/1.1 503 Service Unavailable\r\n"))
        self.assertEqual(self.talk.ended[0].fault, UPSTREAM_CLOSED)

    def test_stale_connection(self) -> None:
        """A kept connection that its backend has closed is replaced for an upgrade too."""
        self.ask(GET)
        self.backend.deliver(OK)
        self.client.take()
        self.client.deliver(ASK)
        self.backend.reset()
        self.backend = self.talk.backend()
        self.backend.deliver(SWITCH)
        self.assertEqual(steady(self.client.take()), SWITCHED)


class CopyingTests(TunnelCase):
    """Tunnels of which a side is inside TLS, as far as they can be seen without it."""

    def test_both_ways(self) -> None:
        """Bytes go both ways, untouched, and the exchange ends when both sides have."""
        self.open()
        self.client.deliver(b"GET / HTTP/1.1\r\n\r\n")
        self.backend.deliver(b"HTTP/1.1 200 OK\r\n\r\n")
        self.backend.deliver(b"\x00")
        self.assertEqual(self.backend.take(), b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual(self.client.take(), b"HTTP/1.1 200 OK\r\n\r\n\x00")
        self.assertEqual((self.talk.ended, self.active()), ([], 1))
        self.assertFalse(self.tunnel().spliced)
        self.assertIn("192.0.2.7:4711", repr(self.tunnel()))
        self.client.half_close()
        self.assertEqual((self.backend.ended, self.client.ended), ("half-closed", ""))
        self.backend.deliver(b"bye")
        self.backend.half_close()
        self.assertEqual(self.client.ended, "closed")
        self.backend.finish()
        self.over(None, 18, 23)
        self.assertEqual(self.client.sent, b"bye")

    def test_any_cut(self) -> None:
        """Wherever the 101 and what follows it are cut, the client gets the same."""
        data = SWITCH + b"\x81\x05hello"
        for cut in range(1, len(data)):
            self.ask()
            self.backend.deliver(data[:cut])
            self.backend.deliver(data[cut:])
            self.assertEqual(steady(self.client.sent), SWITCHED + b"\x81\x05hello", cut)

    def test_byte_by_byte(self) -> None:
        """Nor does it matter when both sides send single bytes."""
        self.talk = Conversation()
        self.client = self.talk.client()
        for at in range(len(ASK)):
            self.client.deliver(ASK[at : at + 1])
        self.backend = self.talk.backend()
        for at in range(len(SWITCH)):
            self.backend.deliver(SWITCH[at : at + 1])
        self.assertEqual(steady(self.client.sent), SWITCHED)

    def test_length_of_nothing(self) -> None:
        """A backend that says that its 101 has a body of no bytes is understood."""
        self.ask()
        self.backend.deliver(SWITCH.replace(b"Server", b"Content-Length: 0\r\nServer"))
        self.assertEqual(steady(self.client.take()), SWITCHED)

    def test_hints_before(self) -> None:
        """Hints may come before a 101 too."""
        self.ask()
        self.backend.deliver(b"HTTP/1.1 103 Early Hints\r\n\r\n" + SWITCH)
        self.assertEqual(steady(self.client.sent), b"HTTP/1.1 103 Early Hints\r\n\r\n" + SWITCHED)

    def test_early_bytes(self) -> None:
        """What a client sends before it has seen the 101 is held back, and is the first of the tunnel."""
        self.ask(ASK + b"\x81\x80abcd")
        self.assertFalse(self.client.reading)
        self.assertTrue(self.backend.take().endswith(b"\r\n\r\n"))
        self.backend.deliver(SWITCH + b"\x81\x00")
        self.assertEqual((self.backend.take(), self.client.sent[-2:]), (b"\x81\x80abcd", b"\x81\x00"))
        self.assertTrue(self.client.reading)
        self.client.half_close()
        self.backend.half_close()
        self.backend.finish()
        self.over(None, 6, 2)

    def test_back_pressure(self) -> None:
        """A side that does not read stops the reading of the other."""
        self.open()
        self.assertIs(self.client.producer, self.backend)
        self.assertIs(self.backend.producer, self.client)

    def test_cut(self) -> None:
        """A side that is cut off cuts off the other, and the log names it."""
        for name, fault in (("client", CLIENT_GONE), ("backend", UPSTREAM_CUT_SHORT)):
            self.open()
            cut, other = (self.client, self.backend) if name == "client" else (self.backend, self.client)
            cut.deliver(b"half")
            cut.finish(ConnectionLost)
            self.assertEqual(other.ended, "aborted")
            self.over(fault, *((4, 0) if name == "client" else (0, 4)))

    def test_idle(self) -> None:
        """Without a byte for five minutes it ends; any byte either way begins them anew."""
        self.open()
        for stream in (self.client, self.backend):
            self.talk.advance(290)
            stream.deliver(b"x")
        self.talk.advance(290)
        self.assertEqual(self.client.ended, "")
        self.talk.advance(15)
        self.assertEqual((self.client.ended, self.backend.ended), ("aborted", "aborted"))
        self.over(STREAM_IDLE, 1, 1)

    def test_route_timeout(self) -> None:
        """The route's timeout ends with the 101."""
        self.open(host=b"slow.example")
        self.talk.advance(60)
        self.assertEqual((self.client.ended, self.backend.ended), ("", ""))
        self.ask(host=b"slow.example")
        self.talk.advance(6)
        self.assertTrue(self.client.sent.startswith(b"HTTP/1.1 504 "))

    def test_drain(self) -> None:
        """A drain lets it go on; the end of the drain resets it."""
        self.open()
        self.talk.gateway.drain()
        self.tunnel().retire()
        self.tunnel().move(plain())
        self.client.deliver(b"still here")
        self.assertEqual(self.backend.take(), b"still here")
        self.talk.gateway.abort()
        self.assertEqual((self.client.ended, self.backend.ended), ("aborted", "aborted"))
        self.over(None, 10, 0)

    def test_not_kept(self) -> None:
        """The connections carry nothing but the tunnel, and no pool has them."""
        self.open()
        other = self.talk.client()
        other.deliver(GET)
        self.assertEqual(len(self.talk.connects), 2)


class RouteTests(TunnelCase):
    """Upgrades on routes that do more than to send requests on."""

    def test_changes(self) -> None:
        """What a route changes of requests and answers, it changes of these as well."""
        asked = RequestChanges(NewPath(b"/rooms"), b"chat.internal", (HeaderChanges(set=((b"x-room", said("1")),)),))
        answered = HeaderChanges(set=((b"x-by", said("me")),), remove=(b"sec-websocket-protocol",))
        self.talk = Conversation()
        self.client = self.talk.client(on_route(WeightedCluster("web", 1, asked, (answered,))))
        self.client.deliver(ASK)
        self.backend = self.talk.backend()
        head = self.backend.take()
        self.assertTrue(head.startswith(b"GET /rooms HTTP/1.1\r\nhost: chat.internal\r\n"), head)
        self.assertIn(b"connection: upgrade\r\nupgrade: websocket\r\n", head)
        self.backend.deliver(SWITCH)
        answer = self.client.take()
        self.assertTrue(answer.startswith(b"HTTP/1.1 101 Switching Protocols\r\n"))
        self.assertIn(b"\r\nx-by: me\r\n", answer)
        self.assertIn(b"\r\nconnection: upgrade\r\nupgrade: WebSocket\r\n", answer)
        self.assertNotIn(b"sec-websocket-protocol", answer)

    def test_lasts(self) -> None:
        """A tunnel may take any time, whatever a request may."""
        self.open()
        for connection in tuple(self.talk.environment.connections):
            connection.end_overdue(Overdue(inf, 0.0, 0.0))
        self.assertEqual((self.client.ended, self.talk.ended), ("", []))

    def test_match(self) -> None:
        """A route can take WebSockets alone."""
        sockets = HTTPMatch(headers=(("upgrade", StringMatch(Kind.EXACT, "websocket")),))
        for request, status in ((ASK, 101), (ASK.replace(b"Upgrade: websocket", b"X: y"), 404), (GET, 404)):
            self.talk = Conversation()
            self.client = self.talk.client(on_route(WeightedCluster("web", 1), matches=(sockets,)))
            self.client.deliver(request)
            if self.talk.connects:
                self.talk.backend().deliver(SWITCH)
            self.assertTrue(self.client.sent.startswith(b"HTTP/1.1 %d " % status), request)

    def test_no_mirror(self) -> None:
        """A request for an upgrade is not copied to mirrors; one after it is."""
        self.talk = Conversation()
        self.client = self.talk.client(on_route(WeightedCluster("web", 1), mirrors=(Mirror("web"),)))
        self.client.deliver(ASK)
        self.assertEqual(len(self.talk.connects), 1)
        self.backend = self.talk.backend()
        self.backend.deliver(OK)
        self.client.deliver(GET)
        self.assertEqual(len(self.talk.connects), 2)

    def test_mirror_that_switches(self) -> None:
        """A mirror that answers 101 was not asked to, and loses its connection."""
        self.talk = Conversation()
        self.client = self.talk.client(on_route(WeightedCluster("web", 1), mirrors=(Mirror("web"),)))
        self.client.deliver(GET)
        shadow, backend = (connect.accept() for connect in self.talk.connects)
        shadow.deliver(SWITCH)
        self.assertEqual((shadow.ended, len(self.talk.environment.shadows)), ("aborted", 0))
        backend.deliver(OK)
        self.assertIn(b"HTTP/1.1 200 OK", self.client.sent)


class SocketTests(TestCase):
    """Tunnels on real sockets."""

    def setUp(self) -> None:
        """Listen as a backend."""
        self.server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.server.close)
        self.server.setblocking(False)
        self.watcher = poller(reactor)  # type: ignore[arg-type]
        self.wheel = TimerWheel(Clock(), 0.5)
        self.ended: list[Exchange] = []
        clusters = ClusterRegistry(cast(Any, None), self.wheel, Random(1))
        members = (Endpoint(TCPAddress("127.0.0.1", self.server.getsockname()[1])),)
        clusters.update({"web": Cluster("web", Discovery.STATIC, ORIGIN, 2.0)}, {"web": members})
        self.environment = HTTPEnvironment(
            HTTPConnector(partial(connect, self.watcher, self.wheel), self.wheel, Limits()),
            self.wheel,
            clusters,
            Observers([self]),
        )
        self.gateway = HTTPGateway(self.environment)
        self.addCleanup(lambda: until(lambda: not self.environment.connections))
        self.addCleanup(self.gateway.abort)
        self.sock, self.client = tcp_pair()
        self.addCleanup(self.client.close)

    def request_ended(self, exchange: Exchange) -> None:
        self.ended.append(exchange)

    async def inside_tls(self) -> ssl.SSLSocket:
        """Shake hands as a client, and speak HTTP from then on."""
        stream = TLSStream(self.watcher, self.wheel, self.sock, HERE, THERE, server_context(server_tls()))
        done: list[str] = []
        stream.handshake(lambda: done.append("done"), done.append)
        client = client_context().wrap_socket(self.client, server_hostname="a.example", do_handshake_on_connect=False)
        self.addCleanup(client.close)
        await until(lambda: attempt(client.do_handshake))
        await until(lambda: done)
        stream.start(self.gateway.connection(plain()))
        return client

    async def answer(
        self, client: socket.socket, behind: bytes, before: Callable[[], None] = lambda: None
    ) -> socket.socket:
        """Let the client ask and send something too early; answer it as a backend would."""
        await until(lambda: attempt(lambda: client.send(ASK + b"early ")))
        accepted: list[socket.socket] = []

        def accept() -> bool:
            try:
                accepted.append(self.server.accept()[0])
            except BlockingIOError:
                return False
            return True

        await until(accept)
        (backend,) = accepted
        self.addCleanup(backend.close)
        backend.setblocking(False)
        await until(lambda: receive(backend))
        before()
        backend.send(SWITCH + behind)
        return backend

    async def carry(self, source: socket.socket, sink: socket.socket, first: bytes, data: bytes) -> None:
        """Send from one end to the other, then end the stream as plain sockets do."""
        rest = memoryview(data)
        received = bytearray()

        def step() -> bool:
            nonlocal rest
            if rest:
                rest = rest[_some(lambda: source.send(rest[:65536])) or 0 :]
            received.extend(_some(lambda: sink.recv(1 << 20)) or b"")
            return not rest and len(received) >= len(first) + len(data)

        await until(step)
        self.assertTrue(received == first + data)

    async def test_spliced(self) -> None:
        """Where both sides are plain the sockets are handed over, and much is moved by the kernel."""
        Stream(self.watcher, self.sock, HERE, THERE).start(self.gateway.connection(plain()))
        backend = await self.answer(self.client, b"greeting ")
        head = bytearray()
        await until(lambda: head.extend(receive(self.client) or b"") or head.endswith(b"greeting "))
        self.assertEqual(steady(bytes(head)), SWITCHED + b"greeting ")
        (tunnel,) = self.environment.connections
        assert isinstance(tunnel, Tunnel)
        self.assertTrue(tunnel.spliced)
        self.assertNotIn("in pipes", repr(tunnel))
        await self.carry(self.client, backend, b"early ", LARGE)
        await self.carry(backend, self.client, b"", LARGE)
        self.assertIn("in pipes", repr(tunnel))
        self.client.shutdown(socket.SHUT_WR)
        await until(lambda: receive(backend) == b"")
        backend.shutdown(socket.SHUT_WR)
        await until(lambda: self.ended)
        (exchange,) = self.ended
        self.assertEqual((exchange.status, exchange.fault), (101, None))
        self.assertEqual((exchange.received, exchange.sent), (len(LARGE) + 6, len(LARGE) + 9))
        self.assertEqual(self.environment.connections, set())

    async def test_spliced_resets(self) -> None:
        """A backend that dies is named, and the client is reset."""
        Stream(self.watcher, self.sock, HERE, THERE).start(self.gateway.connection(plain()))
        backend = await self.answer(self.client, b"")
        await until(lambda: receive(self.client))
        backend.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        backend.close()
        await until(lambda: self.ended)
        self.assertEqual(self.ended[0].fault, UPSTREAM_CUT_SHORT)
        self.assertRaises(ConnectionResetError, receive, self.client)

    async def test_client_gone_at_the_101(self) -> None:
        """A client whose connection breaks when the 101 is written to it is the one to blame."""
        stream = Stream(self.watcher, self.sock, HERE, THERE)
        stream.start(self.gateway.connection(plain()))
        backend = await self.answer(self.client, b"", lambda: self.sock.shutdown(socket.SHUT_WR))
        await until(lambda: self.ended)
        self.assertEqual([(each.status, each.fault) for each in self.ended], [(101, CLIENT_GONE)])
        # what was sent too early may have come before
        self.assertRaises(ConnectionResetError, lambda: [receive(backend) for _ in range(2)])
        self.assertEqual(self.environment.connections, set())

    async def test_spliced_drain(self) -> None:
        """The end of a drain resets both sides."""
        Stream(self.watcher, self.sock, HERE, THERE).start(self.gateway.connection(plain()))
        backend = await self.answer(self.client, b"")
        await until(lambda: receive(self.client))
        self.gateway.drain()
        await until(lambda: receive(backend))
        self.gateway.abort()
        self.assertEqual([each.fault for each in self.ended], [None])
        for end in (self.client, backend):
            self.assertRaises(ConnectionResetError, receive, end)

    async def test_inside_tls(self) -> None:
        """A client inside TLS reaches a plain backend, much goes both ways, and its close_notify is an end."""
        client = await self.inside_tls()
        backend = await self.answer(client, b"greeting ")
        head = bytearray()
        await until(lambda: head.extend(_some(lambda: client.recv(65536)) or b"") or head.endswith(b"greeting "))
        (tunnel,) = self.environment.connections
        assert isinstance(tunnel, Tunnel)
        self.assertFalse(tunnel.spliced)
        await self.carry(client, backend, b"early ", LARGE)
        await self.carry(backend, client, b"", LARGE)
        backend.shutdown(socket.SHUT_WR)
        await until(lambda: _some(lambda: client.recv(1)) == b"")
        await until(lambda: attempt(client.unwrap))
        await until(lambda: self.ended)
        self.assertEqual((self.ended[0].fault, self.ended[0].received), (None, len(LARGE) + 6))

    async def test_slow_reader(self) -> None:
        """A client that stops reading holds up its backend; nothing is collected."""
        Stream(self.watcher, self.sock, HERE, THERE).start(self.gateway.connection(plain()))
        await self.blocks(await self.answer(self.client, b""))

    async def test_slow_reader_inside_tls(self) -> None:
        """So does one inside TLS."""
        await self.blocks(await self.answer(await self.inside_tls(), b""))

    async def blocks(self, backend: socket.socket) -> None:
        """Send until nothing is taken any more."""
        sent = quiet = 0

        def talk() -> bool:
            nonlocal sent, quiet
            taken = _some(lambda: backend.send(b"x" * 65536))
            sent, quiet = sent + (taken or 0), 0 if taken else quiet + 1
            return quiet > 200

        await until(talk)
        self.assertLess(sent, 64 << 20)


def _some(action: Callable[[], Any]) -> Any:
    """Return what a socket gives; L{None} where it would wait."""
    try:
        return action()
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return None
