"""Tests of L{edgegate.sources.file_reader}."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from twisted.internet import reactor
from twisted.trial.unittest import SynchronousTestCase, TestCase

from edgegate.sources.file_reader import MOST_HANGING, FileReader, defer_to_daemon

HANGS = """
import threading
from edgegate.sources.file_reader import FileReader

try:
    FileReader(0.01)(threading.Event().wait)
except TimeoutError:
    print("given up")
"""


class FileReaderTests(SynchronousTestCase):
    """Calls that return, fail, or never end."""

    def setUp(self) -> None:
        """Make one, and what calls that hang wait for."""
        self.reader = FileReader(0.05)
        self.addCleanup(self.reader.close)
        self.answered = threading.Event()
        self.addCleanup(self.answered.set)

    def test_outcomes(self) -> None:
        """What a call returns or raises is the caller's, also after the thread was ended."""
        for _ in range(2):
            self.assertEqual(self.reader(lambda: 1), 1)
            error = self.assertRaises(FileNotFoundError, self.reader, Path("/no/such/file").stat)
            self.assertEqual(error.filename, "/no/such/file")
            self.reader.close()

    def test_no_thread_is_left(self) -> None:
        """Once it is closed it has no thread, so that the process may fork."""
        before = threading.active_count()
        self.reader(lambda: None)
        self.assertEqual(threading.active_count(), before + 1)
        self.reader.close()
        self.assertEqual(threading.active_count(), before)

    def test_hangs(self) -> None:
        """A call that hangs is given up, and the next ones are made all the same."""
        error = self.assertRaises(TimeoutError, self.reader, self.answered.wait)
        self.assertIn("does its file system answer?", str(error.strerror))
        self.assertEqual(FileReader()(lambda: 1), 1)
        self.assertEqual(self.reader(lambda: 1), 1)

    def test_many_hang(self) -> None:
        """There are never more than a few threads that hang; once one returns, calls are made again."""
        before = set(threading.enumerate())
        for _ in range(MOST_HANGING):
            self.assertRaises(TimeoutError, self.reader, self.answered.wait)
        made: list[int] = []
        self.assertRaises(TimeoutError, self.reader, lambda: made.append(1))
        hanging = set(threading.enumerate()) - before
        self.assertEqual((made, len(hanging)), ([], MOST_HANGING))
        self.answered.set()
        for thread in hanging:
            thread.join(10)
        self.reader(lambda: made.append(2))
        self.assertEqual(made, [2])

    def test_end_of_the_process(self) -> None:
        """What hangs does not hold up the end of the process."""
        root = Path(__file__).resolve().parents[2]
        done = subprocess.run(
            [sys.executable, "-c", HANGS], cwd=root, capture_output=True, text=True, timeout=60, check=True
        )
        self.assertEqual(done.stdout, "given up\n")


class DeferTests(TestCase):
    """Work in a thread of its own."""

    async def test_outcomes(self) -> None:
        """What it returns or raises comes in the reactor's turn."""
        here = threading.get_ident()
        daemon = await defer_to_daemon(reactor, lambda: threading.current_thread().daemon)  # type: ignore[arg-type]
        self.assertTrue(daemon)
        self.assertEqual(threading.get_ident(), here)
        with self.assertRaises(ZeroDivisionError):
            await defer_to_daemon(reactor, lambda: 1 // 0)  # type: ignore[arg-type]
