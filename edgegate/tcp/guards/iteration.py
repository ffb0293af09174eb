"""The way of one connection through its guards."""

from __future__ import annotations

from twisted.logger import Logger

from edgegate.errors import GUARD_FAILED, Fault
from edgegate.net.addresses import ConnectionInfo
from edgegate.tcp.guards.interfaces import ConnectionFilter, Decided, Waiting

log = Logger(namespace=__name__)


class ConnectionIteration:
    """Ends in one call of C{decided}, unless it is cancelled."""

    __slots__ = ("_connection", "_decided", "_filters", "_over", "_position", "_waiting")

    def __init__(self, filters: tuple[ConnectionFilter, ...], connection: ConnectionInfo, decided: Decided) -> None:
        self._filters = filters
        self._connection = connection
        self._decided = decided
        self._position = 0
        self._over = False
        self._waiting: Waiting | None = None

    def start(self) -> None:
        """Begin; it may be decided before this returns."""
        while self._position < len(self._filters):
            position = self._position
            found = self._judged(self._filters[position], position)
            if self._over or self._position != position:
                return
            if isinstance(found, Waiting):
                self._waiting = found
                return
            if found is not None:
                self._end(found)
                return
            self._position = position + 1
        self._end(None)

    def cancel(self) -> None:
        """The connection is gone: nobody wants to know."""
        self._over = True
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.cancel()

    def _judged(self, filter_: ConnectionFilter, position: int) -> Fault | Waiting | None:
        try:
            return filter_.judge(self._connection, lambda fault: self._answered(position, fault))
        except Exception:
            log.failure("the guard {name} failed: its connection is refused", name=filter_.name)
            return GUARD_FAILED

    def _answered(self, position: int, fault: Fault | None) -> None:
        """A guard that has asked somebody has an answer; what it says another time is not listened to."""
        if self._over or self._position != position:
            return
        self._waiting = None
        if fault is not None:
            self._end(fault)
        else:
            self._position = position + 1
            self.start()

    def _end(self, fault: Fault | None) -> None:
        if not self._over:
            self._over = True
            self._decided(fault)
