"""Tests of L{edgegate.diff.cells}."""

from __future__ import annotations

import string

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.diff.cells import Cell, cells
from edgegate.model.hosts import normalise
from edgegate.routing.hosts import HostTable, host_of

PATTERNS = (
    "*",
    "*.a",
    "*.b.a",
    "b.a",
    "c.b.a",
    "*-v1.a",
    "*1.a",
    "any.a",
    "some.a",
    "[::1]",
    "*.example",
    "*x",
    "*.test",
    "x",
)
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
    "a.test",
    "0x",
    "[::1]",
)


def dict_of(*patterns: str) -> dict[str, str]:
    """Return the names by their patterns."""
    return {cell.pattern: cell.name for cell in cells(patterns)}


class CellsTests(SynchronousTestCase):
    """Names that stand for all."""

    def test_names(self) -> None:
        """A name stands for itself, a wildcard has one that no narrower pattern matches."""
        self.assertEqual(
            list(cells(["any.a", "*.a", "*"])),
            [Cell("any.a", "any.a"), Cell("*.a", "some.a"), Cell("*", "any.example")],
        )

    def test_top_labels(self) -> None:
        """All names have one that stands for them, whatever wildcards there are for top labels."""
        self.assertEqual(dict_of("*", "*.example")["*"], "any.test")
        self.assertEqual(dict_of("*", "*.example", "*.test", "*.invalid")["*"], "x")
        one = string.ascii_lowercase + string.digits
        found = dict_of("*", "*.example", "*.test", "*.invalid", *one, *(f"*{each}" for each in one))
        self.assertEqual(found["*"], "~")
        self.assertEqual(host_of(found["*"].encode()), found["*"])

    def test_room(self) -> None:
        """A wildcard has a name where there is room for a character."""
        wildcard = "*." + "a" * 251
        self.assertEqual(normalise(wildcard), wildcard)
        self.assertEqual(list(cells([wildcard])), [Cell(wildcard, "x" + wildcard[1:])])
        self.assertEqual(list(cells([wildcard + "a"])), [])

    @settings(max_examples=200, deadline=None)
    @given(st.sets(st.sampled_from(PATTERNS)), st.sets(st.sampled_from(PATTERNS)))
    def test_all(self, old: set[str], new: set[str]) -> None:
        """Every name is found in both tables as the one that stands for it."""
        tables = [HostTable((pattern, pattern) for pattern in each) for each in (old, new)]
        standing = {tuple(table.lookup(cell.name) for table in tables) for cell in cells([*old, *new])}
        for name in NAMES:
            found = tuple(table.lookup(name) for table in tables)
            self.assertIn(found, standing | {(None, None)})
