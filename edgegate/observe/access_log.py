# Hot path: told of each request.
"""
The access log: one line for each request, relay and rejected connection, when it ends.

What ended is only noted; lines are made and written many at a time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from time import monotonic, time
from typing import TypeVar

from twisted.logger import Logger

from edgegate.observe.events import Ended, RejectedConnection, RelayEnd
from edgegate.observe.log_lines import Line, Values, rejected_values, relay_values, request_values

log = Logger(namespace=__name__)

T = TypeVar("T")

BATCH = 64
"""Lines that are made at once at most: what they are made of is not kept for long, nor are requests behind them."""

DELAY = 0.5
"""Seconds that a line waits for others."""


Entry = tuple[Ended | RelayEnd | RejectedConnection, float]
"""What ended, and when, in seconds of L{monotonic}."""


class Output(ABC):
    """Makes lines, or what stands for them, and takes them somewhere. What can't be made takes nothing with it."""

    __slots__ = ("_broken",)

    def __init__(self) -> None:
        self._broken = False

    @abstractmethod
    def put(self, entries: list[Entry], ahead: float) -> None:
        """
        Take what ended. It neither waits nor fails.

        @param ahead: How many seconds the time since the epoch is ahead of C{monotonic}.
        """

    def broke(self) -> None:
        """Log the error that is being handled, if it is the first."""
        if not self._broken:
            self._broken = True
            log.failure("a line of the access log can't be made; of others like it nothing is said")


class LineOutput(Output):
    """Writes lines of text."""

    __slots__ = ("_line", "_write")

    def __init__(self, line: Line, write: Callable[[bytes], None]) -> None:
        """
        @param write: Takes whole lines.
        """
        super().__init__()
        self._line = line
        self._write = write

    def put(self, entries: list[Entry], ahead: float) -> None:
        """See L{Output.put}."""
        lines = "".join([self._made(ended, at, ahead) for ended, at in entries])
        if lines:
            self._write(lines.encode("utf-8", "backslashreplace"))

    def _made(self, ended: Ended | RelayEnd | RejectedConnection, at: float, ahead: float) -> str:
        """Return a line; an empty one where none can be made."""
        try:
            return self._line(ended, at, ahead)
        except Exception:
            self.broke()
            return ""


class AccessLog:
    """Takes note of what ended, until it is time to write."""

    __slots__ = ("_ended", "_outputs", "_start_timer")

    def __init__(self, outputs: Sequence[Output], start_timer: Callable[[float], None]) -> None:
        """
        @param outputs: Where lines go.
        @param start_timer: Has L{flush} called after some seconds.
        """
        self._outputs = outputs
        self._start_timer = start_timer
        self._ended: list[Entry] = []

    def use(self, outputs: Sequence[Output]) -> None:
        """Write elsewhere from now on; what ended before is written as it would have been."""
        self.flush()
        self._outputs = outputs

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
        if not self._outputs:
            return
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
            for output in self._outputs:
                output.put(waiting, ahead)


def line_of(form: Callable[[Values], T]) -> Callable[[Ended | RelayEnd | RejectedConnection, float, float], T]:
    """Return what makes lines of the default fields, or whatever else a format makes of them."""

    def line(ended: Ended | RelayEnd | RejectedConnection, at: float, ahead: float) -> T:
        if isinstance(ended, RelayEnd):
            since = ended.connection.since
            return form(relay_values(ended, at - since, since + ahead))
        if isinstance(ended, RejectedConnection):
            return form(rejected_values(ended, at - ended.since, ended.since + ahead))
        return form(request_values(ended, at - ended.started, ended.started + ahead))

    return line
