"""Tests of L{edgegate.net.splice}: a client and a backend that are relayed."""

from __future__ import annotations

import os
import socket
import struct

from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from edgegate.net.pipe import PIPES, Pipes
from edgegate.net.splice import SplicedPair
from edgegate.net.wheel import TimerWheel
from tests.net.pairs import all_opened, opened, receive, tcp_pair, until

LARGE = os.urandom(1 << 20) * 6


class SplicedPairTests(TestCase):
    """Bytes both ways, and every end."""

    def setUp(self) -> None:
        """Relay between two ends of the test's."""
        self.clock = Clock()
        self.ends: list[tuple[str, int, int]] = []
        self.relay(*tcp_pair(), *tcp_pair())

    def relay(
        self,
        client: socket.socket,
        one: socket.socket,
        other: socket.socket,
        backend: socket.socket,
        *first: bytes,
        pipes: Pipes = PIPES,
    ) -> None:
        """Begin to relay."""
        self.client, self.backend = client, backend
        self.addCleanup(client.close)
        self.addCleanup(backend.close)
        self.pair = SplicedPair(
            reactor,  # type: ignore[arg-type]
            TimerWheel(self.clock, 0.5),
            one,
            other,
            60.0,
            lambda *end: self.ends.append(end),
            *first,
            pipes=pipes,
        )
        self.addCleanup(self.pair.abort)

    async def carry(self, source: socket.socket, sink: socket.socket, data: bytes) -> None:
        """Send from one end to the other, and end the stream."""
        rest = memoryview(data)
        received = bytearray()
        over = False

        def step() -> bool:
            nonlocal rest, over
            if rest:
                try:
                    rest = rest[source.send(rest[:262144]) :]
                except BlockingIOError:
                    pass
                if not rest:
                    source.shutdown(socket.SHUT_WR)
            got = receive(sink)
            received.extend(got or b"")
            over = over or got == b""
            return over

        await until(step)
        self.assertEqual(len(received), len(data))
        self.assertTrue(received == data)

    async def test_half_close(self) -> None:
        """An end in one direction leaves the other one open; the pair is over when both have ended."""
        await self.carry(self.client, self.backend, b"question")
        self.assertEqual((self.ends, self.pair.piped), ([], False))
        await self.carry(self.backend, self.client, b"answer")
        await until(lambda: self.ends)
        self.assertEqual(self.ends, [("", 8, 6)])

    async def test_large(self) -> None:
        """Much passes whole in both directions, and nothing is left open."""
        pipes = Pipes(4)
        self.addCleanup(pipes.close)
        kept: list[int] = []
        for _ in range(3):
            ends = [*tcp_pair(), *tcp_pair()]
            sockets = opened(*(each.fileno() for each in ends))
            self.relay(ends[0], ends[1], ends[2], ends[3], pipes=pipes)
            await self.carry(self.client, self.backend, LARGE)
            await self.carry(self.backend, self.client, LARGE)
            await until(lambda: self.ends)
            self.assertEqual(self.ends, [("", len(LARGE), len(LARGE))])
            self.client.close()
            self.backend.close()
            self.assertEqual(sockets & all_opened(), set())
            self.assertEqual(pipes.kept, pipes.opened)
            kept.append(pipes.kept)
            self.ends.clear()
        # the pipes of the first pair are kept for those that follow
        self.assertEqual(kept, [1, 1, 1])

    async def test_without_pipes(self) -> None:
        """Where there is no splice, and when there are as many pipes as there may be, bytes are copied."""
        self.ends.clear()
        none = Pipes(0)
        self.relay(*tcp_pair(), *tcp_pair(), pipes=none)
        await self.carry(self.client, self.backend, LARGE)
        self.assertFalse(self.pair.piped)
        await self.carry(self.backend, self.client, LARGE)
        await until(lambda: self.ends)
        self.assertEqual((none.opened, self.ends), (0, [("", len(LARGE), len(LARGE))]))

    async def test_back_pressure(self) -> None:
        """A backend that does not read holds up the client; nothing is collected here."""
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        sent = 0
        quiet = 0

        def talk() -> bool:
            nonlocal sent, quiet
            try:
                sent += self.client.send(b"x" * 65536)
                quiet = 0
            except BlockingIOError:
                quiet += 1
            return quiet > 200

        await until(talk)
        self.assertLess(sent, 64 << 20)
        received = 0

        def read() -> bool:
            nonlocal received
            received += len(receive(self.backend) or b"")
            return received == sent

        await until(read)

    async def test_resets(self) -> None:
        """A connection that breaks resets the other one, and it is told which one it was."""
        for name in ("one", "other"):
            self.ends.clear()
            self.relay(*tcp_pair(), *tcp_pair())
            broken, whole = (self.client, self.backend) if name == "one" else (self.backend, self.client)
            broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            broken.close()
            await until(lambda: self.ends)
            self.assertEqual(self.ends[0][0], name)
            self.assertRaises(ConnectionResetError, receive, whole)

    async def test_idle(self) -> None:
        """Without a byte for too long both are reset; each byte begins anew."""
        for _ in range(3):
            self.clock.pump([0.5] * 100)
            self.client.send(b"x")
            await until(lambda: receive(self.backend))
        self.assertEqual(self.ends, [])
        self.clock.pump([0.5] * 130)
        self.assertEqual(self.ends, [("idle", 3, 0)])
        self.assertRaises(ConnectionResetError, receive, self.client)

    def test_abort(self) -> None:
        """An abort resets both, and is told once."""
        self.pair.abort()
        self.pair.abort()
        self.assertEqual(self.ends, [("aborted", 0, 0)])
        for end in (self.client, self.backend):
            self.assertRaises(ConnectionResetError, receive, end)

    async def test_first(self) -> None:
        """What was read before goes before all else, and counts."""
        self.relay(*tcp_pair(), *tcp_pair(), b"early ", LARGE)
        self.client.send(b"late")
        self.client.shutdown(socket.SHUT_WR)
        received = bytearray()
        await until(lambda: received.extend(receive(self.backend) or b"") or received == b"early late")
        received.clear()
        await until(lambda: received.extend(receive(self.client) or b"") or len(received) == len(LARGE))
        self.backend.shutdown(socket.SHUT_WR)
        await until(lambda: self.ends)
        self.assertTrue(received == LARGE)
        self.assertEqual(self.ends, [("", 10, len(LARGE))])

    async def test_first_to_a_broken_side(self) -> None:
        """A side that is gone before the first byte is told afterwards."""
        client, one = tcp_pair()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        self.relay(client, one, *tcp_pair(), b"", b"hello")
        self.assertEqual(self.ends, [])
        await until(lambda: self.ends)
        self.assertEqual(self.ends, [("one", 0, 0)])

    async def test_unix(self) -> None:
        """A UNIX socket on one side."""
        one, other = socket.socketpair()
        for end in (one, other):
            end.setblocking(False)
        self.relay(*tcp_pair(), one, other)
        await self.carry(self.client, self.backend, LARGE)
        await self.carry(self.backend, self.client, b"answer")
        await until(lambda: self.ends)
        self.assertEqual(self.ends[-1], ("", len(LARGE), 6))
