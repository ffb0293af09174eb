"""Tests for L{edgegate.config.packing}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.packing import pack, unpack


class PackingTests(SynchronousTestCase):
    """Values as bytes."""

    def test_values(self) -> None:
        """What was packed comes back, indexes as keys included."""
        value = {"a": [1, -2.5, None, True, "ä"], "b": {0: [1, 2, None]}}
        self.assertEqual(unpack(pack(value)), value)

    def test_huge_number(self) -> None:
        """A number that has no such form is refused."""
        self.assertRaises(OverflowError, pack, {"a": 2**70})
