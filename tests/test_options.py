"""Tests of L{edgegate.options}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.options import parse_label, parse_port_map


class OptionsTests(SynchronousTestCase):
    """From text to values."""

    def test_labels(self) -> None:
        """A value may be empty, and have an equals sign in it."""
        self.assertEqual(parse_label("istio=edge"), ("istio", "edge"))
        self.assertEqual(parse_label("a=b=c"), ("a", "b=c"))
        self.assertEqual(parse_label("a="), ("a", ""))
        for text in ("", "a", "=a"):
            self.assertRaises(ValueError, parse_label, text)

    def test_port_maps(self) -> None:
        """Two port numbers."""
        self.assertEqual(parse_port_map("80:8080"), (80, 8080))
        for text in ("80", "80:", ":80", "80:0", "0:80", "80:65536", "a:b", "80:80:80", "\u0661:80", "-1:80"):
            self.assertRaises(ValueError, parse_port_map, text)
