"""Tests of L{edgegate.config.writing}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.writing import to_yaml


class WritingTests(SynchronousTestCase):
    """YAML."""

    def test_order(self) -> None:
        """Keys stay in their order, and text stays readable."""
        self.assertEqual(to_yaml([{"b": 1, "a": "ü", "c": None}]), "- b: 1\n  a: ü\n  c: null\n")
