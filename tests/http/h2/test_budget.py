"""Tests of L{edgegate.http.h2.budget}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h2.budget import POINTS, Budget
from edgegate.http.h2.errors import ENHANCE_YOUR_CALM, ConnectionFailed
from tests.http.h2.recording import Clock


class BudgetTests(SynchronousTestCase):
    """What is allowed, but not often."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.budget = Budget(self.clock)

    def spend(self, times: int) -> None:
        """Spend points."""
        for _ in range(times):
            self.budget.spend("x")

    def test_ends(self) -> None:
        """At the end of it the connection is told to calm down, with what for."""
        self.spend(POINTS - 1)
        failed = self.assertRaises(ConnectionFailed, self.budget.spend, "too many PINGs")
        self.assertEqual((failed.code, failed.reason), (ENHANCE_YOUR_CALM, "too many PINGs"))

    def test_earned(self) -> None:
        """What was served to its end gives back a point; there are never more than at first."""
        self.budget.earn()
        self.assertEqual(self.budget.left, POINTS)
        for _ in range(10 * POINTS):
            self.budget.spend("x")
            self.budget.earn()
        self.assertEqual(self.budget.left, POINTS)

    def test_time(self) -> None:
        """A second gives back a point, so that a PING now and then never ends a connection."""
        for _ in range(10 * POINTS):
            self.budget.spend("x")
            self.clock.now += 1.1

    def test_seconds(self) -> None:
        """Parts of a second are not lost."""
        self.spend(POINTS // 2)
        for _ in range(4):
            self.clock.now += 2.5
            self.budget.spend("x")
        self.assertEqual(self.budget.left, POINTS // 2 + 10 - 4)

    def test_time_is_not_saved(self) -> None:
        """A long rest is worth no more than a new connection."""
        self.spend(5)
        self.clock.now += 1e6
        self.spend(POINTS - 1)
        self.assertRaises(ConnectionFailed, self.budget.spend, "x")

    def test_pings(self) -> None:
        """A PING is free for each DATA frame that was sent: so a receiver measures how much may be under way."""
        for frames in range(1, 10 * POINTS):
            self.budget.ping(frames)
        self.assertEqual(self.budget.left, POINTS)
        for _ in range(POINTS - 1):
            self.budget.ping(10)
        self.assertRaises(ConnectionFailed, self.budget.ping, 10)

    def test_window_updates(self) -> None:
        """So many WINDOW_UPDATEs as what was sent may need are free."""
        for _ in range(10 * (3 + 2 + 1)):
            self.budget.window_update(3, 2)
        self.assertEqual(self.budget.left, POINTS)
        self.budget.window_update(3, 2)
        self.assertEqual(self.budget.left, POINTS - 1)
