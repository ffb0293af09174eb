"""Tests of L{edgegate.analysis.joined_fields}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.analysis.axes import Numbers
from edgegate.analysis.boxes import Box, outside
from edgegate.analysis.joined_fields import JoinedAxes
from edgegate.analysis.limits import Steps
from edgegate.model.matching import Kind, StringMatch

PRESENT = StringMatch(Kind.PRESENT)
A, EMPTY = StringMatch(Kind.EXACT, "a=1"), StringMatch(Kind.EXACT, "")
ANY, LETTERS = StringMatch(Kind.PREFIX, "a"), StringMatch(Kind.REGEX, "[a-z=0-9]*")


class JoinedAxesTests(SynchronousTestCase):
    """The cookies of a request."""

    def found(self, *asked: tuple[StringMatch, bool]) -> bytes | str | None:
        """Return a value for which conditions hold or don't; L{None}: there is no field; C{none}: there is no way."""
        steps = Steps(1_000_000)
        numbers = Numbers(steps)
        axes = JoinedAxes(
            "cookie",
            [match for match, holds in asked if holds],
            [match for match, holds in asked if not holds],
            numbers,
        )
        box: dict[int, int] = {}
        for match, holds in asked:
            axes.add(box, match, holds)
        part: Box | None = outside(box, numbers.constraints, numbers.full, steps) if all(box.values()) else None
        return "none" if part is None else axes.value(part)

    def test_holding(self) -> None:
        """A condition that must hold is one on the whole value."""
        self.assertEqual(self.found((A, True)), b"a=1")
        self.assertIsNotNone(self.found((PRESENT, True)))
        self.assertEqual(self.found((A, True), (EMPTY, True)), "none")

    def test_not_holding(self) -> None:
        """One that must not hold is none on the value, nor on a part of it; nothing is the easiest."""
        self.assertIsNone(self.found((A, False)))
        self.assertEqual(self.found((A, True), (ANY, False)), "none")
        self.assertEqual(self.found((A, True), (PRESENT, False)), "none")
        value = self.found((PRESENT, True), (ANY, False))
        self.assertTrue(isinstance(value, bytes) and not value.startswith(b"a"), value)

    def test_missing_is_empty(self) -> None:
        """To a condition that must not hold a header that is not there is an empty one."""
        self.assertNotIn(self.found((EMPTY, False)), (None, b"", "none"))
        value = self.found((LETTERS, False))
        self.assertTrue(isinstance(value, bytes) and value, value)
        self.assertEqual(self.found((EMPTY, False), (PRESENT, False)), "none")
