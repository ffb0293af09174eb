"""
Values in the DNS by a program of the user's, for threads.

It is told what to do by its environment, and has no terminal, no shell and none of the gateway's connections. When its
time is over it is ended, with all that it has started; so is what it leaves running when it ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from threading import Event, Thread
from typing import Final

from edgegate.model.certificates import HookCommand
from edgegate.tls.acme.solvers.solver import NotAnswered

MOST_OUTPUT: Final = 4096
"""Bytes of the end of its output that are kept."""

MOST_TOLD: Final = 300
"""Characters of it that an error repeats."""

_KEPT_FROM_IT: Final = frozenset({"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_FDS", "LISTEN_PID"})
"""What the supervisor of the gateway has told the gateway alone (C{sd_notify(3)}, C{sd_listen_fds(3)})."""

_FIRST_LOOK: Final = 0.005
_LONGEST_PAUSE: Final = 0.1
_END_OF_OUTPUT: Final = 1.0
"""Seconds for the output of what has ended, which somebody else may hold who has left its group of processes."""
_BETWEEN_READS: Final = 0.02
"""Seconds; a read that waits for what is said might do so for as long as that one lives."""


class Doing(Enum):
    """What a program is to do; a value is what C{EDGEGATE_ACTION} says."""

    PRESENT = "present"
    CLEANUP = "cleanup"


def run_hook(
    hook: HookCommand,
    doing: Doing,
    name: str,
    value: str,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """
    Have a value of a TXT record put at a name, or removed.

    @raise NotAnswered: The program can't be run, takes too long, or ends with another status than 0.
    """
    environment = {key: value for key, value in os.environ.items() if key not in _KEPT_FROM_IT}
    environment |= {
        "EDGEGATE_ACTION": doing.value,
        "EDGEGATE_NAME": name,
        "EDGEGATE_VALUE": value,
        "EDGEGATE_TIMEOUT": f"{hook.timeout:g}",
    }
    called = f"the command {hook.arguments[0]} ({doing.value} {name})"
    try:
        process = subprocess.Popen(
            hook.arguments,
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise NotAnswered(f"{called} can't be run: {reason or error}") from error
    assert process.stdout is not None
    output = _Output(process.stdout.fileno())
    try:
        in_time = _ends(process.pid, hook.timeout, clock, sleep)
    finally:
        # also where this is interrupted; it was not waited for yet, so that nobody else has its number
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
        told = output.end()
        process.stdout.close()
    said = f": {told}" if told else ""
    if not in_time:
        raise NotAnswered(f"{called} has not ended within {hook.timeout:g} s{said}")
    if status:
        how = f"ended with status {status}" if status > 0 else f"was ended by signal {-status}"
        raise NotAnswered(f"{called} {how}{said}")


def _ends(pid: int, timeout: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> bool:
    """Whether a child ends in time; it stays one that has not been waited for."""
    end, pause = clock() + timeout, _FIRST_LOOK
    while True:
        try:
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                return True
        except ChildProcessError:
            return True
        left = end - clock()
        if left <= 0:
            return False
        sleep(min(pause, left))
        pause = min(pause * 2, _LONGEST_PAUSE)


class _Output:
    """Reads what a program says to its end, and keeps little of it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = os.dup(descriptor)
        self._kept = bytearray()
        self._over = Event()
        self._thread = Thread(target=self._read, name="edgegate hook", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        os.set_blocking(self._descriptor, False)
        try:
            while not self._over.is_set():
                try:
                    data = os.read(self._descriptor, 1 << 16)
                except BlockingIOError:
                    self._over.wait(_BETWEEN_READS)
                    continue
                if not data:
                    break
                self._kept = (self._kept + data)[-MOST_OUTPUT:]
        finally:
            os.close(self._descriptor)

    def end(self) -> str:
        """Return the last that it said, in one line."""
        self._thread.join(_END_OF_OUTPUT)
        self._over.set()
        lines = bytes(self._kept).decode("utf-8", "replace").split("\n")
        text = "; ".join(line.strip() for line in lines if line.strip())
        shown = "".join(each if each.isprintable() else " " for each in text)
        return shown if len(shown) <= MOST_TOLD else f"...{shown[-MOST_TOLD:]}"
