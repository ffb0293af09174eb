"""Tests of L{edgegate.model.cel_literals}."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from time import perf_counter

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.cel_literals import MOST_NANOSECONDS, double, integer, nanoseconds, number, string


class LiteralsTests(SynchronousTestCase):
    """What is read as CEL says, not as Python has it."""

    def refused(self, read: Callable[[str], object], texts: Iterable[str]) -> None:
        """Each of some texts is none."""
        for text in texts:
            self.assertRaises(ValueError, read, text)

    def test_numbers(self) -> None:
        """Integers have 64 bits, unsigned ones as well, and may be hexadecimal; doubles may begin with their point."""
        for text, expected in (
            ("12", 12),
            ("007", 7),
            ("-9223372036854775808", -(1 << 63)),
            ("0xFFFFFFFFFFFFFFFFu", (1 << 64) - 1),
            ("-0x1f", -31),
            ("12U", 12),
            (".5", 0.5),
            ("-1.5e-3", -0.0015),
            ("1e3", 1000.0),
        ):
            found = number(text)
            self.assertEqual((found, type(found)), (expected, type(expected)), text)
        self.refused(number, ("9223372036854775808", "-1u", "1e999", "1_0", "0x", "1.", "\u0661", "9" * 5000, "1.5u"))

    def test_integers(self) -> None:
        """C{int()} takes digits of ASCII with a sign, and nothing around them."""
        self.assertEqual([integer(text) for text in ("+1", "-0", "9223372036854775807")], [1, 0, (1 << 63) - 1])
        self.refused(integer, ("", "1_000", " 1", "1\n", "\u0661", "0x1", "1.0", "9223372036854775808", "9" * 60_000))

    def test_doubles(self) -> None:
        """C{double()} takes what is written as a number, and infinity."""
        self.assertEqual([double(text) for text in ("1", "-1.5e3", ".5", "1.")], [1.0, -1500.0, 0.5, 1.0])
        self.assertEqual((double("-Infinity"), math.isnan(double("nan"))), (-math.inf, True))
        self.refused(double, ("", "1_0", " 1", "1 ", "0x1p3", "\u0661", ".", "e5"))

    def test_durations(self) -> None:
        """C{duration()} takes amounts with units, one behind the other."""
        for text, expected in (
            ("1h30m", 5_400_000_000_000),
            ("-1.5s", -1_500_000_000),
            ("+1m1ms1us1ns", 60_001_001_001),
            (".5h", 1_800_000_000_000),
            ("1.\u00b5s", 1000),
            ("0", 0),
            ("1.0000000009s", 1_000_000_000),
            ("315576000000s", MOST_NANOSECONDS),
        ):
            self.assertEqual(nanoseconds(text), expected, text)
        self.refused(
            nanoseconds,
            ("", "1", "1 day", "1d", "s", "1h 30m", "1h-30m", " 1s", "1s\n", "315576000001s", "9" * 60_000 + "h", ".s"),
        )

    def test_strings(self) -> None:
        """Strings have CEL's escapes; raw ones have none, and those in three quotes may have several lines."""
        for token, expected in (
            (r'"a\"b"', 'a"b'),
            (r"'\a\b\f\n\r\t\v\\\?\"\'\`'", "\a\b\f\n\r\t\v\\?\"'`"),
            (r"'\x41\X42\u00e4\U0001F600\101'", "ABä\U0001f600A"),
            (r"r'\d+\'", "\\d+\\"),
            (r'R"""a"\n"""', 'a"\\n'),
            ('"""a\n"b"\\t"""', 'a\n"b"\t'),
            ("''", ""),
            ("''''''", ""),
        ):
            self.assertEqual(string(token), expected, token)
        for token, why in (
            (r"'\d'", r"has \d, which is no escape of CEL"),
            (r"'\x4'", r"has \x, which is no escape of CEL"),
            (r"'\8'", r"has \8, which is no escape of CEL"),
            (r"'\N{DIGIT ONE}'", r"has \N, which is no escape of CEL"),
            (r"'\ud800'", r"has \ud800, which is no character"),
            (r"'\U00110000'", r"has \U00110000, which is no character"),
        ):
            self.assertEqual(str(self.assertRaises(ValueError, string, token)), why)

    def test_time(self) -> None:
        """What clients send is refused in no time, however long it is."""
        begun = perf_counter()
        for text in ("9" * 60_000 + "x", "1." + "9" * 60_000, "1h" * 30_000 + "x", "." * 60_000):
            for read in (integer, nanoseconds):
                self.assertRaises(ValueError, read, text)
            if "x" in text:
                self.assertRaises(ValueError, double, text)
        self.assertLess(perf_counter() - begun, 2)
