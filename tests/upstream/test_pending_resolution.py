"""Tests for L{edgegate.upstream.pending_resolution}."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.wheel import TimerWheel
from edgegate.upstream.pending_resolution import RESOLVE_TIMEOUT, PendingResolution


class PendingResolutionTests(SynchronousTestCase):
    """Who waits for a cluster."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.pending = PendingResolution("web", TimerWheel(self.clock, 0.5))
        self.called: list[str] = []

    def wait(self, name: str) -> bool:
        return self.pending.add(lambda: self.called.append(name), self.pending.release)

    def test_released(self) -> None:
        """All are called back once, in the order in which they came; nothing is left of them."""
        self.assertFalse(self.pending.any)
        self.assertEqual((self.wait("a"), self.wait("b")), (True, False))
        self.assertTrue(self.pending.any)
        self.pending.release()
        self.pending.release()
        self.assertEqual((self.called, self.pending.any), (["a", "b"], False))
        self.clock.pump([0.5] * 60)
        self.assertEqual((self.called, self.clock.getDelayedCalls()), (["a", "b"], []))

    def test_deadline(self) -> None:
        """Nobody waits for longer than the limit, and those who come after have a limit of their own."""
        self.wait("a")
        self.clock.pump([0.5] * int(2 * RESOLVE_TIMEOUT - 1))
        self.assertEqual(self.called, [])
        self.clock.pump([0.5] * 4)
        self.assertEqual(self.called, ["a"])
        self.assertTrue(self.wait("b"))
        self.clock.pump([0.5] * int(2 * RESOLVE_TIMEOUT - 1))
        self.assertEqual(self.called, ["a"])
        self.clock.pump([0.5] * 4)
        self.assertEqual(self.called, ["a", "b"])

    def test_waits_again(self) -> None:
        """Who is called back may wait anew."""
        self.pending.add(lambda: self.wait("again") or None, self.pending.release)
        self.pending.release()
        self.assertEqual((self.called, self.pending.any), ([], True))
        self.pending.release()
        self.assertEqual(self.called, ["again"])

    def test_failing(self) -> None:
        """What one of them raises is logged, and the next is called."""
        self.pending.add(lambda: self.called.remove("a"), self.pending.release)
        self.wait("b")
        self.pending.release()
        self.assertEqual(self.called, ["b"])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
