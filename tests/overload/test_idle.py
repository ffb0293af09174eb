"""Tests of L{edgegate.overload.idle}."""

from __future__ import annotations

from math import inf
from typing import cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.overload.idle import Idle, LongestIdle, longest_idle


class Connection:
    """A connection that lies idle since some time."""

    def __init__(self, since: float) -> None:
        self.since = since

    def idle_since(self) -> float:
        """Return that time."""
        return self.since

    def give_way(self) -> bool:
        """End."""
        return True


class KeptTests(SynchronousTestCase):
    """What is kept of a look."""

    def setUp(self) -> None:
        """Have connections that lie idle, each for less long than the one before."""
        self.connections = [Connection(float(number)) for number in range(40)]
        self.idle = LongestIdle()
        self.looks = 0

    def take(self, count: int) -> list[float]:
        """Return since when those lie idle that are taken."""

        def look() -> list[Idle]:
            self.looks += 1
            return list(self.connections)

        found = self.idle.take(count, 100.0, look, lambda each: each in self.connections)
        for each in found:
            self.connections.remove(cast(Connection, each))
        return [each.idle_since() for each in found]

    def test_used_up(self) -> None:
        """A quarter of all is kept, so that several are found by one look, in their order."""
        self.assertEqual([self.take(4), self.take(4), self.looks], [[0, 1, 2, 3], [4, 5, 6, 7], 1])
        self.assertEqual([self.take(4), self.looks], [[8, 9], 1])
        self.assertEqual([self.take(4), self.looks], [[10, 11, 12, 13], 2])
        self.assertEqual([len(self.take(100)), len(self.take(100)), self.take(1), self.looks], [3, 23, [], 4])

    def test_changed(self) -> None:
        """Those that were asked something since, or are closed, are passed over."""
        self.take(1)
        self.connections[0].since = inf
        self.connections[1].since = 50.0
        del self.connections[2]
        self.assertEqual([self.take(3), self.looks], [[4, 5, 6], 1])

    def test_forgotten(self) -> None:
        """What is forgotten is looked for anew."""
        self.take(1)
        self.idle.forget()
        self.assertEqual([self.take(1), self.looks], [[1], 2])


class LongestIdleTests(SynchronousTestCase):
    """Who gives way."""

    def test_order(self) -> None:
        """The longest idle come first; those with something under way, or that have time still, never."""
        connections = [Connection(since) for since in (3.0, 1.0, inf, 2.0, 11.0, 1.0)]
        found = longest_idle(connections, 10.0, 3)
        self.assertEqual(found, [connections[1], connections[5], connections[3]])
        self.assertEqual(len(longest_idle(connections, 10.0, 10)), 4)
        self.assertEqual(longest_idle([], 10.0, 10), [])
