"""Tests of L{edgegate.access.texts}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.texts import Texts

LETTERS = some.text(alphabet="ab*", max_size=4).map(str.encode)


def fits(value: bytes, text: bytes) -> bool:
    """Whether a text fits a value, in the words of Istio's matcher."""
    if value == b"*":
        return len(text) > 0
    if value.startswith(b"*"):
        return text.endswith(value[1:])
    return text.startswith(value[:-1]) if value.endswith(b"*") else text == value


class TextsTests(SynchronousTestCase):
    """Values with wildcards."""

    @given(some.lists(LETTERS, max_size=4), LETTERS)
    def test_any_of(self, values: list[bytes], text: bytes) -> None:
        """One that fits is enough."""
        self.assertEqual(Texts(values).fits(text), any(fits(each, text) for each in values))

    def test_empty(self) -> None:
        """C{*} is for what is not empty, unless told otherwise."""
        self.assertFalse(Texts([b"*"]).fits(b""))
        self.assertTrue(Texts([b"*"], empty=True).fits(b""))
        self.assertFalse(Texts([]).fits(b""))

    def test_literal(self) -> None:
        """A text may be taken as it stands."""
        self.assertTrue(Texts((), literal=[b"a*"]).fits(b"a*"))
        self.assertFalse(Texts((), literal=[b"a*"]).fits(b"ab"))

    def test_plain(self) -> None:
        """Exact texts and prefixes may be all that fits, but for what expressions match."""
        self.assertTrue(Texts([b"a", b"b*"]).plain)
        for value in (b"*", b"*a"):
            self.assertFalse(Texts([b"a", value]).plain)
