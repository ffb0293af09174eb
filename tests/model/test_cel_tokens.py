"""Tests of L{edgegate.model.cel_tokens}."""

from __future__ import annotations

from time import perf_counter

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.cel_tokens import BadExpression, Tokens


def read(text: str) -> list[tuple[str, str]]:
    """Return all tokens of a text with their kinds."""
    tokens = Tokens(text)
    found = []
    while tokens.kind != "end":
        found.append((tokens.kind, tokens.token))
        tokens.next()
    return found


class TokensTests(SynchronousTestCase):
    """What follows what."""

    def test_kinds(self) -> None:
        """Names, signs, numbers and strings; white space and comments are nothing."""
        self.assertEqual(
            read("a1.b // why\n\t>= -0x1Fu && // and\r\n .5e3 // end"),
            [
                *(("name", "a1"), ("sign", "."), ("name", "b"), ("sign", ">="), ("sign", "-"), ("number", "0x1Fu")),
                *(("sign", "&&"), ("number", ".5e3")),
            ],
        )
        self.assertEqual(read(" "), [])

    def test_strings(self) -> None:
        """A string ends with the quotes that it began with, of one sign or of three."""
        for text in ("'a\"b'", r'"\""', r"r'\'", '"""a"b\n"""', "'''\\''''", "r'''\\'''", "''", '""""""'):
            self.assertEqual(read(f"{text}+a"), [("string", text), ("sign", "+"), ("name", "a")], text)
        self.assertEqual(read("'a''b'"), [("string", "'a'"), ("string", "'b'")])

    def test_places(self) -> None:
        """It is known where each begins."""
        tokens = Tokens("  has ( a )")
        places = []
        while tokens.kind != "end":
            places.append(tokens.at)
            tokens.next()
        self.assertEqual(places, [3, 7, 9, 11])

    def test_taken(self) -> None:
        """One of some is taken if it is next; else nothing is, or it is told what is missing."""
        tokens = Tokens("a + b")
        self.assertEqual((tokens.take("+", "-"), tokens.name(), tokens.take("+", "-")), ("", "a", "+"))
        error = self.assertRaises(BadExpression, tokens.expect, ")")
        self.assertEqual(str(error), "')' is expected at character 5, not 'b'")
        self.assertEqual(tokens.name(), "b")
        error = self.assertRaises(BadExpression, tokens.name)
        self.assertEqual(str(error), "a name is expected at character 6, not the end")

    def test_refused(self) -> None:
        """What is none is told, and where."""
        for text, why in (
            ("@", "'@' at character 1 is nothing that is known here"),
            ("a\n  `b`", "'`b`' at character 5 is nothing that is known here"),
            ("a == 'b", "the string at character 6 has no end"),
            ("r'a\n'", "the string at character 1 has no end"),
            ("b'a'", "bytes, as at character 1, are not known here"),
            ("\u00e4", "'\u00e4' at character 1 is nothing that is known here"),
        ):
            self.assertEqual(str(self.assertRaises(BadExpression, read, text)), why)

    def test_long(self) -> None:
        """Nothing takes long, however it is written."""
        begun = perf_counter()
        for text in ("/" * 4000, "//\n" * 1300 + "@", "'" + "\\'" * 2000, '"""' + '\\"' * 2000, "1" * 4000 + "@"):
            try:
                read(text)
            except BadExpression:
                continue
        self.assertLess(perf_counter() - begun, 2)
