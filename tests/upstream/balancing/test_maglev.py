"""Tests of L{edgegate.upstream.balancing.maglev}; how keys move is tested in C{test_hashed}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.upstream.balancing.maglev import MAX_SIZE, Maglev


class MaglevTests(SynchronousTestCase):
    """Slots."""

    @given(st.lists(st.integers(1, 100), min_size=1, max_size=10), st.sampled_from((2, 7, 251, 1021)))
    def test_shares(self, weights: list[int], size: int) -> None:
        """Every slot has an owner, and the slots are shared out by weight."""
        table = Maglev([str(index) for index in range(len(weights))], weights, size)
        self.assertEqual(len(table.owners), size)
        for index, weight in enumerate(weights):
            due = size * weight / sum(weights)
            self.assertLessEqual(abs(list(table.owners).count(index) - due), 2 + len(weights) * weight / sum(weights))

    def test_bounded(self) -> None:
        """A table larger than the largest is that."""
        self.assertEqual(len(Maglev(["a"], [1], 5_000_011).owners), MAX_SIZE)

    def test_in_steps(self) -> None:
        """It is the same in steps, of which none fills more than a thousand slots; one endpoint or many."""
        for count in (1, 40):
            names, weights = [str(index) for index in range(count)], [1.0 + index % 3 for index in range(count)]
            *before, table = Maglev.steps(names, weights, 65537)
            assert table is not None
            self.assertEqual(table.owners, Maglev(names, weights, 65537).owners)
            self.assertEqual(set(before), {None})
            self.assertGreaterEqual(len(before), 65537 // 1024)

    def test_slot(self) -> None:
        """A key finds its slot by its remainder."""
        self.assertEqual(Maglev(["a", "b"], [1, 1], 7).slot(7 * 10**15 + 3), 3)
