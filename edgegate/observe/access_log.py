# Hot path: told of each request.
"""
The access log: one line for each request, relay and misfit, when it ends.

What ended is only noted; lines are made and written many at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, time

from edgegate.observe.events import Ended, Misfit, RelayEnd
from edgegate.observe.log_lines import Format, misfit_values, relay_values, request_values

BATCH = 256
"""Lines that are made at once at most, so that what they are made of is not kept for long."""

DELAY = 0.5
"""Seconds that a line waits for others."""


class AccessLog:
    """Takes note of what ended, until it is time to write."""

    __slots__ = ("_ended", "_format", "_start_timer", "_write")

    def __init__(self, line: Format, write: Callable[[bytes], None], start_timer: Callable[[float], None]) -> None:
        """
        @param line: Makes a line.
        @param write: Takes lines, and neither waits nor fails.
        @param start_timer: Has L{flush} called after some seconds.
        """
        self._format = line
        self._write = write
        self._start_timer = start_timer
        self._ended: list[tuple[Ended | RelayEnd | Misfit, float]] = []

    def add(self, ended: Ended | RelayEnd | Misfit) -> None:
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

    def _line(self, ended: Ended | RelayEnd | Misfit, at: float, ahead: float) -> str:
        if isinstance(ended, RelayEnd):
            since = ended.connection.since
            return self._format(relay_values(ended, at - since, since + ahead))
        if isinstance(ended, Misfit):
            return self._format(misfit_values(ended, at - ended.since, ended.since + ahead))
        return self._format(request_values(ended, at - ended.started, ended.started + ahead))
