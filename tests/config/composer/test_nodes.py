"""Tests for L{edgegate.config.composer.nodes}."""

from __future__ import annotations

from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.composer.events import Composer
from edgegate.config.composer.node import MAX_DEPTH, Root, Unreadable
from edgegate.config.composer.nodes import NotPlain, plain
from edgegate.config.problems import Problems

PLAIN = (
    "a: 1\nb: [x, 'y', \"z\\t\", {c: d}]\n",
    "---\n# nothing\n---\nk: |\n  one\n  two\n",
    '{"a": [true, null, 1.5], "b": {}}',
    "- yes\n- ~\n- 0x10\n- é\n- 'ü'\n",
    "text",
    "",
)
SPECIAL = (
    "a: &x 1\nb: [*x]\n",
    "a: &x {b: c}\nd: *x\n",
    "a: &x [*x]\n",
    "*x : 1\n",
    "a: &k b\n*k : 1\n",
    "a: [&k b]\n*k : 1\n",
    "- &x\n- *x\n",
    "[a, &x b, *x]",
    "<<: {a: b}\n",
    "a: 1\na: 2\n",
    "1: a\n",
    "[a]: b\n",
    "a: .inf\n",
    'a: "\\0"\n',
    'a: "\\ud800"\n',
    "a: [\n",
    "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
    "[" * 5000,
)
TAGGED = (
    "a: !!str 1\n",
    "a: !own {}\n",
    "a: ! 12\n",
    "! [a]",
    "!",
    '{"a":! 12}',
    "a:\x85  ! 12\n",
)


class PlainTests(SynchronousTestCase):
    """Documents without anything special in them."""

    def read(self, text: str | bytes) -> tuple[list[Root], bool]:
        """Return the roots of all documents up to one that is not plain, and whether there is one."""
        found: list[Root] = []
        try:
            found.extend(plain(text, 3))
        except NotPlain:
            return found, False
        return found, True

    def composed(self, text: str | bytes, most: int | None = None) -> tuple[list[Root], int]:
        """Return the same by the complete way, as many roots at most, and how many problems there are."""
        problems = Problems()
        roots = islice(Composer("f", 3, problems).compose(text), most)
        try:
            return [Root(root.value, root.line, root.column, root.places or None) for root in roots], len(problems)
        except Unreadable:
            return [], len(problems)

    def assert_same(self, text: str | bytes) -> bool:
        """Fail unless both ways find the same in whatever is plain; tell whether all is."""
        found, whole = self.read(text)
        composed, wrong = self.composed(text, None if whole else len(found))
        self.assertEqual([root._replace(places=root.places or None) for root in found], composed, text)
        self.assertFalse(whole and wrong, text)
        return whole

    def test_plain(self) -> None:
        """Values and places are those that the complete way finds, in text and in bytes."""
        for text in PLAIN:
            self.assertTrue(self.assert_same(text), text)
            self.assertTrue(self.assert_same(text.encode()), text)

    def test_special(self) -> None:
        """What is special is left to the complete way, and what stands before it is not."""
        for text in SPECIAL:
            self.assertFalse(self.assert_same("before: 1\n---\n" + text), text)
            self.assertEqual(len(self.read("before: 1\n---\n" + text)[0]), 1, text)

    def test_tags(self) -> None:
        """A file with anything that may be a tag is left to it as a whole; an exclamation mark in a word is none."""
        for text in TAGGED:
            self.assertEqual(self.read("before: 1\n---\n" + text), ([], False), text)
            self.assertEqual(self.read(("before: 1\n---\n" + text).encode()), ([], False), text)
        self.assertTrue(self.assert_same("a: b!\nc: '!'\n# so!\nd: /!x\n"))

    @settings(max_examples=300, deadline=None)
    @given(
        st.sampled_from(PLAIN + SPECIAL[:-2] + TAGGED), st.integers(0, 40), st.sampled_from("&*!<'\"[]{},:-? \n\tax1")
    )
    def test_one_character_more(self, text: str, at: int, more: str) -> None:
        """A character anywhere makes no difference between the two ways."""
        self.assert_same(text[:at] + more + text[at:])
