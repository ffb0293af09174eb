"""What workers log: the access log, whose file the supervisor opens, and the service log, which it writes for them."""

from __future__ import annotations

import os

from twisted.logger import Logger, LogLevel

from edgegate.observe.log_file import open_log
from edgegate.startup import CannotStart
from edgegate.workers.messages import LogEvent

log = Logger(namespace=__name__)


class WorkerLog:
    """
    Both logs.

    @ivar path: The access log's file; C{-}: standard output; L{None}: there is none.
    @ivar file: Its descriptor, once it was opened.
    """

    def __init__(self) -> None:
        self.path: str | None = None
        self.file: int | None = None

    def open(self) -> None:
        """
        Open the access log.

        @raise edgegate.startup.CannotStart: It can't be opened.
        """
        if self.path is None:
            return
        try:
            self.file = open_log(self.path)
        except OSError as error:
            raise CannotStart(f"cannot open the access log {self.path}: {error.strerror}") from None

    def reopen(self) -> None:
        """Open its file anew, which was renamed."""
        if self.path is None:
            return
        try:
            new = open_log(self.path)
        except OSError as error:
            log.error("cannot reopen the access log {path}: {reason}", path=self.path, reason=error.strerror)
            return
        self.close()
        self.file = new

    def close(self) -> None:
        """Close it; the workers have descriptors of their own."""
        file, self.file = self.file, None
        if file is not None:
            os.close(file)

    def tell(self, number: int, event: LogEvent) -> None:
        """A worker has something for the service log."""
        Logger(namespace=event.namespace).emit(
            LogLevel.levelWithName(event.level), "worker {worker}: {text}", worker=number, text=event.text
        )
