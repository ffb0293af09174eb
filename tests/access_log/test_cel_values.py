"""Tests of L{edgegate.access_log.cel_values}."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access_log.cel_values import FUNCTIONS, OPERATORS, EvaluationError, Headers, boolean, seconds, text_of


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
            (second, "<", seconds(1.5), True),
            ("a", ">=", "b", False),
            ("a", "in", ["b", "a"], True),
        ):
            self.assertIs(OPERATORS[operator](left, right), expected, (left, operator, right))
        self.assertEqual(OPERATORS["+"](second, seconds(0.5)).value, 1_500_000_000)
        self.assertEqual(OPERATORS["+"]([1], [2]), [1, 2])

    def test_conversions(self) -> None:
        """Strings are made into numbers and durations as CEL has it, and the other way round."""
        for function, value, expected in (
            ("int", "-12", -12),
            ("int", 1.9, 1),
            ("double", "1.5e3", 1500.0),
            ("string", 12, "12"),
            ("string", True, "true"),
            ("string", seconds(-0.25), "-0.25s"),
            ("string", seconds(123456.789), "123456.789s"),
            ("string", seconds(100), "100s"),
        ):
            self.assertEqual(FUNCTIONS[function](value), expected, (function, value))
        of = FUNCTIONS["duration"]
        self.assertTrue(OPERATORS["=="](of("1h30m"), of("90m")))
        self.assertTrue(OPERATORS["=="](OPERATORS["+"](of("0.1s"), of("0.2s")), of("300ms")))

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
            lambda: FUNCTIONS["int"]("1_000"),
            lambda: FUNCTIONS["int"](" 1"),
            lambda: FUNCTIONS["int"]("\u0661"),
            lambda: FUNCTIONS["int"](1e300),
            lambda: FUNCTIONS["int"]("9223372036854775808"),
            lambda: FUNCTIONS["int"](FUNCTIONS["duration"]("1s")),
            lambda: FUNCTIONS["double"]("1_0.0"),
            lambda: OPERATORS["+"](9223372036854775807, 1),
            lambda: OPERATORS["+"](FUNCTIONS["duration"]("315576000000s"), FUNCTIONS["duration"]("1s")),
            lambda: FUNCTIONS["double"](huge),
            lambda: FUNCTIONS["string"](10**5000),
            lambda: FUNCTIONS["duration"]("1 day"),
            lambda: FUNCTIONS["size"](1),
            lambda: FUNCTIONS["contains"]("a", 1),
            lambda: boolean(1),
            lambda: text_of(b"a"),
        ):
            self.assertRaises(EvaluationError, wrong)
