"""Tests of L{edgegate.replay.log_file}."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.replay.log_file import LONGEST_LINE, LogFile

LINES = [b"line %d" % number for number in range(1000)]
TEXT = b"\n".join(LINES) + b"\n"


class LogFileTests(SynchronousTestCase):
    """Logs in pieces."""

    def write(self, data: bytes) -> str:
        """Make a log."""
        path = Path(self.mktemp())
        path.write_bytes(data)
        return str(path)

    def lines(self, log: LogFile) -> list[bytes]:
        """Return all lines of a log."""
        self.addCleanup(log.close)
        return [line for piece in log.pieces(0) for line in piece.lines()]

    def test_plain(self) -> None:
        """The pieces of a file are read by whoever gets them; together they are all of it, and each line comes once."""
        name = self.write(TEXT)
        log = LogFile(name, 100)
        pieces = list(log.pieces(0))
        self.assertEqual((pieces[0].data, pieces[0].name), (None, name))
        self.assertEqual(sum(piece.done for piece in pieces), len(TEXT))
        self.assertEqual([line for piece in pieces for line in piece.lines()], LINES)
        self.assertEqual(log.sample()[:2], LINES[:2])
        log.close()

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.binary(max_size=20), min_size=1, max_size=20), st.integers(1, 30), st.booleans())
    def test_cuts(self, words: list[bytes], size: int, ended: bool) -> None:
        """Wherever a file is cut no line is lost, cut or read twice."""
        lines = [word.replace(b"\n", b"") or b"x" for word in words]
        log = LogFile(self.write(b"\n".join(lines) + (b"\n" if ended else b"")), size)
        self.assertEqual([line for piece in log.pieces(0) for line in piece.lines()], lines)
        log.close()

    def test_compressed(self) -> None:
        """What begins as gzip does is read so, whatever its name is."""
        data = gzip.compress(TEXT)
        log = LogFile(self.write(data), 100)
        self.assertEqual(log.sample()[:2], LINES[:2])
        self.assertEqual(self.lines(log), LINES)
        self.assertEqual(log.size, len(data))

    def test_rotated(self) -> None:
        """A log that is rotated meanwhile is read to its end; of one that is cut that is told."""
        name = self.write(TEXT)
        log = LogFile(name, 100)
        self.addCleanup(log.close)
        pieces = log.pieces(0)
        found = next(pieces).lines()
        Path(name).rename(f"{name}.1")
        Path(name).write_bytes(b"new\n")
        self.assertEqual([*found, *(line for piece in pieces for line in piece.lines())], LINES)
        *_, last = log.pieces(0)
        os.truncate(f"{name}.1", 200)
        with self.assertRaises(OSError) as caught:
            last.lines()
        self.assertEqual(
            (caught.exception.filename, caught.exception.strerror), (name, "it was cut short while it was read")
        )

    def test_long_line(self) -> None:
        """Of a line that goes on in the next piece what is behind a MiB is another one: nothing is lost."""
        data = b"a" * (LONGEST_LINE + 5) + b"\nb\n"
        log = LogFile(self.write(data), LONGEST_LINE + 2)
        self.addCleanup(log.close)
        self.assertEqual(self.lines(log), [data[:-3], b"b"])

    def test_cut_short(self) -> None:
        """A file whose end is missing is told."""
        name = self.write(gzip.compress(os.urandom(1 << 20))[:-1000])
        log = LogFile(name)
        self.addCleanup(log.close)
        with self.assertRaises(OSError) as caught:
            list(log.pieces(0))
        self.assertIn("broken or cut short", str(caught.exception))

    def test_pipe(self) -> None:
        """What is no file is read as it comes, compressed or not; how much it is nobody knows."""
        for data in (TEXT, gzip.compress(TEXT)):
            out, into = os.pipe()
            os.write(into, data)
            os.close(into)
            log = LogFile(f"/dev/fd/{out}", 100)
            self.assertEqual(log.size, 0)
            self.assertEqual(self.lines(log), LINES)
            os.close(out)

    def test_empty(self) -> None:
        """An empty log has no lines."""
        log = LogFile(self.write(b""))
        self.assertEqual((log.sample(), self.lines(log)), ([b""], []))
