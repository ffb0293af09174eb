"""Tests for L{edgegate.access.state}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.state import GuardStates
from edgegate.model.origin import Origin
from tests.http.guards.guards import ORIGIN, TestGuard


class Kept:
    """What is kept for a guard."""

    def __init__(self) -> None:
        self.stopped = False

    def stop(self) -> None:
        """Take note of it."""
        self.stopped = True


class GuardStatesTests(SynchronousTestCase):
    """What guards keep."""

    def test_same(self) -> None:
        """A guard that is the same after a change of the files finds its own, wherever it is said now."""
        states = GuardStates()
        kept = states.of(TestGuard("n/a", ORIGIN, 1), Kept)
        moved = TestGuard("n/a", Origin("other.yaml", 7, "TestPolicy n/a"), 1)
        states.keep([moved])
        self.assertIs(states.of(moved, Kept), kept)
        self.assertFalse(kept.stopped)

    def test_other(self) -> None:
        """What no guard asks for any more is stopped and dropped, and at the end everything is."""
        states = GuardStates()
        gone, kept = states.of(TestGuard("n/a", ORIGIN, 1), Kept), states.of(TestGuard("n/b", ORIGIN, 1), Kept)
        states.keep([TestGuard("n/a", ORIGIN, 2), TestGuard("n/b", ORIGIN, 1)])
        self.assertEqual((gone.stopped, kept.stopped), (True, False))
        self.assertIsNot(states.of(TestGuard("n/a", ORIGIN, 1), Kept), gone)
        states.stop()
        self.assertTrue(kept.stopped)
