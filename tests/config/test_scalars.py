"""Tests for L{edgegate.config.scalars}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.scalars import resolve, short_tag, tagged


class ResolveTests(SynchronousTestCase):
    """Plain scalars mean what they mean to kubectl."""

    def test_booleans(self) -> None:
        """The words of YAML 1.1 are booleans in three ways of writing, and in no others."""
        for text in ("yes", "Yes", "YES", "on", "y", "true", "True"):
            self.assertIs(resolve(text), True, text)
        for text in ("no", "off", "N", "false"):
            self.assertIs(resolve(text), False, text)
        for text in ("yEs", "oN", "truee"):
            self.assertEqual(resolve(text), text)

    def test_null(self) -> None:
        """Nothing, a tilde and null are null."""
        for text in ("", "~", "null", "Null"):
            self.assertIsNone(resolve(text))

    def test_integers(self) -> None:
        """Integers may be octal, hexadecimal or binary, and grouped by underscores."""
        known = {"80": 80, "-1": -1, "+7": 7, "0x10": 16, "017": 15, "0o17": 15, "0b11": 3, "1_000": 1000, "0": 0}
        for text, value in known.items():
            self.assertEqual(resolve(text), value, text)
            self.assertIs(type(resolve(text)), int)

    def test_numbers(self) -> None:
        """A number without fraction is an integer, as in JSON."""
        self.assertEqual(resolve("0.5"), 0.5)
        self.assertEqual(resolve(".5"), 0.5)
        self.assertIs(type(resolve("80.0")), int)
        self.assertEqual(resolve("1e2"), 100)
        self.assertEqual(resolve("08"), 8)

    def test_strings(self) -> None:
        """Times, dates and base-60 numbers stay strings, and so does whatever is too long for a number."""
        for text in ("12:30", "2026-01-31", "1.2.3.4", "0x", "-", "+", ".", "1e999", "9" * 5000, "0b12"):
            self.assertEqual(resolve(text), text)

    def test_not_in_json(self) -> None:
        """Infinity and not-a-number can't be said in JSON."""
        for text in (".inf", "-.INF", ".nan"):
            with self.assertRaisesRegex(ValueError, "quote it"):
                resolve(text)

    @given(st.text(alphabet="0123456789+-._eExXobnaif:", max_size=80))
    def test_any_number(self, text: str) -> None:
        """Whatever looks like a number is one, a string, or refused."""
        try:
            value = resolve(text)
        except ValueError:
            return
        self.assertIsInstance(value, int | float | str | None)


class TaggedTests(SynchronousTestCase):
    """Explicit tags."""

    def test_string(self) -> None:
        """C{!!str 80} is a string, and so is C{! 80}."""
        self.assertEqual(tagged("tag:yaml.org,2002:str", "80"), "80")
        self.assertEqual(tagged("!", "80"), "80")

    def test_types(self) -> None:
        """A value must be of its tag's type."""
        self.assertEqual(tagged("tag:yaml.org,2002:int", "80"), 80)
        for tag, text in (("int", "x"), ("int", "yes"), ("bool", "1"), ("null", "1")):
            with self.assertRaisesRegex(ValueError, f"not a value for the tag !!{tag}"):
                tagged(f"tag:yaml.org,2002:{tag}", text)

    def test_unknown(self) -> None:
        """Tags of a program, and those that make objects in Python, are refused."""
        for tag in ("!foo", "tag:yaml.org,2002:python/name:os.system", "tag:yaml.org,2002:binary"):
            with self.assertRaisesRegex(ValueError, "not understood"):
                tagged(tag, "x")

    def test_short(self) -> None:
        """Messages show tags as they are written."""
        self.assertEqual(short_tag("tag:yaml.org,2002:set"), "!!set")
        self.assertEqual(short_tag("!foo"), "!foo")
