"""Tests of L{edgegate.downstream.proxy_protocol}: connections from a load balancer in front."""

from __future__ import annotations

import socket
from ipaddress import ip_network

from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase

from edgegate.downstream.listener import DownstreamListener
from edgegate.downstream.proxy_protocol import ProxyProtocolRules
from edgegate.downstream.tls_inspector import PATIENCE
from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.model.clusters import ProxyHeader
from edgegate.net.proxy_protocol import header
from edgegate.routing.snapshot import Listener
from tests.downstream.arriving import PLAIN, SNI, TCP, ArrivingCase, listener
from tests.net.pairs import until
from tests.tls.hellos import real

NEAR = (ip_network("127.0.0.0/8"), ip_network("fd00::/8"))
PEER, LOCAL = TCPAddress("203.0.113.7", 4711), TCPAddress("192.0.2.1", 443)
V1, V2 = header(ProxyHeader.V1, PEER, LOCAL), header(ProxyHeader.V2, PEER, LOCAL)


class IntroductionsTests(SynchronousTestCase):
    """Who is believed."""

    def test_networks(self) -> None:
        """Addresses of the networks that are named, zones aside, and nobody on a UNIX socket."""
        proxy_protocol = ProxyProtocolRules({443: False}, NEAR)
        for host, expected in (("127.9.9.9", True), ("fd00::1", True), ("fd00::1%2", True), ("10.0.0.1", False)):
            self.assertEqual(proxy_protocol.believed(TCPAddress(host, 1)), expected, host)
        self.assertFalse(proxy_protocol.believed(UNIXAddress("/run/lb")))
        self.assertFalse(ProxyProtocolRules().believed(TCPAddress("127.0.0.1", 1)))


class IntroducingTests(ArrivingCase):
    """What becomes of a connection that is to be introduced."""

    def open_for(self, served: Listener, optional: bool = False, near: bool = True) -> DownstreamListener:
        """Open a port."""
        return self.open(
            served, ProxyProtocolRules({served.port: optional}, NEAR if near else (ip_network("10.0.0.0/8"),))
        )

    async def reasons(self) -> list[str]:
        """Return why connections were closed."""
        await until(lambda: self.observer.rejected)
        return [each.reason for each in self.observer.rejected]

    async def test_http(self) -> None:
        """HTTP is the told client's, and its first bytes are those after the header."""
        for count, written in enumerate((V1, V2), 1):
            port = self.open_for(listener(PLAIN))
            self.connect().sendall(written + b"GET /")
            await until(lambda count=count: len(self.http.connections) == count)
            downstream, connection = self.http.connections[-1]
            await until(lambda connection=connection: connection.data)
            self.assertEqual((downstream.peer, downstream.local, connection.data), (PEER, LOCAL, b"GET /"))
            introducer = downstream.introducer
            assert isinstance(introducer, TCPAddress)
            self.assertEqual(introducer.host, "127.0.0.1")
            self.assertEqual(port.pending, set())
            self.clean()

    async def test_byte_by_byte(self) -> None:
        """A header may come in any number of pieces."""
        self.open_for(listener(PLAIN))
        client = self.connect()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def drip() -> None:
            for at in range(len(V1)):
                client.sendall(V1[at : at + 1])

        await deferToThread(drip)
        client.sendall(b"GET /")
        await until(lambda: self.http.connections and self.http.connections[0][1].data == b"GET /")
        self.assertEqual(self.http.connections[0][0].peer, PEER)

    async def test_tls(self) -> None:
        """A ClientHello may follow; it is looked at as ever."""
        self.open_for(listener(None, SNI))
        hello = real("c.example")
        self.connect().sendall(V2 + hello)
        await until(lambda: self.tcp.sockets)
        downstream, sock = self.tcp.sockets[0]
        self.assertEqual((downstream.peer, downstream.server_name), (PEER, "c.example"))
        sock.setblocking(True)
        self.assertEqual(sock.recv(65536), hello)

    async def test_check_of_health(self) -> None:
        """A connection of the load balancer's own keeps its own addresses."""
        self.open_for(listener(TCP))
        client = self.connect()
        client.sendall(header(ProxyHeader.V2, None, None))
        await until(lambda: self.tcp.sockets)
        self.assertEqual(self.tcp.sockets[0][0].peer, TCPAddress(*client.getsockname()))

    async def test_not_believed(self) -> None:
        """Whoever else connects is closed, whatever it says."""
        self.open_for(listener(PLAIN), near=False)
        client = self.connect()
        client.sendall(V1)
        self.assertEqual(await self.reasons(), ["not of a network that may introduce clients"])
        self.assertEqual((self.http.connections, self.observer.taken), ([], 1))

    async def test_not_believed_optional(self) -> None:
        """Where a header is optional, whoever else connects is taken as it is, and its header is no header."""
        self.open_for(listener(PLAIN), optional=True, near=False)
        client = self.connect()
        client.sendall(V1)
        await until(lambda: self.http.connections and self.http.connections[0][1].data == V1)
        self.assertEqual(self.http.connections[0][0].peer, TCPAddress(*client.getsockname()))

    async def test_missing(self) -> None:
        """No header where one must be."""
        self.open_for(listener(PLAIN))
        self.connect().sendall(b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual(await self.reasons(), ["no PROXY header"])

    async def test_missing_optional(self) -> None:
        """No header where none must be."""
        self.open_for(listener(PLAIN), optional=True)
        self.connect().sendall(b"GET / HTTP/1.1\r\n\r\n")
        await until(lambda: self.http.connections and self.http.connections[0][1].data.startswith(b"GET /"))

    async def test_malformed(self) -> None:
        """A header that breaks the protocol ends the connection, optional or not."""
        self.open_for(listener(PLAIN), optional=True)
        client = self.connect()
        client.sendall(b"PROXY TCP4 nobody nowhere 1 2\r\n")
        self.assertEqual(await self.reasons(), ["malformed PROXY header: bad address"])
        self.assertEqual(self.http.connections, [])

    async def test_slow(self) -> None:
        """Header and ClientHello have one patience together."""
        port = self.open_for(listener(None, SNI))
        silent, late = self.connect(), self.connect()
        await until(lambda: len(port.pending) == 2)
        self.clock.pump([0.5] * int(PATIENCE))
        late.sendall(V1)
        await until(lambda: any(type(each).__name__ == "TLSInspector" for each in port.pending))
        self.clock.pump([0.5] * int(PATIENCE + 4))
        self.assertEqual([each.reason for each in self.observer.rejected], ["timeout"] * 2)
        self.assertEqual(port.pending, set())
        self.assertEqual(await deferToThread(silent.recv, 1), b"")

    async def test_port_ends(self) -> None:
        """Who is not introduced when the port is closed is closed too."""
        port = self.open_for(listener(PLAIN))
        client = self.connect()
        await until(lambda: port.pending)
        port.abort()
        self.assertEqual((await deferToThread(client.recv, 1), port.pending), (b"", set()))
