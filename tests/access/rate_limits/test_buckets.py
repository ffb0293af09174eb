"""Tests of L{edgegate.access.rate_limits.buckets}."""

from __future__ import annotations

import os
from mmap import mmap

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.rate_limits.buckets import HEADER, MOST_NUMBERS, SECRET, SIZE, WAYS, Buckets, Numbers


def buckets(places: int = 64) -> Buckets:
    """Return empty ones."""
    memory = mmap(-1, HEADER + places * 128)
    memory[:SECRET] = os.urandom(SECRET)
    return Buckets(memory, 0, places)


class BucketTests(SynchronousTestCase):
    """One bucket."""

    def setUp(self) -> None:
        self.buckets = buckets()
        self.now = 1_000_000.0
        self.number = self.buckets.number(b"limit", b"key")

    def take(self, cost: float = 1, interval: float = 0.1, burst: int = 5) -> float:
        """Take from the bucket."""
        return self.buckets.take(self.number, interval, interval * burst, cost, self.now)

    def test_burst(self) -> None:
        """All of the burst passes at once, and says each time what is left; then it takes an interval."""
        self.assertEqual([round(self.take()) for _ in range(5)], [4, 3, 2, 1, 0])
        self.assertAlmostEqual(self.take(), -0.1, places=6)

    def test_fills(self) -> None:
        """It fills by and by, and no further than the burst."""
        for _ in range(5):
            self.take()
        self.now += 0.1
        self.assertGreaterEqual(self.take(), 0)
        self.assertLess(self.take(), 0)
        self.now += 1000
        self.assertEqual(round(self.take()), 4)

    def test_refused_costs_nothing(self) -> None:
        """What is refused takes nothing, however often it is tried."""
        for _ in range(5):
            self.take()
        self.assertTrue(all(self.take() < 0 for _ in range(100)))
        self.now += 0.1
        self.assertGreaterEqual(self.take(), 0)

    def test_cost(self) -> None:
        """A dear request takes many, or none where there are not enough."""
        self.assertEqual(round(self.take(cost=3)), 2)
        self.assertAlmostEqual(self.take(cost=3), -0.1, places=6)
        self.assertEqual(round(self.take(cost=2)), 0)

    def test_room(self) -> None:
        """To look takes nothing."""
        self.assertEqual(round(self.buckets.room(self.number, 0.1, 0.5, 1, self.now)), 4)
        self.assertEqual(round(self.take()), 4)
        self.assertLess(self.buckets.room(self.number, 0.1, 0.5, 5, self.now), 0)

    def test_give_back(self) -> None:
        """What is given back may be taken again; a bucket that is not there any more stays away."""
        for _ in range(5):
            self.take()
        self.buckets.give_back(self.number, 0.2)
        self.assertEqual([round(self.take()) for _ in range(2)], [1, 0])
        self.assertLess(self.take(), 0)
        self.buckets.give_back(self.buckets.number(b"limit", b"another"), 100.0)
        self.assertLess(self.take(), 0)

    def test_even_over_time(self) -> None:
        """Whoever asks all the time gets what the limit says and the burst, whatever the interval."""
        for interval in (1 / 3, 1e-3, 0.07, 1e-5):
            taken = asked = 0
            number = self.buckets.number(b"even", repr(interval).encode())
            while asked < 20_000:
                taken += self.buckets.take(number, interval, interval * 5, 1, self.now) >= 0
                self.now += interval / 7
                asked += 1
            self.assertLess(abs(taken - asked / 7 - 5), asked * 0.002 + 2)

    def test_clock_set_back(self) -> None:
        """A clock that goes back gives nothing away, and the bucket goes on once it is there again."""
        for _ in range(5):
            self.take()
        self.now -= 100
        self.assertLess(self.take(), 0)
        self.now += 100.1
        self.assertGreaterEqual(self.take(), 0)

    def test_between_processes(self) -> None:
        """What one takes another one finds taken; they are told apart by limit and key alone."""
        memory = mmap(-1, SIZE)
        memory[:SECRET] = os.urandom(SECRET)
        one, other = Buckets(memory), Buckets(memory)
        number = other.number(b"limit", b"key")
        self.assertEqual(number, one.number(b"limit", b"key"))
        self.assertNotEqual(number, one.number(b"another", b"key"))
        one.take(number, 1.0, 2.0, 2, self.now)
        self.assertLess(other.take(number, 1.0, 2.0, 1, self.now), 0)


class EvictionTests(SynchronousTestCase):
    """More keys than there is room for."""

    def setUp(self) -> None:
        self.buckets = buckets(places=1)
        self.now = 1000.0

    def take(self, key: int, cost: float = 1, burst: int = 10) -> float:
        """Take from the bucket of a key."""
        return self.buckets.take(self.buckets.number(b"", b"%d" % key), 1.0, burst, cost, self.now)

    def test_flood(self) -> None:
        """A flood of new keys does not fill the bucket of who sends it: it puts out its own."""
        self.take(0, cost=10)
        for key in range(1, 50):
            self.take(key)
        self.assertLess(self.take(0), 0)
        self.assertGreater(self.buckets.put_out, 40)

    def test_no_fuller_than_what_was_put_out(self) -> None:
        """Who empties all buckets of a place, to have his own put out, finds it with one request in it."""
        for key in range(3 * WAYS):
            self.take(key, cost=1)
            self.take(key, cost=9)
            self.take(key, cost=9)
        passed = sum(self.take(key) >= 0 for key in range(3 * WAYS) for _ in range(10))
        self.assertLess(passed, 3 * WAYS * 3)

    def test_nobody_is_locked_out(self) -> None:
        """Whatever others do, a new key passes once."""
        for key in range(5 * WAYS):
            self.take(key, cost=1000, burst=1000)
        self.assertGreaterEqual(self.take(99, cost=5), 0)
        self.assertLess(self.take(99, cost=5), 0)

    def test_full_ones_leave_no_mark(self) -> None:
        """Buckets that are full are forgotten without a trace."""
        for key in range(WAYS):
            self.take(key, cost=10)
        self.now += 11
        for key in range(100, 100 + WAYS):
            self.assertEqual(round(self.take(key)), 9)
        self.assertEqual(self.buckets.put_out, 0)


class NumberTests(SynchronousTestCase):
    """Keys and their numbers."""

    def test_remembered(self) -> None:
        """A key has the same number each time, also once so many others have come that it was forgotten."""
        all_ = buckets()
        numbers = Numbers(all_, b"a name of a limit that is longer than a salt")
        first = numbers.of(b"first")
        for key in range(MOST_NUMBERS + 10):
            numbers.of(b"%d" % key)
        self.assertEqual(numbers.of(b"first"), first)
        self.assertLessEqual(len(numbers._known), MOST_NUMBERS)

    def test_long_keys(self) -> None:
        """Keys as long as a header may be take no memory."""
        numbers = Numbers(buckets(), b"limit")
        self.assertNotEqual(numbers.of(b"x" * 60_000), numbers.of(b"x" * 60_001))
        self.assertEqual(numbers._known, {})

    def test_no_number_is_none(self) -> None:
        """A number is never that of an empty place, and fits a machine word."""
        all_ = buckets()
        found = [all_.number(b"", b"%d" % key) for key in range(1000)]
        self.assertTrue(all(0 < number < 1 << 62 for number in found))
        self.assertEqual(len(set(found)), 1000)
