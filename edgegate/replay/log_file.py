"""Access logs in pieces: files, compressed or not, and standard input."""

from __future__ import annotations

import errno
import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Protocol

STANDARD_INPUT: Final = "-"
PIECE: Final = 4 << 20
"""Bytes of a piece, about."""

LONGEST_LINE: Final = 1 << 20
"""Bytes of a line; what is behind may be taken for another one."""

_SAMPLE: Final = 1 << 18
_MAGIC: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Piece:
    """
    A part of a log: whole lines.

    @ivar log: Which of the logs, from 0.
    @ivar number: Which piece of it, from 0.
    @ivar done: Bytes of the file that are read with it.
    @ivar data: The lines; L{None}: whoever wants them reads them, from C{start} to C{end}.
    @ivar descriptor: Of the open file, which forks have as well: another file may have its name by then.
    """

    log: int
    number: int
    done: int
    data: bytes | None = None
    name: str = ""
    descriptor: int = -1
    start: int = 0
    end: int = 0

    def lines(self) -> list[bytes]:
        """
        Return the lines, without what ends them.

        @raise OSError: They can't be read.
        """
        data = self._read() if self.data is None else self.data
        lines = data.split(b"\n")
        if not lines[-1]:
            lines.pop()
        return lines

    def _read(self) -> bytes:
        """Return the lines that begin between C{start} and C{end}."""
        before = 1 if self.start else 0
        data = self._at(self.start - before, self.end - self.start + before)
        if len(data) < self.end - self.start + before:
            raise OSError(errno.EIO, "it was cut short while it was read", self.name)
        if before:
            # the line that the first byte is in the middle of belongs to the piece before
            skipped = data.find(b"\n", 0, LONGEST_LINE + 1) + 1 or LONGEST_LINE + 1
            data = data[skipped:]
        if not data or data.endswith(b"\n"):
            return data
        rest, end, _ = self._at(self.end, LONGEST_LINE).partition(b"\n")
        return data + rest + end

    def _at(self, start: int, size: int) -> bytes:
        found: list[bytes] = []
        while size:
            try:
                data = os.pread(self.descriptor, size, start)
            except OSError as error:
                raise OSError(error.errno, error.strerror, self.name) from None
            if not data:
                break
            found.append(data)
            start, size = start + len(data), size - len(data)
        return b"".join(found)


class _Stream(Protocol):
    """What is read."""

    def read(self, size: int = -1, /) -> bytes: ...


class LogFile:
    """A log that is open. It is read once."""

    def __init__(self, name: str, piece: int = PIECE) -> None:
        """
        @param name: Of a file, or C{-} for standard input.
        @param piece: Bytes of a piece, about.
        @raise OSError: It can't be opened or read.
        """
        self.name = name
        self._piece = piece
        self._raw: IO[bytes] = _opened(name)
        status = os.fstat(self._raw.fileno())
        # standard input may be a file that was read in part, and that nobody else could open
        self.size = status.st_size if stat.S_ISREG(status.st_mode) and name != STANDARD_INPUT else 0
        begin = self._raw.read(len(_MAGIC))
        self._compressed = begin == _MAGIC
        self._begin = b""
        if self.size:
            self._raw.seek(0)
        elif not self._compressed:
            self._begin = begin
        self._stream: _Stream = self._raw
        if self._compressed:
            raw = self._raw if self.size else _Again(begin, self._raw)
            self._stream = gzip.GzipFile(fileobj=raw)  # type: ignore[arg-type] # it only reads
        self._begin += self._read(_SAMPLE)

    def sample(self) -> list[bytes]:
        """Return its first lines."""
        lines = self._begin.split(b"\n")
        return lines if len(self._begin) < _SAMPLE or len(lines) == 1 else lines[:-1]

    def pieces(self, log: int) -> Iterator[Piece]:
        """
        Yield all of it.

        Pieces without data are to be read before this is closed.

        @param log: Which of the logs it is.
        @raise OSError: It can't be read.
        """
        if self.size and not self._compressed:
            for number, start in enumerate(range(0, self.size, self._piece)):
                end = min(start + self._piece, self.size)
                yield Piece(log, number, end - start, None, self.name, self._raw.fileno(), start, end)
            return
        done = 0
        for number, data in enumerate(self._blocks()):
            read = self._raw.tell() if self.size else 0
            yield Piece(log, number, read - done, data)
            done = read

    def _blocks(self) -> Iterator[bytes]:
        left = self._begin
        while True:
            more = self._read(self._piece)
            if not more:
                break
            cut = more.rfind(b"\n") + 1
            if not cut and len(left) < LONGEST_LINE:
                left += more
                continue
            yield left + more[:cut]
            left = more[cut:]
        if left:
            yield left

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except (EOFError, zlib.error):
            raise OSError(errno.EIO, "it is compressed, and broken or cut short") from None

    def close(self) -> None:
        """Close it."""
        self._raw.close()


class _Again:
    """A stream of which some bytes were read before."""

    def __init__(self, begin: bytes, stream: _Stream) -> None:
        self._begin = begin
        self._stream = stream

    def read(self, size: int = -1, /) -> bytes:
        """Read, what was read before first."""
        if self._begin:
            begin, self._begin = self._begin, b""
            return begin
        return self._stream.read(size)


def _opened(name: str) -> IO[bytes]:
    if name == STANDARD_INPUT:
        return os.fdopen(os.dup(0), "rb")
    return Path(name).open("rb")
