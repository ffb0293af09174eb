"""Tests of L{edgegate.observe.log_file}."""

from __future__ import annotations

import os
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.log_file import LogFile


class LogFileTests(SynchronousTestCase):
    """Lines, files and full disks."""

    def setUp(self) -> None:
        """Name a file."""
        self.path = Path(self.mktemp())
        self.complaints: SimpleQueue[str] = SimpleQueue()

    def open(self, path: str | None = None, **bounds: Any) -> LogFile:
        """Open a log."""
        log = LogFile(path or str(self.path), self.complaints.put, **bounds)
        log.open()
        self.addCleanup(log.close)
        return log

    def test_appended(self) -> None:
        """What was there stays, what is written comes behind it, and the end writes everything."""
        self.path.write_bytes(b"before\n")
        log = self.open()
        for number in range(1000):
            log.write(b"%d\n" % number)
        log.close()
        self.assertEqual(self.path.read_bytes(), b"before\n" + b"".join(b"%d\n" % n for n in range(1000)))

    def test_reopened(self) -> None:
        """After the file was renamed, what comes goes to a new one, and nothing is lost. Others may not read it."""
        log = self.open()
        self.assertEqual(self.path.stat().st_mode & 0o007, 0)
        log.write(b"1\n")
        other = self.path.rename(self.path.with_suffix(".1"))
        log.write(b"2\n")
        log.reopen()
        log.write(b"3\n")
        log.close()
        self.assertEqual((other.read_bytes(), self.path.read_bytes()), (b"1\n2\n", b"3\n"))

    def test_pipe(self) -> None:
        """A pipe is written as a file is; one that nobody reads is an error, and is not waited for."""
        os.mkfifo(self.path)
        self.assertRaises(OSError, self.open)
        reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        log = self.open()
        log.write(b"1\n")
        log.close()
        self.assertEqual(os.read(reader, 10), b"1\n")

    def test_lines_stay_whole(self) -> None:
        """What goes to a pipe is cut between lines, so that other processes may write to it, too."""
        os.mkfifo(self.path)
        reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        logs = [self.open(), self.open()]
        written = [b"%d" % number * 600 + b"\n" for number in range(2)]
        for _ in range(20):
            for log, line in zip(logs, written, strict=True):
                log.write(line * 20)
        found, ended = b"", [Thread(target=log.close) for log in logs]
        for each in ended:
            each.start()
        os.set_blocking(reader, True)
        while len(found) < 800 * 601:
            found += os.read(reader, 65536)
        for each in ended:
            each.join()
        self.assertEqual({line + b"\n" for line in found.splitlines()}, set(written))

    def test_opener(self) -> None:
        """The file may be opened elsewhere, also when it is reopened."""
        given = [os.open(self.path, os.O_WRONLY | os.O_CREAT), os.open("/dev/null", os.O_WRONLY)]
        log = LogFile("-", self.complaints.put, opener=lambda: given.pop(0))
        log.open()
        log.write(b"1\n")
        log.reopen()
        log.write(b"2\n")
        log.close()
        self.assertEqual((self.path.read_bytes(), given), (b"1\n", []))

    def test_cannot_reopen(self) -> None:
        """Where the new file can't be opened the old one stays in use."""
        folder = self.path.with_suffix(".d")
        folder.mkdir()
        log = self.open(str(folder / "log"))
        moved = folder.rename(self.path.with_suffix(".e"))
        self.assertRaises(FileNotFoundError, log.reopen)
        log.write(b"1\n")
        log.close()
        self.assertEqual((moved / "log").read_bytes(), b"1\n")

    def test_cannot_open(self) -> None:
        """A file that can't be opened is told at once."""
        self.assertRaises(OSError, LogFile(str(self.path / "no" / "log"), self.complaints.put).open)

    def test_full_disk(self) -> None:
        """A full disk is told once a minute, with how many lines could not be written."""
        now = [0.0]
        log = self.open("/dev/full", clock=lambda: now[0])
        for at, count in ((0.0, 2), (59.0, None), (60.0, 6), (61.0, None)):
            now[0] = at
            log.write(b"1\n2\n")
            if count is not None:
                told = self.complaints.get(timeout=10)
                self.assertIn("No space left on device", told)
                self.assertTrue(told.endswith(f" {count} so far"), told)
            else:
                while log.lost % 4:
                    Event().wait(0.001)
        log.close()
        self.assertEqual(log.lost, 8)
        self.assertTrue(self.complaints.empty())

    def test_space_again(self) -> None:
        """When there is space again the log goes on, and tells what was lost."""
        log = self.open("/dev/full")
        log.write(b"1\n")
        self.assertIn("No space", self.complaints.get(timeout=10))
        log.path = str(self.path)
        log.reopen()
        log.write(b"2\n")
        log.close()
        self.assertEqual(self.path.read_bytes(), b"2\n")
        self.assertIn("1 lines were lost", self.complaints.get_nowait())

    def test_nobody_reads(self) -> None:
        """Where writing hangs, a bounded amount waits; what comes then is lost, and told; nobody is held up."""
        os.mkfifo(self.path)
        reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        log = self.open(max_queued=100_000, patience=0.01)
        line = b"x" * 999 + b"\n"
        for _ in range(1000):
            log.write(line)
        self.assertGreater(log.lost, 500)
        self.assertIn("it is not read, or the disk is too slow: lines are lost", self.complaints.get_nowait())
        self.assertTrue(self.complaints.empty())
        log.close()
        os.close(reader)

    def test_standard_output(self) -> None:
        """C{-} is the process's standard output, which stays open."""
        log = self.open("-")
        log.reopen()
        log.close()
        os.fstat(1)
