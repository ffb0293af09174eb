# Hot path: every chunk of a request passes here.
"""
Where a chunked body ends (RFC 9112 section 7.1).

llhttp decodes and judges chunked bodies, but does not tell at which byte a
message ended, and a byte behind it belongs to the next, pipelined request.
L{ChunkScanner} finds that byte. It is no decoder: what it lets through is
parsed strictly afterwards, and where the two disagree the message is refused.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

MAX_LINE: Final = 4096
"""Bytes of a chunk-size line with its extensions."""

MAX_TRAILERS: Final = 16 * 1024
"""Bytes of a trailer section."""


class ChunkError(Exception):
    """The bytes are no chunked body, or a line of it is too long."""


class _Part(Enum):
    SIZE = "size"
    DATA = "data"
    TRAILERS = "trailers"
    DONE = "done"


class ChunkScanner:
    """Follow a chunked body through any number of pieces."""

    __slots__ = ("_left", "_line", "_part", "_trailers")

    def __init__(self) -> None:
        self._part = _Part.SIZE
        self._left = 0  # of the chunk's data and its CRLF
        self._line = b""  # the beginning of a line that is not whole yet
        self._trailers = 0

    @property
    def done(self) -> bool:
        """Whether the end of the body was seen."""
        return self._part is _Part.DONE

    def scan(self, data: bytes) -> int:
        """
        Return how many bytes of a piece belong to the body; fewer than all of them only where it ends in the piece.

        @raise ChunkError: It cannot be a chunked body.
        """
        at, size = 0, len(data)
        while at < size and self._part is not _Part.DONE:
            if self._part is _Part.DATA:
                taken = min(self._left, size - at)
                self._left -= taken
                at += taken
                if not self._left:
                    self._part = _Part.SIZE
                continue
            end = data.find(b"\n", at)
            line = self._line + (data[at:] if end < 0 else data[at : end + 1])
            if len(line) > (MAX_LINE if self._part is _Part.SIZE else MAX_TRAILERS):
                raise ChunkError("line too long")
            if end < 0:
                self._line = line
                return size
            self._line = b""
            at = end + 1
            self._take_line(line)
        return at

    def _take_line(self, line: bytes) -> None:
        if self._part is _Part.TRAILERS:
            self._trailers += len(line)
            if self._trailers > MAX_TRAILERS:
                raise ChunkError("trailers too long")
            if line == b"\r\n":
                self._part = _Part.DONE
            return
        digits = line.partition(b";")[0].rstrip(b" \t\r\n")
        if not digits or len(digits) > 15 or not _HEX.issuperset(digits):
            raise ChunkError("malformed chunk size")
        length = int(digits, 16)
        self._left = length + 2
        self._part = _Part.DATA if length else _Part.TRAILERS


_HEX: Final = frozenset(b"0123456789abcdefABCDEF")
