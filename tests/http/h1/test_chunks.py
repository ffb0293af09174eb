"""Tests for L{edgegate.http.h1.chunks}."""

import itertools

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h1.chunks import MAX_LINE, MAX_TRAILERS, ChunkError, ChunkScanner

WHOLE = b"3;name=value\r\nabc\r\nA\r\n0123456789\r\n0\r\nx-sum: 1\r\n\r\n"


class ChunkScannerTests(SynchronousTestCase):
    """The end of a chunked body is found at its very byte."""

    def test_whole_body_in_one_piece(self) -> None:
        """A body that comes at once is recognised, and what is behind it is not part of it."""
        scanner = ChunkScanner()
        self.assertEqual(scanner.scan(WHOLE + b"GET / HTTP/1.1\r\n"), len(WHOLE))
        self.assertTrue(scanner.done)

    @given(st.lists(st.integers(1, len(WHOLE) - 1), max_size=8))
    def test_any_cuts(self, cuts: list[int]) -> None:
        """However the body is cut into pieces, its end is the same."""
        scanner = ChunkScanner()
        places = sorted({0, *cuts, len(WHOLE)})
        taken = 0
        for start, end in itertools.pairwise(places):
            self.assertFalse(scanner.done)
            taken += scanner.scan(WHOLE[start:end])
        self.assertEqual(taken, len(WHOLE))
        self.assertTrue(scanner.done)

    def test_nothing_is_taken_after_the_end(self) -> None:
        """A scanner that is done takes nothing."""
        scanner = ChunkScanner()
        scanner.scan(WHOLE)
        self.assertEqual(scanner.scan(b"0\r\n\r\n"), 0)

    def test_malformed_sizes(self) -> None:
        """Sizes that others might read differently are refused."""
        for size in (b"", b"+1", b"-1", b"0x1", b"1_0", b"g", b";a", b"1 1", b"f" * 16):
            with self.assertRaises(ChunkError, msg=size):
                ChunkScanner().scan(size + b"\r\n")

    def test_long_lines_are_refused(self) -> None:
        """A chunk-size line without an end is not kept for ever."""
        scanner = ChunkScanner()
        with self.assertRaises(ChunkError):
            for _ in range(MAX_LINE):
                scanner.scan(b"1;;")

    def test_long_trailers_are_refused(self) -> None:
        """A trailer section without an end is not read for ever."""
        scanner = ChunkScanner()
        scanner.scan(b"0\r\n")
        with self.assertRaises(ChunkError):
            for _ in range(MAX_TRAILERS):
                scanner.scan(b"a: b\r\n")
