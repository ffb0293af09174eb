"""Tests of L{edgegate.protobuf.writing}; messages are read by others' code in those of OTLP."""

from __future__ import annotations

from google.protobuf.internal.decoder import _DecodeVarint  # type: ignore[attr-defined]
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.protobuf.writing import bytes_field, fixed64_field, number_field, text_field, varint


class ProtobufTests(SynchronousTestCase):
    """Fields."""

    @given(st.integers(0, 2**63))
    def test_varint(self, number: int) -> None:
        """A number is read as it was."""
        written = varint(number)
        self.assertEqual(_DecodeVarint(written, 0), (number, len(written)))

    def test_fields(self) -> None:
        """A field begins with its number and how it is written."""
        self.assertEqual(number_field(1, 150), b"\x08\x96\x01")
        self.assertEqual(bytes_field(2, b"testing"), b"\x12\x07testing")
        self.assertEqual(text_field(16, "\u00e4"), b"\x82\x01\x02\xc3\xa4")
        self.assertEqual(fixed64_field(7, 1), b"\x39\x01" + b"\0" * 7)
