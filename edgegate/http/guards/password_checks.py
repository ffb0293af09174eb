"""Where slow checks of passwords are made: in threads, few at a time, behind everything else."""

from __future__ import annotations

import os
from contextlib import suppress
from threading import Thread, get_native_id

from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import Logger

from edgegate.access.check_queue import AT_ONCE, Check, CheckQueue

log = Logger(namespace=__name__)

_NICE = 10
"""How much later than all others the threads get the processor, where a system can tell threads apart (Linux)."""


class PasswordChecks:
    """
    The checks of all guards of a process.

    @ivar queue: Which are made when.
    """

    __slots__ = ("_reactor", "queue")

    def __init__(self, reactor: IReactorFromThreads, processes: int = 1) -> None:
        """
        @param processes: How many serve the same clients.
        """
        self._reactor = reactor
        self.queue = CheckQueue(self._start, AT_ONCE if processes == 1 else 1)

    def stop(self) -> None:
        """The threads end with what they are at, and nothing waits for them."""

    def _start(self, check: Check) -> None:
        """Make a check. A thread of its own costs little beside it, and none is there when the process forks."""
        try:
            Thread(target=self._run, args=(check,), name="edgegate password", daemon=True).start()
        except RuntimeError:
            log.failure("there can't be another thread: a password is not checked")
            self._reactor.callFromThread(self.queue.ended, check, None)

    def _run(self, check: Check) -> None:
        with suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, get_native_id(), _NICE)
        fits: bool | None = None
        try:
            fits = check.work()
        except Exception:
            log.failure("a password could not be checked, and is refused")
        with suppress(Exception):  # the reactor may be gone
            self._reactor.callFromThread(self.queue.ended, check, fits)
