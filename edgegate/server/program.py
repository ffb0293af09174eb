"""The program that this process runs, and another process of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from twisted.internet.error import ProcessTerminated
from twisted.internet.interfaces import IProcessTransport, IReactorProcess
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from edgegate.server.handover import VARIABLE

CHANNEL = 3
"""The descriptor over which a new process is told."""

_MOST_SAID = 16384
"""Bytes of what it says that are kept."""

_LINES = 20
"""Lines of it that are told."""


@dataclass(frozen=True, slots=True)
class Program:
    """
    How a process was started.

    @ivar folder: Where.
    """

    command: tuple[str, ...]
    folder: str

    @classmethod
    def of_this_process(cls) -> Program:
        """Return how this one was; to be asked for before it goes to another folder."""
        return cls(command(sys.orig_argv, sys.executable), str(Path.cwd()))

    def launch(self, reactor: IReactorProcess, channel: int, ended: Callable[[str], None]) -> Launched:
        """
        Start another one, which finds whatever version is installed by then.

        @param channel: The descriptor that it is told by, which stays the caller's.
        @param ended: Called with what it said and how it ended.
        @raise OSError: It can't be started.
        """
        if not Path(self.folder).is_dir():
            raise OSError(f"the folder where this process was started is gone: {self.folder}")
        launched = Launched(ended)
        with _working_in(self.folder):
            reactor.spawnProcess(
                launched,
                self.command[0],
                self.command,
                environment(os.environ),
                childFDs={0: 0, 1: 1, 2: "r", CHANNEL: channel},
            )
        return launched


class Launched(ProcessProtocol):
    """
    Another process of the program.

    What it writes to standard error is kept until L{said} is asked for.
    """

    def __init__(self, ended: Callable[[str], None]) -> None:
        self._ended = ended
        self._said = bytearray()
        self.running = True

    def said(self) -> list[str]:
        """Return the last lines that it has written to standard error."""
        text = self._said.decode("utf-8", "backslashreplace")
        return [line for line in text.splitlines() if line.strip()][-_LINES:]

    def kill(self) -> None:
        """End it, whatever it does."""
        if self.running:
            cast(IProcessTransport, self.transport).signalProcess("KILL")

    def errReceived(self, data: bytes) -> None:  # noqa: N802
        """It has written something."""
        self._said += data
        del self._said[:-_MOST_SAID]

    def processExited(self, reason: Failure) -> None:  # noqa: N802
        """It is no more; what it has written may be on its way still."""
        self.running = False

    def processEnded(self, reason: Failure) -> None:  # noqa: N802
        """It is no more, and has said all."""
        value = reason.value
        if not isinstance(value, ProcessTerminated):
            self._ended("")
        elif value.signal is not None:
            self._ended(f"it was killed by signal {value.signal}")
        else:
            self._ended(f"it ended with status {value.exitCode}")


@contextmanager
def _working_in(folder: str) -> Iterator[None]:
    """
    Work in a folder for the time of the block.

    Twisted forks where a process is to begin in another folder. A fork has all connections, too, until it becomes the
    new program: what is closed here meanwhile stays open there, and epoll tells of it under a number that may be
    another connection's by then. Where the folder is this process's own it has the system start the program, and none
    of that.
    """
    before = os.open(".", getattr(os, "O_PATH", os.O_RDONLY))
    try:
        os.chdir(folder)
        yield
    finally:
        os.fchdir(before)
        os.close(before)


def command(arguments: Sequence[str], executable: str) -> tuple[str, ...]:
    """
    Return how a process of Python is started anew.

    One that was started by the first line of a script, as twistd is, is started by that script again: were its virtual
    environment replaced, that line names another Python now.

    @param arguments: All of its arguments, C{sys.orig_argv}.
    @param executable: Its Python.
    """
    rest = arguments[1:]
    if rest and not rest[0].startswith("-") and os.access(rest[0], os.X_OK):
        with Path(rest[0]).open("rb") as script:
            first = script.readline(4096)
        if first.startswith(b"#!") and first[2:].split()[:1] == [os.fsencode(arguments[0])]:
            return tuple(rest)
    return (executable, *rest)


def fresh_python(statement: str) -> tuple[list[str], dict[str, str]]:
    """
    Return the command and the environment with which another process of this Python, with the same modules, runs a
    statement.
    """
    # the current folder, which Python puts first, may be anybody's
    program = f"import sys; sys.path[:] = filter(None, sys.path); {statement}"
    # modules may have been found by what a runner has put there
    return [sys.executable, "-c", program], {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def environment(before: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a new process: that of this one, without what is this one's alone."""
    after = {name: value for name, value in before.items() if name not in ("WATCHDOG_PID", "LISTEN_PID")}
    return {**after, VARIABLE: str(CHANNEL)}
