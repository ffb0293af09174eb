"""Tests of L{edgegate.upstream.dns.shared_lookups}."""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.wheel import TimerWheel
from edgegate.upstream.dns.lookups import Answer, Cancel, Tell
from edgegate.upstream.dns.resolutions import LOST
from edgegate.upstream.dns.shared_lookups import MOST_WAITING, SharedLookups

FOUND = Answer(("10.0.0.1",))


class FakeLookups:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, Tell]] = []

    def begin(self, name: str, tell: Tell) -> Cancel:
        self.begun.append((name, tell))
        return lambda: self.begun.remove((name, tell))

    def changed(self) -> bool:
        return False


class SharedLookupsTests(SynchronousTestCase):
    """Who asks for one name."""

    def setUp(self) -> None:
        self.lookups = FakeLookups()
        self.clock = Clock()
        self.shared = SharedLookups(self.lookups, TimerWheel(self.clock, 0.5))

    def answer(self) -> None:
        self.lookups.begun[-1][1](FOUND)

    def test_one_look_up(self) -> None:
        """Whoever asks meanwhile joins; who gives up leaves the look-up to the others."""
        first, second = self.shared.find("a.example"), self.shared.find("a.example")
        self.assertEqual(len(self.lookups.begun), 1)
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.answer()
        self.assertEqual(self.successResultOf(second), FOUND)
        self.shared.find("a.example")
        self.assertEqual([name for name, _ in self.lookups.begun], ["a.example"] * 2)

    def test_lost(self) -> None:
        """A look-up that is never answered is given up, and whoever asks then begins another one."""
        first = self.shared.find("a.example")
        self.clock.pump([1] * int(LOST + 1))
        self.assertEqual(self.successResultOf(first), Answer())
        self.assertEqual(self.lookups.begun, [])
        second = self.shared.find("a.example")
        self.answer()
        self.assertEqual(self.successResultOf(second), FOUND)

    def test_many_wait(self) -> None:
        """No more than some wait for one name; who gave up does not count."""
        for _ in range(2 * MOST_WAITING):
            self.shared.find("a.example").addErrback(lambda failure: failure.trap(CancelledError)).cancel()
        waiting = [self.shared.find("a.example") for _ in range(MOST_WAITING)]
        self.assertEqual(self.successResultOf(self.shared.find("a.example")), Answer())
        self.assertEqual(len(self.lookups.begun), 1)
        self.answer()
        for found in waiting:
            self.assertEqual(self.successResultOf(found), FOUND)
