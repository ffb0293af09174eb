"""What a worker tells the supervisor while somebody looks at the live data."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from edgegate.admin.live.parts import Part
from edgegate.admin.live.reader import LiveReader
from edgegate.net.peer import Peer
from edgegate.server.data_plane import DataPlane
from edgegate.workers.messages import BeginLive, EndLive, LivePart


class LiveReporter:
    """Begins and ends to tell it."""

    def __init__(self, reactor: IReactorTime, data_plane: DataPlane, supervisor: Peer, number: int) -> None:
        """
        @param number: Of the worker.
        """
        self._number = number
        self._reactor = reactor
        self._data_plane = data_plane
        self._supervisor = supervisor
        self._readers: dict[int, LiveReader] = {}

    def begin(self, begin: BeginLive) -> None:
        """Tell what happens; where that is told already, begin anew."""

        def tell(part: Part) -> bool:
            # what is served goes on: a supervisor that does not read is told again
            return self._supervisor.offer(LivePart(begin.number, part))

        self.end(EndLive(begin.number))
        reader = LiveReader(self._reactor, self._data_plane, tell, self._number, begin.tells_map)
        self._readers[begin.number] = reader
        reader.start()

    def end(self, end: EndLive) -> None:
        """Nobody looks any more."""
        reader = self._readers.pop(end.number, None)
        if reader is not None:
            reader.stop()

    def stop(self) -> None:
        """The worker ends."""
        for number in tuple(self._readers):
            self.end(EndLive(number))
