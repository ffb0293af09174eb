"""Tests of L{edgegate.net.loop_lag}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.loop_lag import QUIET, SUSTAINED, WINDOW, LoopLag


class LoopLagTests(SynchronousTestCase):
    """How late a loop is."""

    def test_one_long_turn(self) -> None:
        """One turn that takes long is no overload, however long it takes."""
        lag = LoopLag(0.5)
        lag.turned(30.0, 30.0)
        self.assertEqual((lag.late, lag.last), (False, 30.0))
        lag.turned(0.1, 30.2)
        self.assertEqual((lag.late, lag.last, lag.longest(30.2)), (False, 0.1, 30.0))

    def test_longest(self) -> None:
        """The longest turn is shown for one window to two, whoever looks, and whether or not turns follow."""
        lag = LoopLag(0.5)
        now = 1000.0
        lag.turned(0.1, now)
        lag.turned(0.3, now + 1)
        for _ in range(2):
            self.assertEqual(lag.longest(now + 1), 0.3)
        self.assertEqual((lag.longest(now + 2 * WINDOW - 1), lag.longest(now + 2 * WINDOW)), (0.3, 0.0))
        lag.turned(0.2, now + WINDOW + 10)
        self.assertEqual((lag.longest(now + WINDOW + 10), lag.longest(now + 2 * WINDOW)), (0.3, 0.2))
        lag.turned(0.1, now + 2 * WINDOW + 10)
        self.assertEqual(lag.longest(now + 2 * WINDOW + 10), 0.2)
        lag.turned(0.1, now + 10 * WINDOW)
        self.assertEqual(lag.longest(now + 10 * WINDOW), 0.1)

    def test_sustained(self) -> None:
        """Where every turn takes too long for a second it is late, until one takes half of what it may."""
        lag = LoopLag(0.5)
        now = 100.0
        for expected in (False, True, True):
            now += 0.6
            lag.turned(0.6, now)
            self.assertEqual(lag.late, expected, now)
        for seconds, expected in ((0.5, True), (0.26, True), (0.25, False), (0.6, False)):
            now += seconds
            lag.turned(seconds, now)
            self.assertEqual(lag.late, expected, seconds)

    def test_quiet(self) -> None:
        """Turns with nothing to do between them are nothing that goes on, and quiet ends what was late."""
        lag = LoopLag(0.5)
        for now in (100.0, 3700.0, 3701.0):
            lag.turned(0.6, now)
            self.assertFalse(lag.late, now)
        lag.turned(0.6, 3701.7)
        lag.turned(0.6, 3702.3)
        self.assertTrue(lag.late)
        lag.begin(3702.3 + QUIET / 2)
        self.assertTrue(lag.late)
        lag.begin(3702.4 + QUIET)
        self.assertFalse(lag.late)

    def test_now_and_then(self) -> None:
        """One turn in time begins the second anew."""
        lag = LoopLag(0.5)
        now = 100.0
        while now < 100 + 10 * SUSTAINED:
            for seconds in (0.6, 0.4):
                now += seconds
                lag.turned(seconds, now)
                self.assertFalse(lag.late)
