"""Tests of L{edgegate.http.h2.huffman}."""

from __future__ import annotations

from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.huffman_table import decode_huffman
from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h2.errors import COMPRESSION_ERROR, ConnectionFailed
from edgegate.http.h2.huffman import decoded

ENCODER = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)


class HuffmanTests(SynchronousTestCase):
    """Decoding strings, with hpack as the oracle."""

    @example(bytes(range(256)))
    @given(st.binary(max_size=300))
    def test_all(self, text: bytes) -> None:
        """Every string that was encoded is decoded."""
        self.assertEqual(decoded(ENCODER.encode(text)), text)

    @given(st.binary(max_size=60))
    def test_any_bytes(self, data: bytes) -> None:
        """Any bytes are decoded as hpack does, or refused as it does."""
        try:
            expected: bytes | None = bytes(decode_huffman(data))
        except Exception:
            expected = None
        try:
            found: bytes | None = decoded(data)
        except ConnectionFailed as failed:
            self.assertEqual(failed.code, COMPRESSION_ERROR)
            found = None
        self.assertEqual(found, expected)

    def test_padding(self) -> None:
        """RFC 7541 section 5.2: padding is the beginning of the code for the end, and shorter than a byte."""
        self.assertEqual(decoded(b"\x1f"), b"a")
        for data in (b"\x1e", b"\x1f\xff", b"\xff\xff\xff\xff"):
            self.assertRaises(ConnectionFailed, decoded, data)
