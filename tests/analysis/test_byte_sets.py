"""Tests of L{edgegate.analysis.byte_sets}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.analysis.byte_sets import ALL, WORD, folded, of, span


class ByteSetTests(SynchronousTestCase):
    """Sets as numbers."""

    def test_members(self) -> None:
        """A span has both of its ends."""
        self.assertEqual(span(0x61, 0x63), of(b"abc"))
        self.assertEqual(span(0, 255), ALL)
        self.assertEqual(of(b""), 0)
        self.assertEqual(WORD.bit_count(), 63)

    def test_folded(self) -> None:
        """Only letters of ASCII have another case."""
        self.assertEqual(folded(of(b"aZ-\xe4")), of(b"aAzZ-\xe4"))
        self.assertEqual(folded(of(b"@[`{")), of(b"@[`{"))
