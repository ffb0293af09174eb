"""A file that lines are appended to by a thread of its own: nobody waits for a disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from time import monotonic

STANDARD_OUTPUT = "-"

STREAMS = {STANDARD_OUTPUT: 1, "/dev/stdout": 1, "/dev/stderr": 2}
"""Paths that stand for what the process has open already, with its descriptors: they may be no files to open."""

MAX_QUEUED = 8 * 1024 * 1024
PATIENCE = 5.0

TELL = 60.0
"""Seconds after a loss was told in which no other is."""

_MODE = 0o640


class LogFile:
    """A log file, or standard output."""

    def __init__(
        self,
        path: str,
        complain: Callable[[str], None],
        max_queued: int = MAX_QUEUED,
        patience: float = PATIENCE,
        opener: Callable[[], int] | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """
        @param path: The file, or one of L{STREAMS}.
        @param complain: Takes what is wrong, in whichever thread.
        @param max_queued: Bytes that wait to be written; what comes when they are reached is lost, and counted.
        @param patience: Seconds that the end waits for what is queued.
        @param opener: Returns the descriptor of the file, which belongs to this from then on; by default it is opened.
        @param clock: Tells seconds.
        """
        self._clock = clock
        self._told_at = -TELL
        self._opener = opener
        self._max_queued = max_queued
        self._patience = patience
        self.path = path
        self._complain = complain
        self._queue: SimpleQueue[bytes | int | None] = SimpleQueue()
        # Each number is written by one thread only, so that none is ever wrong.
        self._given = self._turned_away = 0
        self._taken = self._failed = 0
        self._thread: Thread | None = None
        self._failing = self._torn = self._left = False

    @property
    def lost(self) -> int:
        """Lines that could not be written, or could not wait."""
        return self._turned_away + self._failed

    def open(self) -> None:
        """
        Open the file, and begin to write what is queued.

        @raise OSError: It can't be opened.
        """
        fd = self._opened()
        self._thread = thread = Thread(target=self._run, args=(fd,), name="edgegate access log", daemon=True)
        thread.start()

    def write(self, lines: bytes) -> None:
        """Queue whole lines. Never waits, never fails."""
        if self._given - self._taken >= self._max_queued:
            self._turned_away += lines.count(b"\n")
            self._tell_loss("it is not read, or the disk is too slow")
            return
        self._given += len(lines)
        self._queue.put(lines)

    def reopen(self) -> None:
        """
        Go on in a new file of the same name: the old one was renamed.

        @raise OSError: It can't be opened; the old one stays in use.
        """
        if self._opener is not None or self.path not in STREAMS:
            self._queue.put(self._opened())

    def leave(self) -> None:
        """Have what is queued written and the file closed, and wait for nothing."""
        if self._thread is not None and not self._left:
            self._left = True
            self._queue.put(None)

    @property
    def ended(self) -> bool:
        """Whether everything is written, and the file closed."""
        return self._thread is None or not self._thread.is_alive()

    def close(self) -> None:
        """Write what is queued, as long as patience lasts, and close the file."""
        self.leave()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(self._patience)

    def _opened(self) -> int:
        return open_log(self.path) if self._opener is None else self._opener()

    def _tell_loss(self, why: str) -> bool:
        """Say that lines are lost, unless that was said a moment ago; return whether it was said now."""
        now = self._clock()
        if now - self._told_at < TELL:
            return False
        self._told_at = now
        self._complain(f"{self.path}: {why}: lines are lost until it can be written again, {self.lost} so far")
        return True

    # In the thread ----------------------------------------------------------------------------------------------------

    def _run(self, fd: int) -> None:
        while True:
            item = self._queue.get()
            if isinstance(item, bytes):
                self.append(fd, item)
                self._taken += len(item)
                continue
            os.close(fd)
            if item is None:
                return
            fd = item
            self._torn = False

    def append(self, fd: int, lines: bytes) -> None:
        """Write lines, or count them as lost."""
        rest = memoryview(b"\n" + lines if self._torn else lines)
        try:
            while rest:
                rest = rest[os.write(fd, _at_once(fd, rest)) :]
        except OSError as error:
            self._torn = self._torn or bytes(rest) != lines
            self.failed(bytes(rest).count(b"\n"), error)
            return
        self._torn = False
        self.succeeded()

    def failed(self, count: int, error: OSError) -> None:
        """Count lines that could not be written."""
        self._failed += count
        # where it comes and goes, its end is told as seldom
        self._failing = self._tell_loss(str(error.strerror)) or self._failing

    def succeeded(self) -> None:
        """All that was to be written was."""
        if self._failing:
            self._failing = False
            self._complain(f"{self.path}: written again; {self.lost} lines were lost so far")


def _at_once(fd: int, lines: memoryview) -> memoryview:
    """
    Return what may be written in one call: of a pipe, which other processes may write to as well, as many whole lines
    as it takes without lines of theirs between.
    """
    if not stat.S_ISFIFO(os.fstat(fd).st_mode):
        return lines
    most = os.fpathconf(fd, "PC_PIPE_BUF")
    return lines if len(lines) <= most else lines[: bytes(lines[:most]).rfind(b"\n") + 1 or most]


def open_log(path: str) -> int:
    """
    Open a log file to append to, and return its descriptor, which is the caller's.

    @param path: The file, or one of L{STREAMS}.
    @raise OSError: It can't be opened.
    """
    if path in STREAMS:
        return os.dup(STREAMS[path])
    # a pipe that nobody reads is an error then, and not waited for
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK, _MODE)
    os.set_blocking(fd, True)
    return fd
