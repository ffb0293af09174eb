"""The end of what is under way when a gateway ends."""

from __future__ import annotations

from enum import Enum

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from edgegate.server.data_plane import DataPlane

log = Logger(namespace=__name__)

_LOOK = 0.1
"""Seconds between two looks at how far a drain is."""

LAST_ANSWERS = 1.0
"""
Seconds in which kept connections end with their next answer, before those end on which nothing is asked.

Who asks again and again is told to go by an answer then. Were its connection closed between two requests, the next one
could be on its way already, and would be lost.
"""


class Step(Enum):
    """How far a drain is."""

    ANNOUNCED = "everything is served as ever"
    RETIRING = "no connection begins, and each ends with its next answer"
    DRAINING = "connections on which nothing is asked have ended"
    RESET = "what was left is reset"


class Drain:
    """Closes the ports, serves who has connected already, lets requests and relays end, then resets what is left."""

    def __init__(self, data_plane: DataPlane, clock: IReactorTime, seconds: float, delay: float = 0.0) -> None:
        """
        @param seconds: For which requests and relays may go on once the ports are closed.
        @param delay: Seconds in which everything is served as ever, before the ports are closed: for load balancers
            that take a while to see that the gateway is not ready any more.
        """
        self._data_plane = data_plane
        self._clock = clock
        self._seconds = seconds
        self._delay = delay
        self._step = Step.ANNOUNCED
        self._next = 0.0
        self._until = 0.0
        self._looking: LoopingCall | None = None

    def begin(self) -> Deferred[None]:
        """
        Begin.

        @return: Fires when nothing is left.
        """
        now = self._clock.seconds()
        self._next, self._until = now + self._delay, now + self._delay + self._seconds
        if self._delay:
            log.info("the ports will be closed in {delay:g} seconds", delay=self._delay)
        self._looking = looking = LoopingCall(self._look)
        looking.clock = self._clock
        return looking.start(_LOOK, now=True).addCallback(lambda _: None)

    def skip_delay(self) -> None:
        """The ports are closed already: nobody has to see that they will be."""
        self._delay = 0.0

    def hurry(self) -> None:
        """End it at once; one that has not begun yet ends as it begins."""
        self._delay = self._seconds = self._next = self._until = 0.0
        if self._looking is not None and self._looking.running:
            self._look()

    def _look(self) -> None:
        """Go on where it is time, and end when nothing is under way."""
        now, looking = self._clock.seconds(), self._looking
        assert looking is not None
        if self._step is Step.ANNOUNCED and now >= self._next:
            self._retire(now)
        if self._step is Step.RESET or (self._step is not Step.ANNOUNCED and self._data_plane.ended):
            looking.stop()
        elif now >= self._until:
            self._reset()
        elif self._step is Step.RETIRING and now >= self._next:
            self._step = Step.DRAINING
            self._data_plane.drain()

    def _retire(self, now: float) -> None:
        self._step = Step.RETIRING
        self._next = now + LAST_ANSWERS
        self._data_plane.withdraw()
        count = self._data_plane.connections
        if count:
            log.info("draining {count} connections for up to {seconds:g} seconds", count=count, seconds=self._seconds)

    def _reset(self) -> None:
        """Reset what is left; it is over, and in the access log, by the next look."""
        self._step = Step.RESET
        count = self._data_plane.connections
        if count:
            log.info("resetting {count} connections", count=count)
        self._data_plane.abort()
