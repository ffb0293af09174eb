"""Tests of L{edgegate.diff.cells}."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.diff.cells import Cell, cells
from edgegate.routing.hosts import HostTable

PATTERNS = ("*", "*.a", "*.b.a", "b.a", "c.b.a", "*-v1.a", "*1.a", "any.a", "some.a", "[::1]")
NAMES = (
    "a",
    "b.a",
    "x.a",
    "any.a",
    "some.a",
    "x-v1.a",
    "any-v1.a",
    "y1.a",
    "c.b.a",
    "d.b.a",
    "z",
    "any.example",
    "[::1]",
)


class CellsTests(SynchronousTestCase):
    """Names that stand for all."""

    def test_names(self) -> None:
        """A name stands for itself, a wildcard has one that no narrower pattern matches."""
        self.assertEqual(
            list(cells(["any.a", "*.a", "*"])),
            [Cell("any.a", "any.a"), Cell("*.a", "some.a"), Cell("*", "any.example")],
        )

    def test_no_room(self) -> None:
        """A wildcard that is as long as a name may be has no name."""
        self.assertEqual(list(cells(["*." + "a" * 252])), [])

    @settings(max_examples=200, deadline=None)
    @given(st.sets(st.sampled_from(PATTERNS)), st.sets(st.sampled_from(PATTERNS)))
    def test_all(self, old: set[str], new: set[str]) -> None:
        """Every name is found in both tables as the one that stands for it."""
        tables = [HostTable((pattern, pattern) for pattern in each) for each in (old, new)]
        standing = {tuple(table.lookup(cell.name) for table in tables) for cell in cells([*old, *new])}
        for name in NAMES:
            found = tuple(table.lookup(name) for table in tables)
            self.assertIn(found, standing | {(None, None)})
