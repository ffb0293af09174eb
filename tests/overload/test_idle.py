"""Tests of L{edgegate.overload.idle}."""

from __future__ import annotations

from math import inf

from twisted.trial.unittest import SynchronousTestCase

from edgegate.overload.idle import longest_idle


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


class LongestIdleTests(SynchronousTestCase):
    """Who gives way."""

    def test_order(self) -> None:
        """The longest idle come first; those with something under way, or that have time still, never."""
        connections = [Connection(since) for since in (3.0, 1.0, inf, 2.0, 11.0, 1.0)]
        found = longest_idle(connections, 10.0, 3)
        self.assertEqual(found, [connections[1], connections[5], connections[3]])
        self.assertEqual(len(longest_idle(connections, 10.0, 10)), 4)
        self.assertEqual(longest_idle([], 10.0, 10), [])
