"""Tests of L{edgegate.analysis.expression_syntax}; that it reads what RE2 does is tested with words."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.analysis import byte_sets
from edgegate.analysis.expression_syntax import Bytes, Choice, Place, Repeat, Sequence, parse
from edgegate.analysis.limits import TooMuch
from edgegate.model.expressions import check_regex

A, B = Bytes(byte_sets.of(b"a")), Bytes(byte_sets.of(b"b"))


class ParseTests(SynchronousTestCase):
    """What expressions are made of."""

    def test_parts(self) -> None:
        """Sequences, choices, quantifiers, places and flags."""
        for expression, node in (
            ("", Sequence()),
            ("ab", Sequence((A, B))),
            ("a|b", Choice((A, B))),
            ("a{2,}", Repeat(A, 2, None)),
            ("a{3}?", Repeat(A, 3, 3)),
            ("a+", Repeat(A, 1, None)),
            ("(ab)?", Repeat(Sequence((A, B)), 0, 1)),
            ("(?:a)", A),
            (r"\Qa\Eb", Sequence((A, B))),
            (r"\x61", A),
            (r"\141", A),
            ("[[:lower:]]", Bytes(byte_sets.LOWER)),
            ("^a$", Sequence((Place.BEGIN, A, Place.END))),
            ("(?m)^", Place.LINE_BEGIN),
            ("(?i)a", Bytes(byte_sets.of(b"aA"))),
            ("(?i:a)b", Sequence((Bytes(byte_sets.of(b"aA")), B))),
        ):
            check_regex(expression)
            self.assertEqual(parse(expression), node, expression)

    def test_text_that_is_no_count(self) -> None:
        """What RE2 takes for text, Python for a repetition."""
        check_regex("a{,2}")
        self.assertIsInstance(parse("a{,2}"), Sequence)

    def test_not_understood(self) -> None:
        """What is not known is refused, though RE2 takes it: it is never guessed at."""
        for expression in (r"\pL", r"\p{Greek}", "(?i)\u00e4", "(" * 70 + "a" + ")" * 70):
            check_regex(expression)
            self.assertRaises(TooMuch, parse, expression)
