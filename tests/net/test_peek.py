"""Tests of L{edgegate.net.peek}."""

from __future__ import annotations

import fcntl
import socket
import struct
import sys
import termios

from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from edgegate.net.peek import LIMIT, Peek
from edgegate.net.wheel import TimerWheel
from tests.net.pairs import receive, tcp_pair, until


def held(sock: socket.socket) -> int:
    """Return how many bytes the kernel holds for a socket."""
    return int.from_bytes(fcntl.ioctl(sock, termios.FIONREAD, bytes(4)), sys.byteorder)


class PeekTests(TestCase):
    """Looking without taking."""

    def setUp(self) -> None:
        """Connect."""
        self.clock = Clock()
        self.looks: list[bytes] = []
        self.ends: list[str] = []
        self.wanted = 5
        self.ours, self.theirs = tcp_pair()
        self.addCleanup(self.ours.close)
        self.addCleanup(self.theirs.close)

    def peek(self) -> Peek:
        """Begin to look, until as many bytes are there as are wanted."""
        peek = Peek(
            reactor,  # type: ignore[arg-type]
            TimerWheel(self.clock, 0.01),
            self.ours,
            self.needed,
            lambda: self.ends.append("done"),
            self.ends.append,
        )
        peek.start(10)
        self.addCleanup(peek.cancel)
        return peek

    def needed(self, data: bytes) -> int | None:
        """Tell how many bytes must be there."""
        self.looks.append(data)
        return None if len(data) >= self.wanted else self.wanted

    def mark(self) -> int:
        """Return the socket's low-water mark."""
        return self.ours.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT)

    async def test_untouched(self) -> None:
        """Everything is still there afterwards, and the socket is as it was."""
        self.theirs.send(b"hello, all")
        self.peek()
        await until(lambda: self.ends)
        self.assertEqual((self.ends, self.looks), (["done"], [b"hello, all"]))
        self.assertEqual((receive(self.ours), self.mark()), (b"hello, all", 1))

    async def test_taken(self) -> None:
        """What was seen can be taken, and answered, until the connection is broken."""
        self.theirs.send(b"hello, all")
        peek = self.peek()
        await until(lambda: self.ends)
        self.assertEqual((peek.take(5), peek.reply(b"yes"), receive(self.theirs)), (b"hello", True, b"yes"))
        self.ours.close()
        self.assertEqual((peek.take(5), peek.reply(b"no")), (b"", False))

    async def test_in_pieces(self) -> None:
        """A client that sends byte by byte wakes us only when there is enough."""
        self.peek()
        for byte in b"hell":
            self.theirs.send(bytes([byte]))
            await until(lambda: self.looks)
        self.theirs.send(b"o")
        await until(lambda: self.ends)
        self.assertEqual(self.ends, ["done"])
        self.assertLessEqual(len(self.looks), 3)

    async def test_unix(self) -> None:
        """A UNIX socket, whose kernel knows no mark, is looked at again a little later."""
        self.ours, theirs = socket.socketpair(socket.AF_UNIX)
        self.addCleanup(self.ours.close)
        self.ours.setblocking(False)
        self.peek()
        theirs.send(b"hel")
        await until(lambda: self.looks)
        theirs.send(b"lo")
        self.clock.pump([0.01] * 20)
        await until(lambda: self.ends)
        theirs.close()
        self.assertEqual((self.ends, len(self.looks)), (["done"], 2))

    async def test_closed(self) -> None:
        """A client that ends before it has said enough."""
        self.theirs.send(b"hel")
        self.peek()
        await until(lambda: self.looks)
        self.theirs.close()
        await until(lambda: self.ends)
        self.assertEqual(self.ends, ["closed"])

    async def test_tiny_segments(self) -> None:
        """A client whose segments hold a byte each: the kernel wakes us early, and that is not the end."""
        self.wanted = 1000
        self.theirs.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.peek()
        for count in range(1, self.wanted + 1):
            self.theirs.send(b"x")
            await until(lambda: held(self.ours) == count)  # noqa: B023
            self.clock.advance(0.001)
        await until(lambda: self.clock.advance(0.01) or self.ends)
        self.assertEqual(self.ends, ["done"])
        self.assertLess(len(self.looks), 20)

    async def test_last_bytes(self) -> None:
        """What comes with the end is seen; an end that leaves too little is told at once."""
        for data, end in ((b"hello", "done"), (b"hell", "closed")):
            ours, theirs = tcp_pair()
            self.ours = ours
            self.addCleanup(ours.close)
            theirs.send(data[:2])
            self.ends.clear()
            self.peek()
            await until(lambda: self.looks)
            theirs.send(data[2:])
            theirs.close()
            await until(lambda: self.ends)
            self.assertEqual(self.ends, [end])

    async def test_reset(self) -> None:
        """A client that breaks off."""
        self.peek()
        self.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.theirs.close()
        await until(lambda: self.ends)
        self.assertEqual(self.ends, ["reset"])

    async def test_too_long(self) -> None:
        """A client that would have to say more than is looked at."""
        self.wanted = LIMIT + 1
        self.theirs.send(b"x")
        self.peek()
        await until(lambda: self.ends)
        self.assertEqual(self.ends, ["too long"])

    def test_silence(self) -> None:
        """A client that says nothing."""
        self.peek()
        self.clock.pump([0.01] * 1100)
        self.assertEqual(self.ends, ["timeout"])

    def test_cancelled(self) -> None:
        """Nobody is told afterwards."""
        self.peek().cancel()
        self.clock.pump([0.01] * 1100)
        self.assertEqual(self.ends, [])
