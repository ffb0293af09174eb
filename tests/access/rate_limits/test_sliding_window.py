"""Tests of L{edgegate.access.rate_limits.sliding_window}; the script is tried on a Redis by the acceptance tests."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.rate_limits import sliding_window
from edgegate.access.rate_limits.limits import CountedLimit
from edgegate.access.rate_limits.sliding_window import (
    LONGEST_TRUST,
    MOST_KEYS,
    OverKeys,
    arguments,
    counted,
    key_in_redis,
)
from edgegate.model.guards.rate_limit import RateLimit
from tests.access.rate_limits.test_buckets import buckets

LIMITS = tuple(CountedLimit(RateLimit(name, 10, 1.5, 10, cost=2), "a/b", buckets()) for name in ("one", "two"))


class QuestionTests(SynchronousTestCase):
    """What Redis is asked, and its answers."""

    def test_keys(self) -> None:
        """Keys are told apart by policy, limit and period; long ones are hashed."""
        self.assertEqual(key_in_redis("edgegate", "a/b", LIMITS[0], b"=\xff\0"), b"edgegate:a/b:one:1500:=\xff\0")
        long = key_in_redis("edgegate", "a/b", LIMITS[0], b"=" * 8000)
        self.assertEqual(len(long), len(b"edgegate:a/b:one:1500:#") + 40)
        self.assertNotEqual(long, key_in_redis("edgegate", "a/b", LIMITS[0], b"=" * 8001))

    def test_arguments(self) -> None:
        """Requests, milliseconds and cost of each limit."""
        self.assertEqual(arguments(LIMITS), [10, 1500, 2, 10, 1500, 2])

    def test_passes(self) -> None:
        """An answer says how all limits stand."""
        answer = counted([0, 0, 4, 1200, 3, 700], LIMITS)
        self.assertIsNone(answer.over)
        self.assertEqual([(each.left, each.reset) for each in answer.standings], [(4, 1.2), (3, 0.7)])

    def test_over(self) -> None:
        """One of them may be over for a while."""
        over = counted([2, 250, 4, 1200, 0, 700], LIMITS).over
        assert over is not None
        self.assertEqual((over.limit, over.wait), (LIMITS[1], 0.25))

    def test_nonsense(self) -> None:
        """What is no answer of the script's is none."""
        for answer in (None, b"OK", [], [0, 0], [3, 0, 1, 1, 1, 1], [0, b"x", 1, 1, 1, 1], [0, 0, 1, 1]):
            self.assertRaises(ValueError, counted, answer, LIMITS)


class OverKeysTests(SynchronousTestCase):
    """Keys that need not be asked for."""

    def test_until(self) -> None:
        """A key is over until then, and others are not."""
        keys = OverKeys()
        self.assertEqual(keys.wait(b"a", 10.0), 0)
        keys.add(b"a", 2.0, 10.0)
        self.assertEqual([keys.wait(b"a", now) for now in (10.0, 11.5, 12.0, 10.0)], [2.0, 0.5, 0, 0])
        keys.add(b"a", 2.0, 10.0)
        self.assertEqual(keys.wait(b"b", 10.0), 0)

    def test_asked_again(self) -> None:
        """However long a limit lasts, Redis is asked again after some seconds; until then the whole time is told."""
        keys = OverKeys()
        keys.add(b"a", 86400.0, 0.0)
        self.assertEqual([keys.wait(b"a", now) for now in (1.0, LONGEST_TRUST)], [86399.0, 0])

    def test_bounded(self) -> None:
        """A flood of keys takes no more memory than so many."""
        keys = OverKeys()
        for key in range(MOST_KEYS + 5):
            keys.add(b"%d" % key, 5.0, 0.0)
        self.assertLessEqual(len(keys._until), sliding_window.MOST_KEYS)
        self.assertEqual(keys.wait(b"%d" % (MOST_KEYS + 4), 0.0), 5.0)
