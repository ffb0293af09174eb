"""Tests of L{edgegate.model.patterns}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.hosts import intersection, is_partial, subset_of
from edgegate.model.patterns import PatternIndex, wider

NAMES = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4).map(".".join)
PATTERNS = st.one_of(st.just("*"), NAMES, NAMES.map("*.{}".format), NAMES.map("*{}".format), NAMES.map("*-{}".format))


class WiderTests(SynchronousTestCase):
    """The patterns that cover a pattern."""

    def test_order(self) -> None:
        """They come narrowest first, as hosts are looked up."""
        self.assertEqual(list(wider("x.a.b")), ["x.a.b", "*.a.b", "*.b", "*"])
        self.assertEqual(list(wider("*.a.b")), ["*.a.b", "*.b", "*"])
        self.assertEqual(list(wider("localhost")), ["localhost", "*"])
        self.assertEqual(list(wider("*")), ["*"])

    def test_parts_of_labels(self) -> None:
        """Those whose wildcard stands for a part of a label have their place among them, by length."""
        partial = ["*a.b", "*-x.a.b", "*b", "*c"]
        self.assertEqual(list(wider("y-x.a.b", partial)), ["y-x.a.b", "*-x.a.b", "*.a.b", "*a.b", "*.b", "*b", "*"])
        self.assertEqual(list(wider("*.a.b", partial)), ["*.a.b", "*a.b", "*.b", "*b", "*"])
        self.assertEqual(list(wider("*a.b", partial)), ["*a.b", "*.b", "*b", "*"])
        self.assertEqual(list(wider("a.b", partial)), ["a.b", "*a.b", "*.b", "*b", "*"])

    @given(PATTERNS, PATTERNS)
    def test_as_subset(self, one: str, other: str) -> None:
        """They are exactly the patterns that it lies within."""
        self.assertEqual(one in wider(other, [one] if is_partial(one) else []), subset_of(other, one))


class PatternIndexTests(SynchronousTestCase):
    """Finding the patterns that have names in common with another."""

    @given(st.lists(PATTERNS), PATTERNS)
    def test_as_intersection(self, patterns: list[str], asked: str) -> None:
        """An index finds what comparing with every pattern would find."""
        index: PatternIndex[int] = PatternIndex()
        expected = []
        for number, pattern in enumerate(patterns):
            index.add(pattern, number)
            common = intersection(pattern, asked)
            if common is not None:
                expected.append((common, number))
        self.assertEqual(sorted(index.intersecting(asked)), sorted(expected))

    def test_sides(self) -> None:
        """What covers a pattern and what it covers are told apart."""
        index: PatternIndex[int] = PatternIndex()
        for number, pattern in enumerate(("*", "*.b", "a.b")):
            index.add(pattern, number)
        self.assertEqual(list(index.covering("*.b")), [("*.b", 1), ("*", 0)])
        self.assertEqual(list(index.below("*.b")), [("a.b", 2)])
