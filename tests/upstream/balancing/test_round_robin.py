from __future__ import annotations

from collections import Counter
from itertools import islice
from math import gcd

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.upstream.balancing.round_robin import MAX_PLANNED, RoundRobin, smooth, turns
from tests.upstream.members import members

WEIGHTS = st.lists(st.integers(1, 40), min_size=1, max_size=12)


def cycle_length(weights: list[int]) -> int:
    return sum(weights) // gcd(*weights)


class TurnsTests(SynchronousTestCase):
    def test_equal(self) -> None:
        """Equal members are taken one after the other."""
        self.assertEqual(list(islice(turns([7, 7, 7]), 7)), [0, 1, 2, 0, 1, 2, 0])

    def test_single(self) -> None:
        """A single member is always taken."""
        self.assertEqual(list(islice(turns([5]), 3)), [0, 0, 0])

    def test_spread(self) -> None:
        """A heavy member's turns are spread, as nginx does it, instead of coming in a row."""
        self.assertEqual(list(islice(turns([5, 1, 1]), 7)), [0, 0, 1, 0, 2, 0, 0])

    def test_zero_counts_as_one(self) -> None:
        """An endpoint without a weight has one share."""
        self.assertEqual(Counter(islice(turns([0, 3]), 4)), {0: 1, 1: 3})

    def test_nobody(self) -> None:
        """There must be somebody to take."""
        with self.assertRaises(ValueError):
            turns([])

    def test_long_cycle(self) -> None:
        """Weights whose cycle is too long to plan give the same order, and the same shares."""
        weights = [1, MAX_PLANNED]
        self.assertEqual(list(islice(turns(weights), 100)), list(islice(smooth(weights), 100)))
        self.assertEqual(Counter(islice(turns(weights), MAX_PLANNED + 1)), {0: 1, 1: MAX_PLANNED})

    @given(WEIGHTS)
    def test_exact_shares(self, weights: list[int]) -> None:
        """Over any full cycle each member has exactly its share."""
        length = cycle_length(weights)
        order = list(islice(turns(weights), 3 * length))
        divisor = gcd(*weights)
        for start in (0, 1, length // 2, 2 * length):
            taken = Counter(order[start : start + length])
            self.assertEqual([taken[index] for index in range(len(weights))], [w // divisor for w in weights])

    @given(WEIGHTS)
    def test_never_far_off(self, weights: list[int]) -> None:
        """At no time has a member had less than its due by more than its number of peers, or a whole turn more."""
        length = cycle_length(weights)
        total = sum(weights)
        taken: Counter[int] = Counter()
        for turn, index in enumerate(islice(turns(weights), length), 1):
            taken[index] += 1
            for member, weight in enumerate(weights):
                due = turn * weight / total
                self.assertLess(taken[member] - due, len(weights))
                self.assertGreater(taken[member] - due, -len(weights))

    @given(WEIGHTS)
    def test_planned_is_smooth(self, weights: list[int]) -> None:
        """Planning a cycle ahead changes nothing about the order."""
        divisor = gcd(*weights)
        shares = [weight // divisor for weight in weights]
        count = 2 * sum(shares)
        self.assertEqual(list(islice(turns(weights), count)), list(islice(smooth(shares), count)))


class RoundRobinTests(SynchronousTestCase):
    def test_endpoints(self) -> None:
        """Endpoints are taken in turn, as often as each weighs."""
        one, two = members(1, 2)
        chooser = RoundRobin([one, two])
        self.assertEqual([chooser.choose(None) for _ in range(6)], [two, one, two, two, one, two])
