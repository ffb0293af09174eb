"""Tests of L{edgegate.net.endpoints}: Twisted's protocols on our streams."""

from __future__ import annotations

import socket

from twisted.internet import reactor
from twisted.internet.defer import CancelledError
from twisted.internet.error import CannotListenError, ConnectError, ConnectionRefusedError, TimeoutError
from twisted.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase
from zope.interface.verify import verifyObject

from edgegate.model.addresses import TCPAddress
from edgegate.net.endpoints import StreamClientEndpoint, StreamServerEndpoint
from edgegate.net.stream import Stream
from edgegate.net.wheel import TimerWheel
from tests.net.pairs import Recorder, until


class NobodyFactory(Factory):
    """Serves nobody."""

    def buildProtocol(self, addr: object) -> None:
        return None


class EndpointTests(TestCase):
    """Listening and connecting."""

    def setUp(self) -> None:
        """Make factories that write down what they hear."""
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock)
        self.servers: list[Recorder] = []

    def server_protocol(self) -> Recorder:
        """Return a server's protocol."""
        self.servers.append(Recorder())
        return self.servers[-1]

    def client(self, port: int, timeout: float = 30) -> StreamClientEndpoint:
        """Return what connects."""
        return StreamClientEndpoint(reactor, self.wheel, TCPAddress("127.0.0.1", port), timeout)  # type: ignore[arg-type]

    async def listen(self, factory: Factory) -> int:
        """Open a port."""
        endpoint = StreamServerEndpoint(reactor, self.wheel, TCPAddress("127.0.0.1", 0))  # type: ignore[arg-type]
        verifyObject(IStreamServerEndpoint, endpoint)
        port = await endpoint.listen(factory)
        self.addCleanup(port.stopListening)
        number: int = port.getHost().port  # type: ignore[attr-defined]
        return number

    async def test_talk(self) -> None:
        """A client and a server talk over streams."""
        endpoint = self.client(await self.listen(Factory.forProtocol(self.server_protocol)))
        verifyObject(IStreamClientEndpoint, endpoint)
        client = await endpoint.connect(Factory.forProtocol(Recorder))
        assert isinstance(client, Recorder) and client.transport is not None
        self.assertIsInstance(client.transport, Stream)
        client.transport.write(b"hello")
        await until(lambda: self.servers and self.servers[0].data == b"hello")
        client.transport.loseConnection()
        await until(lambda: client.lost and self.servers[0].lost)

    async def test_errors(self) -> None:
        """Failures are Twisted's."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            taken = other.getsockname()[1]
            with self.assertRaises(CannotListenError):
                await StreamServerEndpoint(reactor, self.wheel, TCPAddress("127.0.0.1", taken)).listen(  # type: ignore[arg-type]
                    Factory.forProtocol(Recorder)
                )
        with self.assertRaises(ConnectionRefusedError):
            await self.client(taken).connect(Factory.forProtocol(Recorder))

    async def test_nobody(self) -> None:
        """A factory that makes no protocol ends the connection, on either side."""
        port = await self.listen(NobodyFactory())
        with self.assertRaises(ConnectError):
            await self.client(port).connect(NobodyFactory())
        client = await self.client(port).connect(Factory.forProtocol(Recorder))
        assert isinstance(client, Recorder)
        await until(lambda: client.lost)

    async def test_too_slow(self) -> None:
        """A connect may time out, and be cancelled."""
        with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
            number = server.getsockname()[1]
            for _ in range(3):
                sock = socket.socket()
                sock.setblocking(False)
                self.addCleanup(sock.close)
                sock.connect_ex(("127.0.0.1", number))
            waiting = self.client(number, 1).connect(Factory.forProtocol(Recorder))
            self.clock.pump([0.5] * 8)
            self.failureResultOf(waiting, TimeoutError)
            waiting = self.client(number).connect(Factory.forProtocol(Recorder))
            waiting.cancel()
            self.failureResultOf(waiting, CancelledError)
