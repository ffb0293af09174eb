"""Tests of L{edgegate.analysis.cells}."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.analysis.automata import word
from edgegate.analysis.cells import CellReader, Texts
from edgegate.analysis.limits import TooMuch
from edgegate.model.matching import Kind, StringMatch, text_condition

LETTERS = b"aAb/-"
values = st.text("aAb/", max_size=3)
conditions = st.lists(
    st.builds(StringMatch, st.sampled_from([Kind.EXACT, Kind.PREFIX]), values, st.booleans()), max_size=6
)


class TextsTests(SynchronousTestCase):
    """Texts by exact values and prefixes."""

    @settings(max_examples=80, deadline=None)
    @given(conditions, st.lists(st.sampled_from(LETTERS), max_size=4).map(bytes), st.sampled_from([b"", b"/"]))
    def test_samples(self, given_: list[StringMatch], text: bytes, start: bytes) -> None:
        """Whatever a text satisfies, one of the samples that begin as it does satisfies the same."""
        texts = Texts(given_, LETTERS)
        text = start + text
        expected = sum(text_condition(match)(text) << bit for bit, match in enumerate(texts.conditions))
        self.assertEqual(texts.vector(text), expected)
        samples = {texts.vector(each) for each in texts.samples(start) if each.startswith(start)}
        self.assertIn(expected, samples)
        found = word([(CellReader(texts, frozenset([expected])), True)], LETTERS)
        self.assertIsNotNone(found)
        self.assertEqual(texts.vector(found or b""), expected)
        others = frozenset(samples - {expected})
        found = word([(CellReader(texts, others), True)], LETTERS)
        self.assertTrue(found is None or texts.vector(found) != expected)

    def test_no_letter_left(self) -> None:
        """Where values begin in all ways, cells are not told from each other."""
        texts = Texts([StringMatch(Kind.PREFIX, letter) for letter in "ab"], b"ab")
        with self.assertRaises(TooMuch):
            list(texts.samples())
