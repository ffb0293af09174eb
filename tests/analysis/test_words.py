"""Tests of L{edgegate.analysis.words}."""

from __future__ import annotations

from hypothesis import given, settings
from twisted.trial.unittest import SynchronousTestCase

from edgegate.analysis.limits import TooMuch
from edgegate.analysis.words import completable, disjoint, included, shortest_word
from edgegate.model.expressions import compiled
from tests.analysis.expressions import expressions, texts


class RelationTests(SynchronousTestCase):
    """What two expressions have to do with each other."""

    @settings(max_examples=80, deadline=None)
    @given(expressions, expressions, texts)
    def test_as_re2(self, one: str, other: str, text: bytes) -> None:
        """A word proves that there is one, and where there is none RE2 knows none."""
        a, b = compiled(one).fullmatch, compiled(other).fullmatch
        try:
            found = shortest_word([one], [other])
            both = shortest_word([one, other])
            inside, apart = included(one, other), disjoint(one, other)
        except TooMuch:
            return
        self.assertEqual((inside, apart), (found is None, both is None))
        if found is None:
            self.assertFalse(a(text) and not b(text))
        else:
            self.assertTrue(a(found) and not b(found))
        if both is None:
            self.assertFalse(a(text) and b(text))
        else:
            self.assertTrue(a(both) and b(both))

    def test_relations(self) -> None:
        """Inclusion and disjointness are decided."""
        self.assertTrue(included("/a/[0-9]+", "/a/.*"))
        self.assertFalse(included("/a/.*", "/a/[0-9]+"))
        self.assertTrue(disjoint("/a/.*", "/b/.*"))
        self.assertFalse(disjoint("/a/.*", ".*/b"))

    def test_allowed(self) -> None:
        """Only words that can be sent count."""
        self.assertFalse(included("(?s).*", ".*"))
        self.assertTrue(included("(?s).*", ".*", allowed=range(0x20, 0x100)))


class CompletableTests(SynchronousTestCase):
    """Where an expression stops matching a text."""

    def test_where(self) -> None:
        """The longest part is told that some text begins with which the expression matches."""
        for source, text, part in (
            ("/cart/[0-9]+", b"/cart/7x", b"/cart/7"),
            ("/cart/[0-9]+", b"/cart/x", b"/cart/"),
            ("/cart/[0-9]+", b"/cart/", b"/cart/"),
            ("/cart/[0-9]+", b"/cart/77", b"/cart/77"),
            ("/(?:shop|store)/.*", b"/show/1", b"/sho"),
            ("(?i)/shop", b"/SHOW", b"/SHO"),
            ("a$b", b"ab", b""),
            ("a[^\\x00-\\xff]", b"ab", b""),
        ):
            self.assertEqual(text[: completable(source, text)], part, source)

    @settings(max_examples=50, deadline=None)
    @given(expressions, texts)
    def test_matched(self, source: str, text: bytes) -> None:
        """All of what is matched could be completed."""
        try:
            length = completable(source, text)
        except TooMuch:
            return
        if compiled(source).fullmatch(text):
            self.assertEqual(length, len(text))
