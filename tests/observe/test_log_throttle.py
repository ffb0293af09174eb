"""Tests of L{edgegate.observe.log_throttle}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.log_throttle import LogThrottle


class SeldomTests(SynchronousTestCase):
    """What is said, and what is only counted."""

    def test_once_in_a_while(self) -> None:
        """A thing is said at once, then not before its time is over, with the number of times in between."""
        log_throttle = LogThrottle(10.0)
        said = [log_throttle.due("a", now) for now in (0.0, 1.0, 9.9, 10.0, 10.5, 25.0, 50.0)]
        self.assertEqual(said, [0, None, None, 2, None, 1, 0])

    def test_apart(self) -> None:
        """Things are told apart, as many as there is room for."""
        log_throttle = LogThrottle(10.0)
        self.assertEqual([log_throttle.due(thing, 0.0) for thing in ("a", "b", "a")], [0, 0, None])
        for thing in range(300):
            log_throttle.due(thing, 1.0)
        self.assertEqual(log_throttle.due("a", 1.0), 0)
