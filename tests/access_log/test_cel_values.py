"""Tests of L{edgegate.access_log.cel_values}."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access_log.cel_values import FUNCTIONS, OPERATORS, Duration, EvaluationError, Headers, boolean, text_of


class CELValuesTests(SynchronousTestCase):
    """What is made of values."""

    def test_headers(self) -> None:
        """Of a header that came several times the values have commas between them; names have no case."""
        headers = Headers([(b"x-a", b"1"), (b"x-b", b"\xff"), (b"x-a", b"2")])
        self.assertEqual([headers.find(name) for name in ("X-A", "x-b", "x-c", 1)], ["1,2", "\\xff", None, None])
        self.assertEqual(FUNCTIONS["size"](headers), 2)
        self.assertTrue(OPERATORS["in"]("x-a", headers))

    def test_operators(self) -> None:
        """Numbers, strings and durations are compared with their like."""
        second: Any = FUNCTIONS["duration"]("1000ms")
        for left, operator, right, expected in (
            (1, "==", 1.0, True),
            (1, "==", True, False),
            (second, "==", 1.0, False),
            (second, "<", Duration(1.5), True),
            ("a", ">=", "b", False),
            ("a", "in", ["b", "a"], True),
        ):
            self.assertIs(OPERATORS[operator](left, right), expected, (left, operator, right))
        self.assertEqual(OPERATORS["+"](second, Duration(0.5)).value, 1.5)
        self.assertEqual(OPERATORS["+"]([1], [2]), [1, 2])

    def test_errors(self) -> None:
        """Whatever has no value is an error of CEL, and never one of Python."""
        huge = 10**400
        for wrong in (
            lambda: OPERATORS["<"](1, "a"),
            lambda: OPERATORS["+"](True, 1),
            lambda: OPERATORS["+"](huge, 0.5),
            lambda: OPERATORS["in"](1, 2),
            lambda: FUNCTIONS["int"](float("inf")),
            lambda: FUNCTIONS["int"]("x"),
            lambda: FUNCTIONS["double"](huge),
            lambda: FUNCTIONS["string"](10**5000),
            lambda: FUNCTIONS["duration"]("1 day"),
            lambda: FUNCTIONS["size"](1),
            lambda: FUNCTIONS["contains"]("a", 1),
            lambda: boolean(1),
            lambda: text_of(b"a"),
        ):
            self.assertRaises(EvaluationError, wrong)
