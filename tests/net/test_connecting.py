"""Tests of L{edgegate.net.connecting}, on real sockets."""

from __future__ import annotations

import socket
from unittest import skipUnless

from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from edgegate.errors import CONNECT_FAILED, CONNECT_REFUSED, CONNECT_TIMEOUT, TLS_FAILED, Fault
from edgegate.model.addresses import Address, TCPAddress, UNIXAddress
from edgegate.net.connecting import Connecting, connect
from edgegate.net.connection_options import ConnectionOptions
from edgegate.net.sockets import NewSocket
from edgegate.net.ssl_request import SSL_REQUEST
from edgegate.net.stream import Stream
from edgegate.net.wheel import TimerWheel
from tests.acceptance.processes import tcp_sockets, wait_until
from tests.net.pairs import PACED, control, paced_socket, receive, until


def connecting(address: TCPAddress) -> int:
    """Return how many sockets of this machine are about to connect to an address (C{SYN_SENT}, proc_net_tcp)."""
    port = f":{address.port:04X}"
    # the kernel tells of one twice where others come and go while it is read
    return len({local for _, local, remote, state, *_ in tcp_sockets() if state == "02" and remote.endswith(port)})


class ConnectingTests(TestCase):
    """Connects, and how they end."""

    def setUp(self) -> None:
        """Make a wheel that the test turns."""
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, 0.5)
        self.streams: list[Stream] = []
        self.faults: list[Fault] = []

    def connect(
        self,
        address: Address,
        timeout: float = 5.0,
        options: ConnectionOptions | None = None,
        new_socket: NewSocket = socket.socket,
    ) -> Connecting:
        """Begin to connect."""
        before = len(self.streams) + len(self.faults)
        connecting = connect(
            reactor,
            self.wheel,
            address,
            timeout,
            self.streams.append,
            self.faults.append,  # type: ignore[arg-type]
            options,
            new_socket,
        )
        self.assertEqual(len(self.streams) + len(self.faults), before, "nobody is called from inside the call")
        self.addCleanup(connecting.cancel)
        return connecting

    def listen(self) -> tuple[socket.socket, TCPAddress]:
        """Open a port."""
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        return server, TCPAddress("127.0.0.1", server.getsockname()[1])

    async def test_connected(self) -> None:
        """The stream knows both addresses, and sends small pieces at once."""
        server, address = self.listen()
        self.connect(address)
        await until(lambda: self.streams)
        (stream,) = self.streams
        accepted, name = server.accept()
        self.addCleanup(accepted.close)
        self.assertEqual((stream.peer, stream.local), (address, TCPAddress(*name)))
        sock = stream.detach()
        self.addCleanup(sock.close)
        self.assertTrue(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    @skipUnless(PACED, "no socket of this machine may be paced")
    async def test_unpaced(self) -> None:
        """What goes over loopback is not paced, from its first byte."""
        _server, address = self.listen()
        self.connect(address, new_socket=paced_socket)
        await until(lambda: self.streams)
        sock = self.streams[0].detach()
        self.addCleanup(sock.close)
        self.assertEqual(control(sock), "reno")

    async def test_ssl_request(self) -> None:
        """A backend that is asked for TLS as PostgreSQL is must be willing; nothing behind its answer is taken."""
        for answer, fault in ((b"S", None), (b"N", TLS_FAILED), (b"E", TLS_FAILED), (b"", CONNECT_FAILED)):
            server, address = self.listen()
            options = ConnectionOptions("key", b"PROXY UNKNOWN\r\n", ssl_request=True)
            self.connect(address, options=options)
            backend, _ = server.accept()
            self.addCleanup(backend.close)
            backend.settimeout(10)
            got = b""

            def asked() -> bool:
                nonlocal got
                backend.setblocking(False)  # noqa: B023
                got += receive(backend) or b""  # noqa: B023
                return len(got) == 23

            await until(asked)
            self.assertEqual(got, b"PROXY UNKNOWN\r\n" + SSL_REQUEST)
            self.assertEqual((self.streams, self.faults), ([], []))
            backend.send(answer and answer + b"hello")
            if not answer:
                backend.close()
            await until(lambda: self.streams or self.faults)
            self.assertEqual(self.faults, [] if fault is None else [fault])
            if fault is None:
                stream = self.streams.pop()
                self.assertEqual(stream.key, "key")
                sock = stream.detach()
                self.assertEqual(sock.recv(10), b"hello")
                sock.close()
            self.faults.clear()

    async def test_ssl_request_unanswered(self) -> None:
        """The connect's deadline is for the answer too; and it can be cancelled meanwhile."""
        server, address = self.listen()
        for cancelled in (False, True):
            connecting = self.connect(address, options=ConnectionOptions(ssl_request=True))
            backend, _ = server.accept()
            self.addCleanup(backend.close)
            self.assertEqual(await deferToThread(backend.recv, 8), SSL_REQUEST)
            if cancelled:
                connecting.cancel()
            self.clock.pump([0.5] * 20)
            self.assertEqual(self.faults, [CONNECT_TIMEOUT])
            self.assertEqual(await deferToThread(backend.recv, 8), b"")

    async def test_unix(self) -> None:
        """A UNIX socket."""
        path = self.mktemp()
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
            server.listen()
            self.connect(UNIXAddress(path))
            await until(lambda: self.streams)
            self.streams[0].detach().close()

    async def test_refused(self) -> None:
        """A port that nothing listens on, a socket file that is not there or that nobody answers at."""
        server, address = self.listen()
        server.close()
        self.connect(address)
        await until(lambda: self.faults)
        path = self.mktemp()
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(path)
        for name in (path, self.mktemp()):
            self.connect(UNIXAddress(name))
            self.clock.advance(0)
        self.assertEqual(self.faults[:2], [CONNECT_REFUSED, CONNECT_REFUSED])
        self.assertEqual(len(self.faults), 3)

    def test_impossible(self) -> None:
        """What can't be tried fails too, on a later turn."""
        for address in (TCPAddress("backend.example", 80), UNIXAddress("/" + "x" * 200)):
            self.connect(address)
            self.clock.advance(0)
        self.assertEqual(self.faults, [CONNECT_FAILED] * 2)

    def full(self) -> TCPAddress:
        """Return the address of a port whose backlog is full: its kernel answers nobody."""
        server, address = self.listen()
        server.listen(0)
        for _ in range(3):
            sock = socket.socket()
            sock.setblocking(False)
            self.addCleanup(sock.close)
            sock.connect_ex((address.host, address.port))
        return address

    def test_too_slow(self) -> None:
        """A connect that takes too long is given up."""
        self.connect(self.full(), 2.0)
        self.clock.pump([0.5] * 4)
        self.assertEqual(self.faults, [])
        self.clock.pump([0.5] * 4)
        self.assertEqual(self.faults, [CONNECT_TIMEOUT])

    def test_cancelled(self) -> None:
        """Nobody is called after it was cancelled, and no descriptor is left."""
        address = self.full()
        before = connecting(address)
        for cancelled in (self.connect(address), self.connect(TCPAddress("backend.example", 80))):
            cancelled.cancel()
            cancelled.cancel()
        self.clock.pump([0.5] * 20)
        self.assertEqual((self.streams, self.faults), ([], []))
        wait_until(lambda: connecting(address) == before)
