"""Tests of L{edgegate.model.cel}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.cel import (
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_OPERATORS,
    Attribute,
    Binary,
    Call,
    Conditional,
    Constant,
    Has,
    Item,
    ListOf,
    Not,
    parse,
)
from edgegate.model.cel_tokens import BadExpression

PATH = Attribute("request", "path")


class ParseTests(SynchronousTestCase):
    """Expressions that are read."""

    def test_precedence(self) -> None:
        """Comparisons bind more than &&, and that more than ||; a condition binds least."""
        code = Attribute("response", "code")
        self.assertEqual(
            parse("response.code >= 400 && !has(request.path) || true ? 1 : -2"),
            Conditional(
                Binary("||", Binary("&&", Binary(">=", code, Constant(400)), Not(Has(PATH))), Constant(True)),
                Constant(1),
                Constant(-2),
            ),
        )

    def test_values(self) -> None:
        """Literals, lists, fields and indexes."""
        self.assertEqual(parse('"a\\"b"'), Constant('a"b'))
        self.assertEqual(parse("'a'"), Constant("a"))
        self.assertEqual(parse("1.5"), Constant(1.5))
        self.assertEqual(parse("[1, null]"), ListOf((Constant(1), Constant(None))))
        headers = Attribute("request", "headers")
        self.assertEqual(parse("request.headers['x-a']"), Item(headers, Constant("x-a")))
        self.assertEqual(parse("request.headers.referer"), Item(headers, Constant("referer")))
        self.assertEqual(parse("!!true"), Not(Not(Constant(True))))
        self.assertEqual(parse("[0x1F, -0x10, .5]"), ListOf((Constant(31), Constant(-16), Constant(0.5))))
        self.assertEqual(parse(r"r'\d' + '\x41'"), Binary("+", Constant(r"\d"), Constant("A")))
        self.assertEqual(parse("duration('1h30m')"), Call("duration", (Constant("1h30m"),)))
        self.assertEqual(parse("int(request.path)"), Call("int", (PATH,)))

    def test_refused(self) -> None:
        """What is wrong is told, and where."""
        for text, why in (
            ("", "a value is expected"),
            ("1 +", "a value is expected"),
            ("(1", "')' is expected"),
            ("1 2", "'2' at character 3 is too much"),
            ("request.path @", "'@' at character 14 is nothing that is known here"),
            ("requets.path", "there is no 'requets' here"),
            ("response.cod", "there is no response.cod here"),
            ("filter_state['x']", "there is no 'filter_state' here"),
            ("has(1)", "has() takes an attribute"),
            ("nope(1)", "there is no function nope here"),
            ("request.path.nope('x')", "there is no function nope here"),
            ("size(1, 2)", "size() takes one argument"),
            ("request.path.contains()", "contains() takes one argument"),
            ("sample(101)", "sample() takes a percentage"),
            ("sample(response.code)", "sample() takes a percentage"),
            ("request.path.matches(request.host)", "matches() takes a regular expression in quotes"),
            (r"request.path.matches('\\Q/a.b')", "is no regular expression of RE2"),
            ("||".join(["true"] * (MAX_OPERATORS + 2)), f"more than {MAX_OPERATORS} operators"),
            ("&&".join(["true"] * (MAX_OPERATORS + 2)), f"more than {MAX_OPERATORS} operators"),
            ("+".join(["1"] * (MAX_OPERATORS + 2)), f"more than {MAX_OPERATORS} operators"),
            ("request.headers" + "['a']" * (MAX_OPERATORS + 1), f"more than {MAX_OPERATORS} operators"),
            ("request.path.matches('(')", "'(' is no regular expression of RE2"),
            ("-request.path", "a minus stands before a number only"),
            ("-true", "a minus stands before a number only, not before 'true'"),
            ("--1", "a minus stands before a number only"),
            ("'a' + '\\x'", "'\\x' at character 7 has \\x, which is no escape of CEL"),
            ("18446744073709551616u", "18446744073709551616u at character 1 is too large a number"),
            ("1.5u", "1.5u at character 1 is no number"),
            ("request.path == '\ud800'", "half of a surrogate pair is no character"),
            ("duration('1 day')", "'1 day' in duration() is no duration, as 1h30m and 1.5s are"),
            ("int('1_000')", "'1_000' in int() is no integer"),
            ("double('1,5')", "'1,5' in double() is no number"),
            ("x" * (MAX_LENGTH + 1), f"longer than {MAX_LENGTH}"),
            ("(" * (MAX_DEPTH + 1) + "1", f"more than {MAX_DEPTH}"),
        ):
            self.assertIn(why, str(self.assertRaises(BadExpression, parse, text)), text)

    def test_suggestion(self) -> None:
        """What is misspelt is told with what would be known."""
        error = self.assertRaises(BadExpression, parse, "response.cod")
        self.assertEqual(error.word, "cod")
        self.assertIn("code", error.known)
