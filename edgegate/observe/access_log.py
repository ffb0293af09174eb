# Hot path: told of each request.
"""
The access log: one line for each request, relay and rejected connection, when it ends.

What ended is only noted; lines are made and written many at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, time
from typing import cast

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReactorFromThreads, IReactorTime
from twisted.logger import Logger

from edgegate.observe.events import Ended, RejectedConnection, RelayEnd
from edgegate.observe.log_file import LogFile
from edgegate.observe.log_lines import (
    Format,
    json_line,
    rejected_values,
    relay_values,
    request_values,
    text_line,
)
from edgegate.startup import CannotStart

log = Logger(namespace=__name__)

BATCH = 64
"""Lines that are made at once at most: what they are made of is not kept for long, nor are requests behind them."""

DELAY = 0.5
"""Seconds that a line waits for others."""


class AccessLog:
    """Takes note of what ended, until it is time to write."""

    __slots__ = ("_broken", "_ended", "_format", "_start_timer", "_write")

    def __init__(self, line: Format, write: Callable[[bytes], None], start_timer: Callable[[float], None]) -> None:
        """
        @param line: Makes a line.
        @param write: Takes lines, and neither waits nor fails.
        @param start_timer: Has L{flush} called after some seconds.
        """
        self._format = line
        self._write = write
        self._start_timer = start_timer
        self._ended: list[tuple[Ended | RelayEnd | RejectedConnection, float]] = []
        self._broken = False

    # As an observer ---------------------------------------------------------------------------------------------------

    def connection_rejected(self, rejected: RejectedConnection) -> None:
        """A connection ended before anything was served on it."""
        self._add(rejected)

    def request_ended(self, exchange: Ended) -> None:
        """A request ended."""
        self._add(exchange)

    def relay_ended(self, relay: RelayEnd) -> None:
        """A relay ended."""
        self._add(relay)

    # ------------------------------------------------------------------------------------------------------------------

    def _add(self, ended: Ended | RelayEnd | RejectedConnection) -> None:
        """Something ended just now."""
        waiting = self._ended
        waiting.append((ended, monotonic()))
        if len(waiting) >= BATCH:
            self.flush()
        elif len(waiting) == 1:
            self._start_timer(DELAY)

    def flush(self) -> None:
        """Write what was noted."""
        waiting, self._ended = self._ended, []
        if waiting:
            # of the same moment by both clocks
            ahead = time() - monotonic()
            lines = [self._line(ended, at, ahead) for ended, at in waiting]
            self._write("".join(lines).encode("utf-8", "backslashreplace"))

    def _line(self, ended: Ended | RelayEnd | RejectedConnection, at: float, ahead: float) -> str:
        """Return a line; an empty one where none can be made, which takes no others with it."""
        try:
            return self._made(ended, at, ahead)
        except Exception:
            if not self._broken:
                self._broken = True
                log.failure("a line of the access log can't be made; of others like it nothing is said")
            return ""

    def _made(self, ended: Ended | RelayEnd | RejectedConnection, at: float, ahead: float) -> str:
        if isinstance(ended, RelayEnd):
            since = ended.connection.since
            return self._format(relay_values(ended, at - since, since + ahead))
        if isinstance(ended, RejectedConnection):
            return self._format(rejected_values(ended, at - ended.since, ended.since + ahead))
        return self._format(request_values(ended, at - ended.started, ended.started + ahead))


class AccessLogService(Service):
    """
    The access log in its file, from the start of the gateway to its end.

    @ivar log: What is told.
    """

    def __init__(self, clock: IReactorTime, file: LogFile, line: Format) -> None:
        self.log = AccessLog(line, file.write, self._start_timer)
        self._clock = clock
        self._file = file
        self._timer: IDelayedCall | None = None
        self._opened = False

    def privilegedStartService(self) -> None:
        """
        Open the file, while the process may still open any.

        @raise edgegate.startup.CannotStart: It can't be opened.
        """
        super().privilegedStartService()  # type: ignore[no-untyped-call]
        self._open()

    def startService(self) -> None:
        """
        Write from now on.

        @raise edgegate.startup.CannotStart: See L{privilegedStartService}, which C{twist} leaves out.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self._open()

    def stopService(self) -> None:
        """Write what is left."""
        super().stopService()  # type: ignore[no-untyped-call]
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        self.log.flush()
        self._file.close()

    def lines_lost(self) -> int:
        """Return how many lines could not be written so far."""
        return self._file.lost

    def reopen(self) -> None:
        """Go on in a new file: the old one was renamed."""
        self.log.flush()
        try:
            self._file.reopen()
        except OSError as error:
            log.error("cannot reopen the access log {path}: {reason}", path=self._file.path, reason=error.strerror)

    def _open(self) -> None:
        if self._opened:
            return
        self._opened = True
        try:
            self._file.open()
        except OSError as error:
            raise CannotStart(f"cannot open the access log {self._file.path}: {error.strerror}") from None

    def _start_timer(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self._clock.callLater(seconds, self._flush)

    def _flush(self) -> None:
        self._timer = None
        self.log.flush()


def access_log(
    reactor: IReactorTime, path: str, form: str, opener: Callable[[], int] | None = None
) -> AccessLogService | None:
    """
    Return the service that writes the access log, if one is to be written.

    @param reactor: Also provides C{IReactorFromThreads}.
    @param path: The file; C{-} is standard output, C{none} none.
    @param form: C{text} or C{json}.
    @param opener: Returns the descriptor of the file, in place of opening it.
    """
    if path == "none":
        return None

    def complain(words: str) -> None:
        cast(IReactorFromThreads, reactor).callFromThread(log.error, "access log {words}", words=words)

    line = json_line if form == "json" else text_line
    return AccessLogService(reactor, LogFile(path, complain, opener=opener), line)
