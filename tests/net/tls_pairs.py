"""A server's stream inside TLS whose client is the test."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from edgegate.net.tls_stream import TLSStream
from edgegate.net.wheel import TimerWheel
from edgegate.tls.contexts import server_context
from tests.net.pairs import HERE, THERE, Recorder, attempt, tcp_pair, until
from tests.tls.handshakes import client_context, server_tls


class TLSTestCase(TestCase):
    """One stream, whose client is the test."""

    def setUp(self) -> None:
        """Connect."""
        self.clock = Clock()
        self.ours, self.theirs = tcp_pair()
        self.addCleanup(self.ours.close)
        self.ends: list[str] = []
        context = server_context(server_tls(alpn=(b"h2", b"http/1.1")))
        wheel = TimerWheel(self.clock, 0.5)
        self.stream = TLSStream(reactor, wheel, self.ours, HERE, THERE, context)  # type: ignore[arg-type]

    def wrap(self, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        """Make the client's side of TLS."""
        client = (context or client_context()).wrap_socket(
            self.theirs, server_hostname="a.example", do_handshake_on_connect=False
        )
        self.addCleanup(client.close)
        return client

    def shake(self) -> None:
        """Begin the server's side of the handshake."""
        self.stream.handshake(lambda: self.ends.append("done"), self.ends.append)

    async def start(self, protocol: Recorder, context: ssl.SSLContext | None = None) -> tuple[ssl.SSLSocket, Any]:
        """Shake hands, and give the stream its protocol."""
        client = self.wrap(context)
        self.shake()
        await until(lambda: attempt(client.do_handshake))
        await until(lambda: self.ends)
        self.assertEqual(self.ends, ["done"])
        self.stream.start(protocol)
        self.addCleanup(lambda: until(lambda: self.stream.disconnected))
        self.addCleanup(self.stream.abortConnection)
        return client, protocol

    async def read(self, client: ssl.SSLSocket, size: int) -> bytes:
        """Read so much, or to the end."""
        data = bytearray()

        def step() -> bool:
            piece = None
            try:
                while len(data) < size and (piece := client.recv(65536)):
                    data.extend(piece)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return False
            return len(data) >= size or piece == b""

        await until(step)
        return bytes(data)

    def sender(self, client: ssl.SSLSocket, data: bytes) -> Callable[[], bool]:
        """Return a step that sends what the kernel takes; it tells whether everything is sent."""
        rest = memoryview(data)

        def step() -> bool:
            nonlocal rest
            try:
                while rest:
                    rest = rest[client.send(rest[:65536]) :]
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                pass
            return not rest

        return step
