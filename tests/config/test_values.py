"""Tests for L{edgegate.config.values}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.values import MAX_SHOWN, closest, describe, show, suggestion, type_name


class ValueTests(SynchronousTestCase):
    """Values in messages."""

    def test_describe(self) -> None:
        """Type and value, as JSON has them; collections by their type alone."""
        known = {'string "80"': "80", "integer 80": 80, "number 0.5": 0.5, "boolean true": True, "null": None}
        for text, value in known.items():
            self.assertEqual(describe(value), text)
        self.assertEqual(describe({"a": 1}), "object")
        self.assertEqual(describe([1]), "array")
        self.assertEqual(type_name(b""), "value")

    def test_long_and_odd(self) -> None:
        """Long values are shortened, and line breaks escaped."""
        self.assertEqual(len(show("x" * 500)), MAX_SHOWN + 2)
        self.assertEqual(len(show(10**400)), MAX_SHOWN)
        self.assertEqual(show("a\nb"), '"a\\nb"')

    def test_suggestion(self) -> None:
        """A misspelt word finds what it resembles, in any case."""
        self.assertEqual(suggestion("mdoe", ["mode", "host"]), '; did you mean "mode"?')
        self.assertEqual(suggestion("simple", ["SIMPLE"]), '; did you mean "SIMPLE"?')
        self.assertEqual(suggestion("zebra", ["mode"]), "")
        self.assertIsNone(closest("abc", ["abd"], cutoff=0.9))
