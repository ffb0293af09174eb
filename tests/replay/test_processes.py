"""Tests of L{edgegate.replay.processes}."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.replay.comparison import AgainstFiles
from edgegate.replay.findings import Tally, Verdict
from edgegate.replay.log_file import LogFile, Piece
from edgegate.replay.processes import WorkerEnded, replayed
from edgegate.replay.worker import Log, Worker
from tests.replay.test_worker import FORMAT, NEW, OLD, line

LINES = [line(f"/{number % 50}", user=str(number % 7)) if number % 3 else line() for number in range(3000)]


class Failing(Worker):
    """Ends its process with the second piece."""

    def replay(self, piece: Piece) -> None:
        """End."""
        if piece.number == 1:
            os._exit(3)


class ReplayedTests(SynchronousTestCase):
    """Pieces that several processes replay."""

    def setUp(self) -> None:
        """Write a log."""
        self.path = Path(self.mktemp())
        self.path.write_bytes(b"\n".join(LINES))

    def worker(self, kind: type[Worker] = Worker) -> Worker:
        """Return what replays."""
        return kind([Log("a.log", FORMAT)], AgainstFiles(OLD, NEW, {}), answers=False)

    def replayed(self, jobs: int) -> tuple[Tally, int]:
        """Replay the log; return how many bytes were told, too."""
        log = LogFile(str(self.path), 5000)
        self.addCleanup(log.close)
        done: list[int] = []
        return replayed(log.pieces(0), self.worker(), jobs, done.append), sum(done)

    def test_same(self) -> None:
        """However many there are, they find the same, examples and line numbers included."""
        (one, done_by_one), (several, done) = self.replayed(1), self.replayed(3)
        self.assertEqual(one.groups, several.groups)
        self.assertEqual(one.lines, several.lines)
        self.assertEqual(one.count(Verdict.OTHERWISE), 1000)
        self.assertEqual((done_by_one, done), (self.path.stat().st_size,) * 2)

    def test_ended(self) -> None:
        """The end of a process is told."""
        log = LogFile(str(self.path), 5000)
        self.addCleanup(log.close)
        with self.assertRaises(WorkerEnded):
            replayed(log.pieces(0), self.worker(Failing), 2, lambda done: None)

    def test_unreadable(self) -> None:
        """A log that can't be read to its end is told."""
        log = LogFile(str(self.path), 5000)
        self.addCleanup(log.close)
        pieces = list(log.pieces(0))
        self.path.write_bytes(b"")
        for jobs in (1, 2):
            with self.assertRaisesRegex(OSError, "cut short"):
                replayed(pieces, self.worker(), jobs, lambda done: None)
