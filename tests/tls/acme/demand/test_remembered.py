"""Tests of L{edgegate.tls.acme.demand.remembered}."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls.acme.demand.remembered import Remembered


class RememberedTests(SynchronousTestCase):
    """What is remembered."""

    def test_time(self) -> None:
        """An answer holds for its time; one that comes again for another."""
        clock = Clock()
        found: Remembered[str] = Remembered(10, clock.seconds)
        found.put("a", "no", 5.0)
        clock.advance(4.0)
        self.assertEqual(found.get("a"), "no")
        clock.advance(1.0)
        self.assertEqual((found.get("a"), len(found)), (None, 0))
        found.put("a", "yes", 1.0)
        self.assertEqual(found.get("a"), "yes")
        found.clear()
        self.assertIsNone(found.get("a"))

    def test_bounded(self) -> None:
        """Of many those stay that are asked for."""
        found: Remembered[int] = Remembered(100, Clock().seconds)
        for number in range(10_000):
            found.put(str(number), number, 60.0)
            found.get("0")
        self.assertEqual(len(found), 100)
        self.assertEqual((found.get("0"), found.get("9999"), found.get("9000")), (0, 9999, None))
