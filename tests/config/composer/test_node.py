"""Tests of L{edgegate.config.composer.node}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.composer.node import encodable


class TextTests(SynchronousTestCase):
    """What a value may hold."""

    def test_encodable(self) -> None:
        """Lone surrogates have no bytes."""
        self.assertTrue(encodable("aé😀"))
        self.assertFalse(encodable("a\ud800"))
