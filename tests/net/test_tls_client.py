"""Tests of L{edgegate.net.tls_client}, and of connects that begin with more than TCP: backends are Python's ssl."""

from __future__ import annotations

import socket
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import TestCase

from edgegate.errors import (
    CERTIFICATE_MISNAMED,
    CERTIFICATE_REFUSED,
    CONNECT_REFUSED,
    CONNECT_TIMEOUT,
    TLS_FAILED,
    Fault,
)
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Keepalive
from edgegate.model.tls import UpstreamTLS
from edgegate.net.connecting import Connecting, connect
from edgegate.net.connection_options import ConnectionOptions
from edgegate.net.stream import Stream
from edgegate.net.tls_client import TLSClientStream
from edgegate.net.tls_stream import BACKEND_BATCH
from edgegate.net.wheel import TimerWheel
from edgegate.tls.authority import Authority
from edgegate.tls.client_contexts import ClientContext, Handshakes
from tests.acceptance.processes import tcp_sockets
from tests.net.pairs import Recorder, all_opened, until
from tests.tls.backends import TLSBackend
from tests.tls.handshakes import AUTHORITY, CLIENTS, SERVER, pair

ASK = b"GET / HTTP/1.1\r\nhost: a.example\r\n\r\n"
TRUSTED = UpstreamTLS(authorities=AUTHORITY.own.chain_pem)


class TLSClientTests(TestCase):
    """Connections to a backend."""

    def setUp(self) -> None:
        """Make a wheel that the test turns."""
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, 0.5)
        self.streams: list[Stream] = []
        self.faults: list[Fault] = []
        self.folder = Path(self.mktemp())

    def backend(self, **options: object) -> TLSBackend:
        """Open a backend."""
        backend = TLSBackend(self.folder, **{"certificate": SERVER, **options})  # type: ignore[arg-type]
        self.addCleanup(backend.close)
        return backend

    def connect(self, port: int, options: ConnectionOptions) -> Connecting:
        """Begin to connect."""
        connecting = connect(
            reactor,  # type: ignore[arg-type]
            self.wheel,
            TCPAddress("127.0.0.1", port),
            5.0,
            self.streams.append,
            self.faults.append,
            options,
        )
        self.addCleanup(connecting.cancel)
        return connecting

    async def ask(self, port: int, options: ConnectionOptions) -> Stream:
        """Connect, ask once, and end."""
        count = len(self.streams)
        self.connect(port, options)
        await until(lambda: len(self.streams) > count)
        stream = self.streams[-1]
        recorder = Recorder()
        stream.start(recorder)
        stream.write(ASK)
        await until(lambda: recorder.data.endswith(b"hello"))
        stream.loseConnection()
        await until(lambda: recorder.lost)
        self.assertEqual(recorder.lost, [ConnectionDone])
        return stream

    async def refused(self, backend: TLSBackend, tls: UpstreamTLS, name: str = "a.example") -> Fault:
        """Connect in vain."""
        self.connect(backend.port, ConnectionOptions(tls=Handshakes(ClientContext(tls), name)))
        await until(lambda: self.faults)
        self.clock.pump([0.5] * 10)
        self.assertEqual(self.streams, [])
        return self.faults[0]

    async def test_ready(self) -> None:
        """What is handed over has shaken hands, and knows its key and addresses."""
        backend = self.backend()
        options = ConnectionOptions("key", tls=Handshakes(ClientContext(TRUSTED), "a.example", (b"http/1.1",)))
        stream = await self.ask(backend.port, options)
        assert isinstance(stream, TLSClientStream)
        # less than of a client: it waits for one that may not read
        self.assertEqual(stream._most_at_once(), BACKEND_BATCH)
        self.assertEqual((stream.key, stream.peer), ("key", TCPAddress("127.0.0.1", backend.port)))
        (visit,) = backend.visits
        self.assertEqual((visit.name, visit.alpn, visit.failed), ("a.example", "http/1.1", ""))

    async def test_session(self) -> None:
        """The next connection resumes the session, as the backend sees."""
        backend = self.backend()
        options = ConnectionOptions(tls=Handshakes(ClientContext(TRUSTED), "a.example"))
        for _ in range(3):
            await self.ask(backend.port, options)
        self.assertEqual([visit.reused for visit in backend.visits], [False, True, True])

    async def test_wrong_name(self) -> None:
        """A backend with a certificate for somebody else gets no request."""
        backend = self.backend()
        self.assertEqual(await self.refused(backend, TRUSTED, "shop.example"), CERTIFICATE_MISNAMED)
        await until(lambda: backend.visits[0].failed)
        self.assertEqual(backend.visits[0].requests, 0)

    async def test_stranger(self) -> None:
        """Nor does one that nobody known vouches for."""
        backend = self.backend(certificate=Authority.new("Stranger").server(["a.example"]))
        self.assertEqual(await self.refused(backend, TRUSTED), CERTIFICATE_REFUSED)

    async def test_no_tls(self) -> None:
        """A backend that speaks no TLS."""
        backend = self.backend(certificate=None)
        connecting = self.connect(backend.port, ConnectionOptions(tls=Handshakes(ClientContext(TRUSTED), "a.example")))
        await until(lambda: backend.visits)
        backend.close()
        await until(lambda: self.faults)
        self.assertEqual(self.faults, [TLS_FAILED])
        connecting.cancel()

    async def test_client_certificate(self) -> None:
        """A backend that demands a certificate gets it."""
        backend = self.backend(clients=CLIENTS.own.chain_pem)
        own = ClientContext(UpstreamTLS(authorities=AUTHORITY.own.chain_pem), pair(CLIENTS.client("gateway")))
        await self.ask(backend.port, ConnectionOptions(tls=Handshakes(own, "a.example")))
        self.assertEqual(backend.visits[0].certificate["subject"], ((("commonName", "gateway"),),))

    async def test_client_certificate_missing(self) -> None:
        """A backend that demands a certificate and gets none says so after TLS 1.3's handshake: it is logged then."""
        backend = self.backend(clients=CLIENTS.own.chain_pem)
        said: list[str] = []
        observer = lambda event: said.append(str(event.get("reason")))  # noqa: E731
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        self.connect(backend.port, ConnectionOptions(tls=Handshakes(ClientContext(TRUSTED), "a.example")))
        await until(lambda: self.streams)
        recorder = Recorder()
        self.streams[0].start(recorder)
        await until(lambda: recorder.lost)
        self.assertIn("certificate required", " ".join(said))

    async def test_introduced(self) -> None:
        """The header is the first thing, before TLS and without."""
        for certificate in (SERVER, None):
            backend = self.backend(certificate=certificate, introduced=True)
            tls = None if certificate is None else Handshakes(ClientContext(TRUSTED), "a.example")
            await self.ask(backend.port, ConnectionOptions(header=b"PROXY UNKNOWN\r\n", tls=tls))
            self.assertEqual(backend.visits[0].header, b"PROXY UNKNOWN\r\n")

    async def test_keepalive(self) -> None:
        """The kernel probes."""
        self.connect(self.backend(certificate=None).port, ConnectionOptions(keepalive=Keepalive(time=7.0)))
        await until(lambda: self.streams)
        sock = self.streams[0].detach()
        self.addCleanup(sock.close)
        self.assertTrue(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        self.assertEqual(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE), 7)

    async def silent(self) -> tuple[socket.socket, Connecting]:
        """Begin a handshake with a port that says nothing, and wait until it has the ClientHello."""
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        connecting = self.connect(
            server.getsockname()[1], ConnectionOptions(tls=Handshakes(ClientContext(TRUSTED), "a.example"))
        )
        accepted, _ = server.accept()
        self.addCleanup(accepted.close)
        accepted.setblocking(False)

        def heard() -> bool:
            try:
                return bool(accepted.recv(65536))
            except BlockingIOError:
                return False

        await until(heard)
        return accepted, connecting

    async def test_too_slow(self) -> None:
        """A handshake that takes too long is a connect that takes too long."""
        await self.silent()
        self.clock.pump([0.5] * 8)
        self.assertEqual(self.faults, [])
        self.clock.pump([0.5] * 8)
        self.assertEqual((self.faults, self.streams), ([CONNECT_TIMEOUT], []))

    async def test_cancelled(self) -> None:
        """A handshake can be broken off; nobody is called, and no descriptor is left."""
        accepted, connecting = await self.silent()
        ours, theirs = (f":{address[1]:04X}" for address in (accepted.getpeername(), accepted.getsockname()))
        (inode,) = (row[9] for row in tcp_sockets() if row[1].endswith(ours) and row[2].endswith(theirs))
        self.assertIn(f"socket:[{inode}]", all_opened())
        connecting.cancel()
        connecting.cancel()
        self.assertNotIn(f"socket:[{inode}]", all_opened())
        self.clock.pump([0.5] * 20)
        self.assertEqual((self.faults, self.streams), ([], []))
        accepted.setblocking(True)
        accepted.settimeout(10)
        self.assertEqual(accepted.recv(10), b"")

    async def test_refused(self) -> None:
        """Where nobody listens it never comes to TLS."""
        backend = self.backend()
        backend.close()
        self.assertEqual(await self.refused(backend, TRUSTED), CONNECT_REFUSED)
