"""Tests for L{edgegate.istio.kinds.base}."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.kinds.base import Base64, Duration, DurationOrNone, Note, OneOf


class DurationTests(SynchronousTestCase):
    """Times as Kubernetes writes them."""

    def test_units(self) -> None:
        """All of Go's units, and sums of them."""
        known = {"1.5s": 1.5, "100ms": 0.1, "1h": 3600, "1h30m": 5400, "2m.5s": 120.5, "1000us": 0.001, "+1s": 1}
        for text, seconds in known.items():
            self.assertAlmostEqual(Duration.parse(text), seconds, msg=text)

    def test_refused(self) -> None:
        """No unit, no number, a sign in the middle, spaces, other words."""
        digit = "\N{ARABIC-INDIC DIGIT ONE}"
        for text in ("", "5", "s", "1 s", "1s-1s", "-", "1d", "1sec", "1e3s", f"{digit}s", "1s\n", "1" * 100 + "s"):
            with self.assertRaisesRegex(ValueError, r"expected a duration such as 1\.5s"):
                Duration.parse(text)

    def test_range(self) -> None:
        """At least a millisecond, at most what protobuf can say."""
        self.assertAlmostEqual(Duration.parse("1ms"), 0.001)
        for text in ("0s", "-1s", "999us", "0.5ms"):
            with self.assertRaisesRegex(ValueError, "at least 1ms"):
                Duration.parse(text)
        for text in ("1500us", "1.0000005s", "1s1ns", "0.0010001s"):
            with self.assertRaisesRegex(ValueError, "whole number of milliseconds"):
                Duration.parse(text)
        with self.assertRaisesRegex(ValueError, "10,000 years"):
            Duration.parse("99999999999h")

    @given(st.text(alphabet="0123456789.hmsun-+µ ", max_size=70))
    def test_any(self, text: str) -> None:
        """Whatever stands there is a duration or refused."""
        try:
            self.assertGreater(Duration.parse(text), 0)
        except ValueError:
            return


class Base64Tests(SynchronousTestCase):
    """Bytes in base64."""

    def test_decoding(self) -> None:
        """Line breaks are passed over, as in Go."""
        self.assertEqual(Base64.parse("aGVs\nbG8=\r\n"), b"hello")
        self.assertEqual(Base64.parse(""), b"")

    def test_refused(self) -> None:
        """Other characters, other alphabets and missing padding; the text is not repeated."""
        for text in ("hunter2!", "aGVsbG8", "a-_=", "é"):
            with self.assertRaises(ValueError) as caught:
                Base64.parse(text)
            self.assertEqual(str(caught.exception), "not base64")

    def test_not_shown(self) -> None:
        """The contents are in no representation."""
        self.assertEqual(repr(Base64(b"secret")), "<6 bytes>")


class Pair(OneOf, frozen=True, kw_only=True):
    """A message with two fields that exclude each other."""

    one_of = ("one", "the_other")

    one: int | None = None
    the_other: int | None = None


class OneOfTests(SynchronousTestCase):
    """Fields that exclude each other."""

    def test_one(self) -> None:
        """One or none may be given."""
        self.assertEqual(msgspec.convert({"theOther": 1}, Pair), Pair(the_other=1))
        self.assertEqual(msgspec.convert({}, Pair), Pair())

    def test_both(self) -> None:
        """Both are refused."""
        with self.assertRaises(msgspec.ValidationError):
            msgspec.convert({"one": 0, "theOther": 0}, Pair)


class NoteTests(SynchronousTestCase):
    """Notes at fields."""

    def test_meta(self) -> None:
        """A note is found again in the annotation."""
        note = Note("not honoured yet")
        self.assertEqual(note.meta.extra, {"note": note})


class DurationOrNoneTests(SynchronousTestCase):
    """Times that may be 0."""

    def test_zero(self) -> None:
        """0 is taken in every spelling, what is shorter than 1 ms is 0, and nothing else passes that is no duration."""
        for text, seconds in (("0s", 0.0), ("0", 0.0), ("0h0m0s", 0.0), ("0.0s", 0.0), ("999us", 0.0), ("1.5s", 1.5)):
            self.assertEqual(DurationOrNone.parse(text), seconds, text)
        for text in ("", "-1s", "-1ns", "1", "0x", "99999999999h"):
            self.assertRaises(ValueError, DurationOrNone.parse, text)
