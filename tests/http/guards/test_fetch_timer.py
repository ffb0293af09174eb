"""Tests of L{edgegate.http.guards.fetch_timer}."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.jwt.fetch_schedule import EARLY, KEPT, QUICK, REFRESH
from edgegate.http.guards.fetch_timer import FetchTimer


class FetchTimerTests(SynchronousTestCase):
    """When something is fetched again."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.fetched = 0
        self.timer = FetchTimer(self.clock, self.fetch)

    def fetch(self) -> None:
        """Count."""
        self.fetched += 1

    def test_again(self) -> None:
        """There is one call to come, the one that follows from what was told last."""
        self.timer.succeeded()
        self.timer.failed()
        self.clock.advance(QUICK)
        self.assertEqual((self.fetched, self.clock.getDelayedCalls()), (1, []))
        self.timer.succeeded()
        self.clock.advance(QUICK)
        self.assertEqual(self.fetched, 1)
        self.clock.advance(REFRESH)
        self.assertEqual(self.fetched, 2)

    def test_begun(self) -> None:
        """While it is fetched for another reason nothing begins."""
        self.timer.failed()
        self.timer.begun()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stopped(self) -> None:
        """Nothing follows what is told after the end."""
        self.timer.failed()
        self.timer.stop()
        self.timer.succeeded()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_times(self) -> None:
        """What is asked of the schedule is asked for now."""
        self.timer.succeeded()
        self.assertEqual((self.timer.early(), self.timer.early(), self.timer.outdated), (True, False, False))
        self.clock.advance(KEPT + EARLY)
        self.assertEqual((self.timer.early(), self.timer.outdated), (True, True))
