"""Tests for L{edgegate.http.field_block}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.field_block import FieldBlock, fields_in


class FieldBlockTests(SynchronousTestCase):
    """What the gateway itself puts into messages."""

    def test_lines(self) -> None:
        """HTTP/1 writes a line for each field, made once."""
        block = FieldBlock((b"a", b"1"), (b"b", b""))
        self.assertEqual((block.h1, block.fields), (b"a: 1\r\nb: \r\n", ((b"a", b"1"), (b"b", b""))))
        self.assertIs(block.h1, block.h1)
        self.assertIn("a: 1", repr(block))

    def test_together(self) -> None:
        """The fields of several blocks keep their order."""
        self.assertEqual(
            fields_in((FieldBlock((b"a", b"1")), FieldBlock((b"b", b"2"), (b"a", b"3")))),
            [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")],
        )
