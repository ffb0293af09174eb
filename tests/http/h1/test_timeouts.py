"""Tests of L{edgegate.http.h1.timeouts}; what follows is tested with L{edgegate.http.h1.downstream_connection}."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h1.timeouts import Timeouts, Wait
from edgegate.http.limits import Limits
from edgegate.net.wheel import TimerWheel

SECONDS = {Wait.REQUEST: 10, Wait.HEAD: 20, Wait.BODY: 30, Wait.READER: 40}
LATE = 2
"""Seconds more after which a deadline has passed for certain."""


class Reader:
    """A transport whose other side reads when it is told to."""

    acknowledged = 0
    bytes_out = 0


class PatienceTests(SynchronousTestCase):
    """One connection's."""

    def setUp(self) -> None:
        """Wait for nothing."""
        self.clock = Clock()
        self.ends: list[Wait] = []
        limits = Limits(idle_seconds=10, head_seconds=20, body_seconds=30, stall_seconds=40, stall_bytes=1000)
        wheel = TimerWheel(self.clock, 0.5)
        self.patience = Timeouts(wheel, limits, lambda: self.ends.append(self.patience.wait))
        self.reader: Any = Reader()

    def advance(self, seconds: int) -> None:
        """Let time pass, as a reactor does."""
        self.clock.pump([0.5] * seconds * 2)

    def test_each(self) -> None:
        """Each thing is waited for as long as the limits say."""
        patience = self.patience
        begins = (patience.request, patience.head, patience.body, lambda: patience.reader(self.reader))
        for begin, (wait, seconds) in zip(begins, SECONDS.items(), strict=True):
            self.ends.clear()
            begin()
            self.assertIs(patience.wait, wait)
            self.advance(seconds)
            self.assertEqual(self.ends, [])
            self.advance(LATE)
            self.assertEqual(self.ends, [wait])

    def test_nothing(self) -> None:
        """What is waited for no more never passes."""
        self.patience.request()
        self.patience.nothing()
        self.advance(100)
        self.assertEqual((self.ends, self.patience.wait), ([], Wait.NOTHING))

    def test_body(self) -> None:
        """What comes of a body is waited for anew, if it was waited for."""
        self.patience.request()
        self.advance(8)
        self.patience.body_came(9000)
        self.advance(2 + LATE)
        self.assertEqual(self.ends, [Wait.REQUEST])
        self.patience.body()
        for _ in range(4):
            self.advance(20)
            self.patience.body_came(9000)
        self.assertEqual(self.ends, [Wait.REQUEST])

    def trickle(self, count: int, every: int) -> int:
        """Have so many bytes come every so many seconds; return after how many seconds the wait is over, or 1000."""
        self.ends.clear()
        self.patience.body()
        for seconds in range(0, 1000, every):
            self.advance(every)
            if self.ends:
                return seconds + every
            self.patience.body_came(count)
        return 1000

    def test_least_rate(self) -> None:
        """A body that comes too slowly on average is waited for as long as it was given in advance."""
        self.assertEqual(self.trickle(241 * 5, 5), 1000)
        self.assertEqual(self.trickle(241 * 25, 25), 1000)
        self.assertEqual(self.trickle(1, 1), 30 + LATE - 1)
        self.assertAlmostEqual(self.trickle(120 * 5, 5), 60, delta=5)
        # what came at once gives no more than that
        self.patience.body()
        self.patience.body_came(1 << 30)
        self.advance(30 + LATE)
        self.assertEqual(self.ends[-1], Wait.BODY)

    def test_any_rate(self) -> None:
        """Where there is no least rate each byte will do."""
        self.patience = Timeouts(
            TimerWheel(self.clock, 0.5),
            Limits(body_seconds=30, body_rate=0),
            lambda: self.ends.append(self.patience.wait),
        )
        self.assertEqual(self.trickle(1, 25), 1000)

    def test_body_again(self) -> None:
        """The time in which the client was not read does not count, and then it has some seconds at least."""
        self.patience.body()
        for seconds in (15, 13):
            self.advance(seconds)
            self.patience.nothing()
            self.advance(100)
            self.patience.body_again()
        self.patience.body_again()
        self.advance(9)
        self.assertEqual(self.ends, [])
        self.advance(1 + LATE)
        self.assertEqual(self.ends, [Wait.BODY])

    def test_stream(self) -> None:
        """Beside a response a body may pause for long: each byte of either is enough."""
        self.patience.stream(self.reader)
        for _ in range(3):
            self.advance(290)
            self.patience.body_came(1)
        self.advance(300 + LATE)
        self.assertEqual(self.ends, [Wait.STREAM])
        self.assertFalse(self.patience.streams(self.reader))
        self.reader.bytes_out = 7
        self.assertTrue(self.patience.streams(self.reader))
        self.assertFalse(self.patience.streams(self.reader))

    def test_reader(self) -> None:
        """One that has read enough since is waited for again; what it reads is not saved up."""
        self.patience.reader(self.reader)
        for acknowledged, enough in ((1000, True), (3000, True), (3999, False), (4998, False), (5998, True)):
            self.reader.acknowledged = acknowledged
            self.assertIs(self.patience.reads(self.reader), enough, acknowledged)
