"""Tests for L{edgegate.config.syntax}, on the parser's own findings."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.manifest import read
from edgegate.config.problems import Problems
from edgegate.config.syntax import explain, json_fault
from tests.config.reading import read_all


class ExplainTests(SynchronousTestCase):
    """Syntax errors are told where the mistake is."""

    def check(self, text: str, *expected: str) -> None:
        """The problems of a text are these, or begin with these."""
        _, found = read_all(text)
        self.assertEqual([line[: len(head)] for line, head in zip(found, expected, strict=True)], list(expected))

    def test_tab(self) -> None:
        """A tab for indentation."""
        self.check("a:\n\tb: 1\n", "f:2:1: error: a tab where only spaces may indent")

    def test_missing_colon(self) -> None:
        """A key without its colon, though the parser stumbles only on the next line."""
        self.check("a:\n  b\n  c: 1\n", "f:2:3: error: a colon is missing behind the key")

        self.check("a:\n  b\n    c: 1\n", "f:2:3: error: a colon is missing behind the key")

    def test_missing_space(self) -> None:
        """A colon without the space behind it."""
        self.check("a:\n  b:1\n  c: 1\n", "f:2:3: error: a space is missing behind the colon")

    def test_equals(self) -> None:
        """An equals sign in place of a colon."""
        self.check("a:\n  b = 1\n  c: 1\n", "f:2:3: error: a colon belongs in the place of =")

    def test_conflict(self) -> None:
        """What a merge left behind."""
        for text in ("a:\n  b: 1\n<<<<<<< HEAD\n  c: 1\n", "a:\n  b: 1\n=======\n  c: 1\n"):
            self.check(text, "f:3:1: error: a conflict of a merge was left here")

    def test_separators(self) -> None:
        """Lines of dashes that separate nothing."""
        for line in ("--", "----", "  ---"):
            self.check(f"a:\n  b: 1\n{line}\nc: 2\n", "f:3:1: error: documents are separated by a line that is ---")

    def test_alias(self) -> None:
        """A wildcard that is not quoted."""
        self.check("a:\n- *.example.com\n", "f:2:3: error: * begins an alias, unless it is quoted")

    def test_json(self) -> None:
        """A file of JSON is told in the words of JSON; what is wrong to YAML alone keeps its words."""
        problems = Problems()
        read("a.json", '{\n// what it is\n"a": 1}', problems)
        expected = "a.json:2:1: error: not JSON: expecting property name enclosed in double quotes"
        self.assertEqual([str(problem) for problem in problems], [expected])
        self.assertIsNone(json_fault("{}"))
        self.assertIsNone(json_fault("[" * 100_000))

    def test_second_colon(self) -> None:
        """A value with a colon in it."""
        self.check("a: b: c\n", "f:1:5: error: a second colon: quote the value")

    def test_other_ends_of_lines(self) -> None:
        """The parser knows more ends of lines than an editor."""
        for end in ("\r\n", "\r", "\x85", "\u2028"):
            self.check(f"a:{end}  b{end}  c: 1{end}", "f:2:3: error: a colon is missing behind the key")
        _, found = read_all('null~\n  \x85\x85a: b: c"x": y')
        self.assertRegex(found[-1], "^f:4:[0-9]+: error: ")

    def test_indentation(self) -> None:
        """Keys and items that stand where none can be."""
        self.check("a: 1\n  b: 2\n", "f:2:3: error: a key where none can be: is the indentation right?")
        self.check("a:\n  - b\n c: 1\n", "f:3:2: error: expected a key with a colon: is the indentation right?")
        self.check("- a\nb: 1\n", "f:2:1: error: expected an item with a dash: is the indentation right?")

    def test_never_closed(self) -> None:
        """Quotes and brackets are told where they open, not at the file's end."""
        self.check("a: 1\nb: 'x\nc: 2\n", "f:2:4: error: this quote is never closed")
        self.check("a: [1,2\nb: 3\n", "f:1:4: error: this bracket is never closed")
        self.check("a: {b: 1\n", "f:1:4: error: this bracket is never closed")

    def test_first_character(self) -> None:
        """A value that must be quoted because of how it begins."""
        self.check("a: @x\n", "f:1:4: error: no value begins with @: quote it")

    def test_escape(self) -> None:
        """A backslash between double quotes."""
        _, found = read_all('a: "\\q"\n')
        self.assertRegex(found[0], r"^f:1:[56]: error: no such escape")

    def test_unknown(self) -> None:
        """What has no better words keeps the parser's."""
        self.assertEqual(explain("x", "odd", (0, 0), "", None), ((0, 0), "not YAML: odd"))
        self.assertEqual(explain("x", "odd", (0, 0), "while", (0, 0)), ((0, 0), "not YAML: while, odd"))

    def test_place_beyond_the_text(self) -> None:
        """A place behind the last line is taken."""
        self.assertEqual(explain("", "odd", (7, 3), "", None)[0], (7, 3))
