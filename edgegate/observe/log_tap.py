"""
The access log for who follows it: lines of what ends, for those who ask, as long as somebody does.

It is an observer meanwhile, as a tap is, and nothing at all else; where the lines are written otherwise is no matter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, time

from edgegate.errors import response_flags
from edgegate.observe.events import Ended, RejectedConnection, RelayEnd
from edgegate.observe.log_lines import Line
from edgegate.observe.tap import LOST, Tap, TapFilter, Tapped, is_host

LINE = "line"
"""What is shown has it, its newline included."""

MOST_A_SECOND = 1000
"""Lines that one process shows in a second; what is over is lost, and counted."""


@dataclass(frozen=True, slots=True)
class LogFilter:
    """
    Which lines are shown: those that all of this is true of; what is empty is true of all.

    @ivar host: The host of a request, without a port and in lower case, or the SNI of what is none; C{*.example} is
        each below C{example}.
    @ivar route: The name of the route, its file, or C{FILE:LINE}.
    @ivar statuses: The lowest and the highest status; what is no request has 0, as a request without an answer has.
    @ivar flags: Response flags of which it has one.
    @ivar json: Whether lines are JSON.
    """

    host: str = ""
    route: str = ""
    statuses: tuple[int, int] | None = None
    flags: frozenset[str] = frozenset()
    json: bool = False

    def wants(self, ended: Ended | RelayEnd | RejectedConnection) -> bool:
        """Return whether the line of what ended is one of them."""
        if isinstance(ended, RelayEnd):
            return self._wants(ended.connection.server_name.encode(), 0, response_flags(ended.fault), "", ended.origin)
        if isinstance(ended, RejectedConnection):
            return self._wants(ended.server_name.encode(), 0, ["NR"] if ended.unknown else [], "", None)
        route = ended.route
        name, origin = ("", None) if route is None else (route.name, route.origin)
        return self._wants(ended.head.authority, ended.status, response_flags(ended.fault, ended.flags), name, origin)

    def _wants(self, host: bytes, status: int, flags: list[str], name: str, origin: object | None) -> bool:
        if self.statuses is not None and not self.statuses[0] <= status <= self.statuses[1]:
            return False
        if self.flags and self.flags.isdisjoint(flags):
            return False
        if self.host and not is_host(self.host, host):
            return False
        return not self.route or self._is_route(name, origin)

    def _is_route(self, name: str, origin: object | None) -> bool:
        if origin is None:
            return False
        place = str(origin)
        return self.route in (name, place, place.rpartition(":")[0])


class LogTap:
    """Shows lines; an L{edgegate.observe.observer.Observer} of whatever has one."""

    def __init__(
        self, wanted: LogFilter, show: Callable[[Tapped], bool], line: Line, seconds: Callable[[], float] = monotonic
    ) -> None:
        """
        @param show: Takes a line; returns whether it could.
        @param line: Makes them.
        @param seconds: The clock.
        """
        self._wanted = wanted
        self._show = show
        self._line = line
        self._seconds = seconds
        self._second = 0
        self._shown = self._lost = 0

    def connection_rejected(self, rejected: RejectedConnection) -> None:
        """A connection ended before anything was served on it."""
        self._ended(rejected)

    def request_ended(self, exchange: Ended) -> None:
        """A request ended."""
        self._ended(exchange)

    def relay_ended(self, relay: RelayEnd) -> None:
        """A relay ended."""
        self._ended(relay)

    def _ended(self, ended: Ended | RelayEnd | RejectedConnection) -> None:
        if not self._wanted.wants(ended):
            return
        now = self._seconds()
        if int(now) != self._second:
            self._second, self._shown = int(now), 0
        if self._shown >= MOST_A_SECOND:
            self._lost += 1
            return
        line: Tapped = {LINE: self._line(ended, now, time() - now)}
        if self._lost:
            line[LOST] = self._lost
        if self._show(line):
            self._shown += 1
            self._lost = 0


Wanted = TapFilter | LogFilter
"""What somebody wants to see of what passes."""


def tap_of(wanted: Wanted, show: Callable[[Tapped], bool], lines: Callable[[bool], Line]) -> Tap | LogTap:
    """
    Return what shows it.

    @param show: See L{Tap} and L{LogTap}.
    @param lines: Returns what makes the lines of the access log, as JSON or as text.
    """
    return LogTap(wanted, show, lines(wanted.json)) if isinstance(wanted, LogFilter) else Tap(wanted, show)
