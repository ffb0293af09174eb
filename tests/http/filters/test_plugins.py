"""Tests for L{edgegate.http.filters.plugins}; the example of the documentation is one that is found."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.filters.plugins import find, installed
from tests.http.filters.filters import TestFilters


class FindTests(SynchronousTestCase):
    """Filters by their names."""

    def test_found(self) -> None:
        """The one of the name."""
        one, other = TestFilters("one"), TestFilters("other")
        self.assertIs(find("other", [one, other]), other)

    def test_unknown(self) -> None:
        """It is said which there are."""
        with self.assertRaisesRegex(ValueError, "called 'three'; installed: one, two$"):
            find("three", [TestFilters("two"), TestFilters("one")])
        with self.assertRaisesRegex(ValueError, "installed: there are none$"):
            find("three", *installed())

    def test_broken(self) -> None:
        """Who asks for one that could not be imported is told which, and where."""
        with self.assertRaisesRegex(ValueError, "installed: one; a plugin is broken: a.py:1: no; .*: b.py:2: no$"):
            find("three", [TestFilters("one")], ["a.py:1: no", "b.py:2: no"])
        one = TestFilters("one")
        self.assertIs(find("one", [one], ["a.py:1: no"]), one)

    def test_nameless(self) -> None:
        """One without a name is nothing to others; who asks for what is not there is told of it."""
        one, nameless = TestFilters("one"), TestFilters("")
        del nameless.name
        self.assertIs(find("one", [nameless, one]), one)
        with self.assertRaisesRegex(
            ValueError, "a plugin is broken: tests.http.filters.filters.TestFilters has no name$"
        ):
            find("other", [nameless])

    def test_twice(self) -> None:
        """Nobody chooses between two of one name."""
        with self.assertRaisesRegex(ValueError, "2 plugins have an HTTP filter called 'one'"):
            find("one", [TestFilters("one"), TestFilters("one")])
