"""Tests of L{edgegate.workers.slots}."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.rate_limits.buckets import Buckets
from edgegate.workers.slots import ABSENT, COUNT, Slots, shared_memory, takes_next


class SlotsTests(SynchronousTestCase):
    """Numbers that several processes see."""

    def setUp(self) -> None:
        """Make memory, seen twice."""
        fd = shared_memory()
        self.addCleanup(os.close, fd)
        self.ours, self.theirs = Slots(fd), Slots(fd)

    def test_shared(self) -> None:
        """What one writes another one reads; slots have nothing to do with each other."""
        last = COUNT - 1
        self.ours.beat(last, 12.5)
        self.ours.set_connections(last, 7)
        self.ours.set_connections(0, ABSENT)
        self.assertEqual((self.theirs.last_beat(last), self.theirs.connections(last)), (12.5, 7))
        self.assertEqual((self.theirs.last_beat(0), self.theirs.connections(0)), (0.0, ABSENT))

    def test_forked(self) -> None:
        """A process that was forked writes the same memory."""
        pid = os.fork()
        if not pid:
            self.ours.set_connections(3, 5)
            os._exit(0)
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        self.assertEqual(self.theirs.connections(3), 5)

    def test_buckets(self) -> None:
        """What one process takes from the buckets of rate limits is taken for all, and changes no slot."""
        for slot in range(COUNT):
            self.ours.set_connections(slot, 1)
        ours, theirs = Buckets(*self.ours.buckets), Buckets(*self.theirs.buckets)
        number = ours.number(b"limit", b"key")
        self.assertEqual(theirs.number(b"limit", b"key"), number)
        self.assertGreaterEqual(ours.take(number, 1.0, 2.0, 2.0, 100.0), 0)
        self.assertLess(theirs.take(number, 1.0, 2.0, 1.0, 100.0), 0)
        self.assertEqual({self.theirs.connections(slot) for slot in range(COUNT)}, {1})
        self.assertEqual(self.theirs.open_connections(), 0)

    def test_fewest(self) -> None:
        """Who is not there is no measure."""
        for slot, count in ((4, 9), (5, ABSENT), (6, 3)):
            self.ours.set_connections(slot, count)
            self.ours.beat(slot, 10.0)
        self.assertEqual(self.theirs.fewest((4, 5, 6), 10.0), 3)
        self.assertEqual(self.theirs.fewest((5,), 10.0), ABSENT)

    def test_silent(self) -> None:
        """Who gives no sign of life is no measure, either: it would take none of those that the others leave."""
        for slot, count, beat in ((4, 9, 10.0), (6, 0, 7.9)):
            self.ours.set_connections(slot, count)
            self.ours.beat(slot, beat)
        self.assertEqual(self.theirs.fewest((4, 6), 8.0), 9)
        self.assertEqual(self.theirs.fewest((4, 6), 10.5), ABSENT)

    def test_open(self) -> None:
        """What is open counts for those that take no more, too."""
        self.ours.set_open(0, 2)
        self.ours.set_open(COUNT - 1, 3)
        self.ours.set_connections(0, ABSENT)
        self.assertEqual(self.theirs.open_connections(), 5)


class TakesNextTests(SynchronousTestCase):
    """Who takes the next connection."""

    def test_even(self) -> None:
        """However many connections there are, and whoever is asked first, the busiest has a tenth more at most."""
        for workers in (2, 3, 4, 16):
            for total in (100, 1000):
                counts = [0] * workers
                for _ in range(total):
                    # the first is always the first to be asked
                    taker = next(each for each in range(workers) if takes_next(counts[each], min(counts)))
                    counts[taker] += 1
                if total >= 25 * workers:
                    self.assertLessEqual(max(counts), total / workers * 1.1, (workers, total, counts))

    def test_alone(self) -> None:
        """Who has no other takes all."""
        self.assertTrue(takes_next(5, 5))
        self.assertTrue(takes_next(1000, ABSENT))
