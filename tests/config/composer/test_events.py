"""Tests for L{edgegate.config.composer.events}; what users see of it is tested with L{edgegate.config.manifest}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.composer.events import Composer
from edgegate.config.composer.node import Unreadable
from edgegate.config.problems import Problems


class ComposerTests(SynchronousTestCase):
    """Documents of any kind."""

    def test_places(self) -> None:
        """Lines count from that of the text, and a merged key is where it was said."""
        problems = Problems()
        (root,) = Composer("f", 10, problems).compose(b"a: &x\n  b: 1\nc:\n  <<: *x\n")
        self.assertEqual(root.value, {"a": {"b": 1}, "c": {"b": 1}})
        self.assertEqual(root.places, {"a": (11, 1, {"b": (12, 3, None)}), "c": (13, 1, {"b": (12, 3, None)})})
        self.assertEqual(len(problems), 0)

    def test_size(self) -> None:
        """A root knows how many values it is, those of aliases included, and how many levels."""
        (root,) = Composer("f", 0, Problems()).compose("[&x [1, 2], *x, {a: b}]")
        self.assertEqual((root.size, root.height), (1 + 3 + 3 + 3, 2))

    def test_unreadable(self) -> None:
        """Behind a syntax error nothing is read; how far it was is told."""
        problems = Problems()
        composed = Composer("f", 0, problems).compose("a: 1\n---\nb: [\n---\nc: 1\n")
        self.assertEqual(next(composed).value, {"a": 1})
        error = self.assertRaises(Unreadable, next, composed)
        self.assertGreaterEqual(error.index, len("a: 1\n---\nb: ["))
        self.assertEqual(len(problems), 1)
