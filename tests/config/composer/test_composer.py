"""Tests of L{edgegate.config.composer}: one way in, however a document is composed behind it."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.composer import Root, Unreadable, compose
from edgegate.config.problems import Problems


class ComposeTests(SynchronousTestCase):
    """Documents of one text."""

    def setUp(self) -> None:
        """Report nothing yet."""
        self.problems = Problems()

    def test_some_are_special(self) -> None:
        """Plain documents and others follow each other, each once and with its places."""
        text = "a: 1\n---\nb: &x [2]\nc: *x\n---\nd: 3\n"
        found = list(compose("f", text, 10, self.problems))
        self.assertEqual([root.value for root in found], [{"a": 1}, {"b": [2], "c": [2]}, {"d": 3}])
        self.assertEqual([root.line for root in found], [11, 13, 16])
        self.assertEqual(found[2], Root({"d": 3}, 16, 1, {"d": (16, 1, None)}))
        self.assertEqual(list(compose("f", text.encode(), 10, self.problems)), found)
        self.assertEqual(len(self.problems), 0)

    def test_broken(self) -> None:
        """What stands before a syntax error is yielded; the error is reported where it is, and nothing behind it is."""
        composed = compose("f", "a: 1\n---\nb: 'x\n", 0, self.problems)
        self.assertEqual(next(composed).value, {"a": 1})
        error = self.assertRaises(Unreadable, next, composed)
        self.assertFalse(error.template)
        self.assertEqual([str(each) for each in self.problems], ["f:3:4: error: this quote is never closed"])

    def test_template(self) -> None:
        """A template is told as such."""
        error = self.assertRaises(Unreadable, list, compose("f", "a: 1\nb: {{ x }}\n", 0, self.problems))
        self.assertTrue(error.template)
        (problem,) = self.problems
        self.assertEqual((problem.line, problem.column), (2, 4))
