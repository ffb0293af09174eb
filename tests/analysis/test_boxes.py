"""Tests of L{edgegate.analysis.boxes}."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.analysis.boxes import Box, meet, meeting, outside
from edgegate.analysis.limits import OutOfSteps, Steps

FULL = (7, 3, 3)
boxes = st.fixed_dictionaries({}, optional={0: st.integers(1, 7), 1: st.integers(1, 3), 2: st.integers(1, 3)})


def points(box: Box) -> set[tuple[int, ...]]:
    """Return all points of a box."""
    axes = [[bit for bit in range(3) if box.get(axis, full) >> bit & 1] for axis, full in enumerate(FULL)]
    return set(product(*axes))


class BoxTests(SynchronousTestCase):
    """Boxes against the points in them."""

    @settings(max_examples=50, deadline=None)
    @given(boxes, boxes)
    def test_meeting(self, one: Box, other: Box) -> None:
        """What two boxes have in common is a box."""
        both = meeting(one, other)
        self.assertEqual(points(one) & points(other), set() if both is None else points(both))
        self.assertEqual(meet(one, other), both is not None)

    @settings(max_examples=100, deadline=None)
    @given(boxes, st.lists(boxes, max_size=6))
    def test_outside(self, box: Box, blockers: list[Box]) -> None:
        """A part is found where there is one, and all of it is outside."""
        left = points(box).difference(*map(points, blockers))
        part = outside(box, blockers, FULL, Steps(10_000))
        self.assertEqual(part is None, not left)
        if part is not None:
            self.assertLessEqual(points(part), left)

    def test_out_of_steps(self) -> None:
        """A search ends where it may take no more steps."""
        blockers = [{axis: 1, axis + 1: 1, axis + 2: 1} for axis in range(20)]
        self.assertIsNotNone(outside({}, blockers, [3] * 22, Steps(1000)))
        with self.assertRaises(OutOfSteps):
            outside({}, blockers, [3] * 22, Steps(40))

    def test_forced(self) -> None:
        """Rows that leave but one way each are passed in one go, not each in a round of its own."""
        rows = 300
        part = outside({}, [{axis: 1} for axis in range(rows)], [3] * rows, Steps(2 * rows + 2))
        self.assertEqual(part, dict.fromkeys(range(rows), 2))

    def test_deep(self) -> None:
        """A search may be as deep as there are rows: deeper than Python's calls may be."""
        rows = 1200
        blockers = [{axis: 1, axis + 1: 1} for axis in range(0, 2 * rows, 2)]
        part = outside({}, blockers, [3] * 2 * rows, Steps(rows * rows))
        assert part is not None
        self.assertEqual(len(part), rows)
