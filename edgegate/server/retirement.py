"""The end of connections whose ports other processes serve now."""

from __future__ import annotations

from collections.abc import Collection

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from edgegate.model.addresses import Address
from edgegate.server.data_plane import DataPlane

log = Logger(namespace=__name__)

LONGEST_IDLE = 60.0
"""Seconds that connections on which nothing is under way may stay."""

_LOOK = 0.5
"""Seconds between two looks at whether one is left."""


class Retirement:
    """Connections end with their next answer, relays when they are over, idle ones and at last all after some time."""

    def __init__(self, data_plane: DataPlane, clock: IReactorTime, seconds: float | None = None) -> None:
        """
        @param seconds: After which what is left is reset; L{None}: never.
        """
        self._data_plane = data_plane
        self._clock = clock
        self._seconds = seconds
        self._looking = LoopingCall(self._look)
        self._looking.clock = clock
        self._timers: list[IDelayedCall] = []

    def begin(self, gone: Collection[Address]) -> Deferred[None]:
        """
        Begin.

        @param gone: The ports that nobody serves any more.
        @return: Fires when nothing is left, or after L{stop}.
        """
        self._data_plane.retire(gone)
        self._timers = [self._clock.callLater(LONGEST_IDLE, self._data_plane.drain)]
        if self._seconds is not None:
            self._timers.append(self._clock.callLater(self._seconds, self._reset))
        return self._looking.start(_LOOK).addCallback(lambda _: None)

    def stop(self) -> None:
        """Leave what is left to others."""
        for each in self._timers:
            if each.active():
                each.cancel()
        if self._looking.running:
            self._looking.stop()

    def _look(self) -> None:
        if self._data_plane.ended:
            self.stop()

    def _reset(self) -> None:
        log.info("resetting {count} connections", count=self._data_plane.connections)
        self._data_plane.abort()
