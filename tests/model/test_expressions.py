"""Tests of L{edgegate.model.expressions}."""

from __future__ import annotations

import re

import re2
from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.expressions import MAX_REGEX, check_regex, substitution
from edgegate.model.matching import Kind, StringMatch, text_condition


class RegexTests(SynchronousTestCase):
    """Regular expressions are RE2's, whichever engine runs them."""

    def test_refused(self) -> None:
        """What RE2 does not know, and what is too long, is refused with a reason."""
        for expression in ("(", "[z-a]", "*", "a**", "(?=a)", r"(a)\1", "(?<!a)b", "a{2,1}"):
            self.assertTrue(str(self.assertRaises(ValueError, check_regex, expression)), expression)
        self.assertRaises(ValueError, check_regex, "a" * (MAX_REGEX + 1))
        check_regex("a" * MAX_REGEX)

    def test_linear(self) -> None:
        """A hostile path does not cost exponential time, nor even the square of its length."""
        for expression in (
            "(a+)+b",
            "(a|aa)+b",
            "(.*)(.*)(.*)b",
            ".*.*.*b",
            "(?:a?){50}a{50}b",
            ".*" + "a" * 900 + "b",
        ):
            self.assertFalse(text_condition(StringMatch(Kind.REGEX, expression))(b"a" * 60000))

    def test_engines(self) -> None:
        """Only plain expressions leave RE2."""
        for expression, expected in (
            ("/api/v1/.*", re.Pattern),
            (r"/v\d+/items", re.Pattern),
            (r"/[a-z0-9_.-]+\.html", re.Pattern),
            ("", re.Pattern),
            ("/a*", None),
            (".*.*", None),
            (".*?", None),
            (".{2}", None),
            (r"\.*", None),
            ("(a)", None),
            ("a|b", None),
            ("^/a$", None),
            (r"\s", None),
            (r"\bx", None),
            ("[^a]", None),
            ("[--a]", None),
            ("[[:alpha:]]", None),
            ("[a-c-e]", None),
            ("é", None),
            (".*" + "a" * 65, None),
        ):
            check = text_condition(StringMatch(Kind.REGEX, expression))
            engine = next(cell.cell_contents for cell in check.__closure__ or ()).__self__
            self.assertEqual(isinstance(engine, re.Pattern), expected is re.Pattern, expression)

    @given(
        st.lists(
            st.sampled_from(
                [*"aZ0_-/.*+?[]\\~&|^$(){} \né#=!:<", "[a-c]", "[a.-]", r"\.", r"\d", r"\w", "{2}", "[0-9]"]
            ),
            max_size=12,
        ).map("".join),
        st.one_of(
            st.binary(max_size=12),
            st.text("aZ0_-/.c[]\\d \n~&é", max_size=12).map(str.encode),
        ),
    )
    @example(r"[a-z-]+", b"a-b")
    @example(".", b"\n")
    @example(r"\w", b"\xe9")
    def test_as_re2(self, expression: str, text: bytes) -> None:
        """Every expression matches just what RE2 says, and what RE2 refuses is refused."""
        options = re2.Options()
        options.log_errors = False
        options.encoding = re2.Options.Encoding.LATIN1
        try:
            expected = re2.compile(expression.encode(), options).fullmatch(text) is not None
        except re2.error:
            self.assertRaises(ValueError, text_condition, StringMatch(Kind.REGEX, expression))
        else:
            self.assertEqual(text_condition(StringMatch(Kind.REGEX, expression))(text), expected)


class SubstitutionTests(SynchronousTestCase):
    """Texts changed by expressions, as RE2's GlobalReplace does."""

    def test_replacement(self) -> None:
        """Groups by their number, all of it by 0, a group that took no part is empty, two backslashes are one."""
        for expression, replacement, text, result in (
            ("b+", "x", b"abbbcb", b"axcx"),
            ("(a)(b)?", r"<\1\2>", b"abac", b"<ab><a>c"),
            ("b", r"[\0]", b"abc", b"a[b]c"),
            ("b", r"\\", b"abc", b"a\\c"),
            ("^a", "", b"aab", b"ab"),
            ("z", "x", b"abc", b"abc"),
            ("\\xe9", "e", b"caf\xe9", b"cafe"),
        ):
            self.assertEqual(substitution(expression, replacement)(text), result, (expression, replacement))

    def test_empty_matches(self) -> None:
        """Nothing empty is found where something ended: an expression for everything is replaced once."""
        for expression, text, result in (
            (".*", b"abc", b"-"),
            (".*", b"", b"-"),
            ("x*", b"axxb", b"-a-b-"),
            ("a|", b"ab", b"-b-"),
            ("$", b"ab", b"ab-"),
        ):
            self.assertEqual(substitution(expression, "-")(text), result, expression)

    def test_refused(self) -> None:
        """Expressions and replacements that are none."""
        for expression, replacement, words in (
            ("(", "x", "missing"),
            ("(a)", r"\2", "there is no group 2"),
            ("a", r"\n", "write"),
            ("a", "x\\", "write"),
        ):
            self.assertIn(words, str(self.assertRaises(ValueError, substitution, expression, replacement)))

    @given(st.text("abc", max_size=20), st.sampled_from(["a", "ab?", "[ab]+", "(a)(b)", "c$", "^a"]))
    def test_as_others_do(self, text: str, expression: str) -> None:
        """Where nothing empty is found it is what any engine makes of it."""
        found = substitution(expression, r"<\0>")(text.encode())
        self.assertEqual(found.decode(), re.sub(expression, r"<\g<0>>", text))
