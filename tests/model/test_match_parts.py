"""Tests of L{edgegate.model.match_parts}."""

from __future__ import annotations

from dataclasses import fields

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.match_parts import as_written, parts
from edgegate.model.matching import HTTPMatch, Kind, StringMatch

A, B = StringMatch(Kind.EXACT, "a"), StringMatch(Kind.PREFIX, "b")


class PartsTests(SynchronousTestCase):
    """A match in parts."""

    def test_all(self) -> None:
        """Each condition is there once, alone, and nothing of the match is missing."""
        match = HTTPMatch(
            uri=A,
            method=B,
            authority=A,
            headers=(("x", A), ("x", B)),
            port=80,
            scheme=B,
            without_headers=(("y", A),),
            query_params=(("q", B),),
        )
        found = list(parts(match))
        self.assertEqual(
            [(each.field, each.name, each.wanted) for each in found],
            [
                ("uri", "", A),
                ("port", "", None),
                ("method", "", B),
                ("scheme", "", B),
                ("authority", "", A),
                ("headers", "x", A),
                ("headers", "x", B),
                ("withoutHeaders", "y", A),
                ("queryParams", "q", B),
            ],
        )
        whole = {field.name: set() if field.default == () else {field.default} for field in fields(HTTPMatch)}
        for each in found:
            for name, values in whole.items():
                value = getattr(each.alone, name)
                values.update(value if isinstance(value, tuple) else {value})
        for name, values in whole.items():
            value = getattr(match, name)
            self.assertEqual(values - {None}, set(value) if isinstance(value, tuple) else {value} - {None}, name)

    def test_words(self) -> None:
        """Each kind of condition is written as in files, with its value as whoever shows it wants."""
        self.assertEqual(as_written(A), "exact a")
        self.assertEqual(as_written(StringMatch(Kind.PREFIX, "/A", ignore_case=True), repr), "prefix '/A' in any case")
        self.assertEqual(as_written(StringMatch(Kind.PRESENT)), "present")

    def test_none(self) -> None:
        """What takes all has none."""
        self.assertEqual(list(parts(HTTPMatch(stat_prefix="s"))), [])
