"""Tests of L{edgegate.server.bit_by_bit}."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic

from twisted.internet.task import Clock, TaskStopped
from twisted.trial.unittest import SynchronousTestCase

from edgegate.server.bit_by_bit import PAUSE, SLICE, bit_by_bit


class BitByBitTests(SynchronousTestCase):
    """Work that others must not wait for."""

    def setUp(self) -> None:
        """Begin something that takes five slices."""
        self.clock = Clock()
        self.done = 0
        self.task = bit_by_bit(self.clock, self.work())
        self.ended = self.task.whenDone()

    def work(self) -> Iterator[None]:
        """Take a slice for each bit."""
        for _ in range(5):
            end = monotonic() + SLICE
            while monotonic() < end:
                pass
            self.done += 1
            yield

    def test_bits(self) -> None:
        """After each slice the loop has its turn."""
        self.assertEqual(self.done, 0)
        for count in range(1, 6):
            self.clock.advance(PAUSE)
            self.assertEqual(self.done, count)
            self.assertNoResult(self.ended)
        self.clock.advance(PAUSE)
        self.successResultOf(self.ended)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_small(self) -> None:
        """What takes less than a slice altogether is done at once."""
        small = bit_by_bit(self.clock, iter(range(3))).whenDone()
        self.task.stop()
        self.failureResultOf(self.ended, TaskStopped)
        self.clock.advance(PAUSE)
        self.successResultOf(small)

    def test_stopped(self) -> None:
        """What is stopped goes no further, and leaves nothing behind."""
        self.clock.advance(PAUSE)
        self.task.stop()
        self.failureResultOf(self.ended, TaskStopped)
        self.clock.advance(1)
        self.assertEqual((self.done, self.clock.getDelayedCalls()), (1, []))
