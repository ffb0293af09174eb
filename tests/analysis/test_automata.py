"""Tests of L{edgegate.analysis.automata} and L{edgegate.analysis.expression_syntax}: what RE2 says is right."""

from __future__ import annotations

from hypothesis import given, settings
from twisted.trial.unittest import SynchronousTestCase

from edgegate.analysis.automata import ANY_BYTE, Expression, expression, nicest_first, word
from edgegate.analysis.limits import TooMuch
from edgegate.model.expressions import compiled
from tests.analysis.expressions import expressions, texts


def read(automaton: Expression, text: bytes) -> bool:
    """Whether an automaton accepts a text."""
    state = 0
    for byte in text:
        state = automaton.move(state, byte)
    return automaton.accepts(state)


class ExpressionTests(SynchronousTestCase):
    """What an automaton accepts is what RE2 matches."""

    @settings(max_examples=150, deadline=None)
    @given(expressions, texts)
    def test_as_re2(self, source: str, text: bytes) -> None:
        """Of any text, and of the words that the automaton itself gives, RE2 says the same."""
        engine = compiled(source)
        try:
            automaton = Expression(source)
            found = [word([(automaton, accept)], ANY_BYTE, 2000) for accept in (True, False)]
        except TooMuch:
            return
        for each in (text, *(each for each in found if each is not None)):
            self.assertEqual(read(automaton, each), engine.fullmatch(each) is not None, each)

    def test_most_are_understood(self) -> None:
        """What people write in routes is understood."""
        for source in (
            "/api/v[0-9]+/.*",
            "^/users/(\\d+)(/orders)?$",
            "(?i)/shop/[a-z-]+",
            "\\Q/a.b\\E/\\w{2,8}",
            "(?:.*\\.)?example\\.com",
            "[[:alnum:]_]+@[^@]+",
            "/a/(?P<id>[^/]+)|/b",
            "\\b(?:qa|beta)\\b.*",
            "\u00fc+",
        ):
            self.assertIsNotNone(word([(expression(source), True)], ANY_BYTE), source)

    def test_refused(self) -> None:
        """What is not understood or too large is refused each time, with the expression in the message."""
        for source in ("\\pL", "(?i)\u00e9", "(?:.{999}){9}", "(" * 70 + ")" * 70):
            for _ in range(2):
                with self.assertRaises(TooMuch) as caught:
                    expression(source)
                self.assertIn(source, str(caught.exception))


class WordTests(SynchronousTestCase):
    """Words of several automata."""

    def test_shortest(self) -> None:
        """A word is as short as can be, of the letters that are allowed and nice ones where it may choose."""
        both = [(expression("/a.*"), True), (expression(".*/[0-9]{2}"), True), (expression(".*/11"), False)]
        self.assertEqual(word(both, ANY_BYTE), b"/a/00")
        self.assertEqual(word(both, b"/a7"), b"/a/77")
        self.assertIsNone(word(both, b"/a1"))

    def test_too_much(self) -> None:
        """A product of too many states is not walked through to its end."""
        wanted = [(expression("(a|b)*a(a|b){12}"), True), (expression("(a|b)*b(a|b){11}"), False)]
        with self.assertRaises(TooMuch):
            word([*wanted, (expression("[^a]*"), True)], b"ab", 10)

    def test_nicest_first(self) -> None:
        """Letters come before what is hard to read."""
        self.assertEqual(nicest_first(1 << 0x00 | 1 << ord("z") | 1 << ord("a")), b"az\x00")


class RelationTests(SynchronousTestCase):
    """What two expressions have to do with each other."""

    @settings(max_examples=80, deadline=None)
    @given(expressions, expressions, texts)
    def test_as_re2(self, one: str, other: str, text: bytes) -> None:
        """A word proves that there is one, and where there is none RE2 knows none."""
        a, b = compiled(one).fullmatch, compiled(other).fullmatch
        try:
            first, second = expression(one), expression(other)
            found = word([(first, True), (second, False)], ANY_BYTE)
            both = word([(first, True), (second, True)], ANY_BYTE)
        except TooMuch:
            return
        self.assertEqual(found is not None and not (a(found) and not b(found)), False)
        self.assertEqual(both is not None and not (a(both) and b(both)), False)
        self.assertFalse(found is None and a(text) and not b(text))
        self.assertFalse(both is None and a(text) and b(text))

    def test_relations(self) -> None:
        """Inclusion and disjointness are decided, for words that can be sent."""
        for one, other, accept, allowed, empty in (
            ("/a/[0-9]+", "/a/.*", False, ANY_BYTE, True),
            ("/a/.*", "/a/[0-9]+", False, ANY_BYTE, False),
            ("/a/.*", "/b/.*", True, ANY_BYTE, True),
            ("/a/.*", ".*/b", True, ANY_BYTE, False),
            ("(?s).*", ".*", False, ANY_BYTE, False),
            ("(?s).*", ".*", False, range(0x20, 0x100), True),
        ):
            found = word([(expression(one), True), (expression(other), accept)], allowed)
            self.assertEqual(found is None, empty, (one, other))
