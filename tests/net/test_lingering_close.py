"""Tests of L{edgegate.net.lingering_close}."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from edgegate.net.lingering_close import BYTES, SECONDS, LingeringClose
from edgegate.net.wheel import TimerWheel
from tests.net.pairs import receive, tcp_pair, until


class FarewellTests(TestCase):
    """How a client that is told to go goes."""

    def setUp(self) -> None:
        """Tell it."""
        self.clock = Clock()
        self.ours, self.theirs = tcp_pair()
        self.addCleanup(self.theirs.close)
        self.theirs.send(b"unread")
        self.farewell = LingeringClose(reactor, TimerWheel(self.clock, 0.5), self.ours, b"no")  # type: ignore[arg-type]
        self.addCleanup(lambda: self.farewell.connectionLost(None))  # type: ignore[arg-type]

    async def test_heard(self) -> None:
        """The words arrive though the client goes on talking, then the end; when it ends too, that is all."""
        heard = b""

        def listen() -> bool:
            nonlocal heard
            heard += receive(self.theirs) or b""
            return heard == b"no" and receive(self.theirs) == b""

        await until(listen)
        self.assertGreaterEqual(self.farewell.fileno(), 0)
        self.theirs.close()
        await until(lambda: self.farewell.fileno() == -1)

    def test_patience(self) -> None:
        """A client that stays is left after a while."""
        self.clock.pump([0.5] * int(2 * SECONDS + 4))
        self.assertEqual(self.farewell.fileno(), -1)

    async def test_flood(self) -> None:
        """A client that talks without end is left after so many bytes."""
        sent = 0

        def talk() -> bool:
            nonlocal sent
            try:
                sent += self.theirs.send(b"x" * 65536)
            except OSError:
                pass
            return self.farewell.fileno() == -1

        await until(talk)
        self.assertGreater(sent, BYTES / 2)

    def test_gone(self) -> None:
        """Of a client that is gone already nothing is left."""
        ours, theirs = tcp_pair()
        ours.close()
        LingeringClose(reactor, TimerWheel(self.clock, 0.5), ours, b"no")  # type: ignore[arg-type]
        theirs.close()
