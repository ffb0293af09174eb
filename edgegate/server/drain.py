"""The end of what is under way when a gateway ends."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from edgegate.server.data_plane import DataPlane

log = Logger(namespace=__name__)

_LOOK = 0.1
"""Seconds between two looks at whether a drain is done."""


class Drain:
    """Closes the ports, serves who has connected already, lets requests and relays end, then resets what is left."""

    def __init__(self, data_plane: DataPlane, clock: IReactorTime, seconds: float) -> None:
        """
        @param seconds: For which requests and relays may go on.
        """
        self._data_plane = data_plane
        self._clock = clock
        self._seconds = seconds
        self._until = 0.0
        self._aborted = False
        self._looking: LoopingCall | None = None

    def begin(self) -> Deferred[None]:
        """
        Begin.

        @return: Fires when nothing is left.
        """
        self._data_plane.drain()
        count = self._data_plane.connections
        if count:
            log.info("draining {count} connections for up to {seconds:g} seconds", count=count, seconds=self._seconds)
        self._until = self._clock.seconds() + self._seconds
        self._looking = looking = LoopingCall(self._look)
        looking.clock = self._clock
        return looking.start(_LOOK, now=True).addCallback(lambda _: None)

    def hurry(self) -> None:
        """End it at once; one that has not begun yet ends as it begins."""
        self._seconds = self._until = 0.0
        if self._looking is not None and self._looking.running:
            self._look()

    def _look(self) -> None:
        """End when nothing is under way; reset what is when the time is over."""
        data_plane, looking = self._data_plane, self._looking
        assert looking is not None
        if self._aborted or data_plane.ended:
            looking.stop()
        elif self._clock.seconds() >= self._until:
            count = data_plane.connections
            if count:
                log.info("resetting {count} connections", count=count)
            self._aborted = True
            # what is reset is over, and in the access log, by the next look
            data_plane.abort()
