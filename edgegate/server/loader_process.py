"""The process that reads the files, as the gateway sees it that has started it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Timer
from typing import BinaryIO

from twisted.logger import Logger

from edgegate.net.nameless_file import IN_MEMORY, nameless_file
from edgegate.server.program import fresh_python
from edgegate.server.reload_coordinator import ReadingFailed
from edgegate.sources.loader_process import PROGRAM, ask
from edgegate.sources.loading import Configuration
from edgegate.sources.source import Contents

log = Logger(namespace=__name__)

LONGEST = 600.0
"""Seconds that it may take."""

_WORDS = 4096
"""Characters of what it writes to standard error that are logged."""


class CannotLaunch(Exception):
    """No process can be started; the reason is in one line."""


class LoaderProcess:
    """
    One process, which reads the files once.

    It has the privileges that this one has by then, and none of its descriptors.
    """

    def __init__(
        self,
        configuration: Configuration,
        before: Contents | None,
        longest: float = LONGEST,
        python: Callable[[str], tuple[list[str], dict[str, str]]] = fresh_python,
    ) -> None:
        """
        @param before: See L{Configuration.reload}.
        @param longest: Seconds that it may take.
        @param python: Returns the command and the environment with which a process runs a statement.
        """
        self._configuration = configuration
        self._before = before
        self._longest = longest
        self._command, environment = python(PROGRAM)
        # sets are pickled in the order that they have: pieces are to be the same each time
        self._environment = {**environment, "PYTHONHASHSEED": "0"}
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False

    def run(self) -> BinaryIO:
        """
        Start it, and wait for its end, as a thread can.

        @return: What it has written, see L{edgegate.sources.loader_process.main}; a file that is the caller's.
        @raise CannotLaunch: It can't be started.
        @raise ReadingFailed: It has died.
        """
        if not IN_MEMORY:
            raise CannotLaunch("this system has no files in memory, and keys are not to be on a disk")
        try:
            descriptor = nameless_file("edgegate files")
        except OSError as error:
            raise CannotLaunch(error.strerror) from None
        try:
            status = self._run(descriptor)
            if status:
                raise ReadingFailed(f"the process that read the files {_how(status)}")
            os.lseek(descriptor, 0, os.SEEK_SET)
        except BaseException:
            os.close(descriptor)
            raise
        return os.fdopen(descriptor, "rb")

    def kill(self) -> None:
        """End it, whatever it does, or have it end as soon as it is started."""
        with self._lock:
            self._killed = True
            if self._process is not None:
                self._process.kill()

    def _run(self, output: int) -> int:
        process = self._start(output)
        log.info("another process reads the files (pid {pid})", pid=process.pid)
        assert process.stdin is not None and process.stderr is not None
        limit = Timer(self._longest, self.kill)
        limit.daemon = True
        try:
            limit.start()
            # of one that is dead its status tells
            with suppress(BrokenPipeError):
                ask(process.stdin, self._configuration, self._before)
            words = process.stderr.read().decode("utf-8", "backslashreplace").strip()
        finally:
            limit.cancel()
            with suppress(BrokenPipeError):
                process.stdin.close()
            process.stderr.close()
            status = process.wait()
        if words:
            log.error("the process that read the files wrote: {text}", text=words[-_WORDS:])
        return status

    def _start(self, output: int) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._killed:
                raise ReadingFailed("the files are not read any more")
            try:
                self._process = subprocess.Popen(
                    self._command,
                    env=self._environment,
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.PIPE,
                    # signals of the terminal are the gateway's
                    start_new_session=True,
                )
            except OSError as error:
                raise CannotLaunch(error.strerror) from None
            return self._process


def _how(status: int) -> str:
    """Say how a process has ended; the status is as C{Popen} has it."""
    if status < 0:
        known = {each.value: each.name for each in signal.Signals}
        return f"was killed by {known.get(-status, f'signal {-status}')}"
    return f"ended with status {status}"
