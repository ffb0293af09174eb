"""
What a relay does when something happens to one of its two connections.

Pure: it is told what happened and answers what to do, so every order of events
can be written as a test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from edgegate.errors import CLIENT_GONE, UPSTREAM_CUT_SHORT, Fault


class Side(Enum):
    """The two connections of a relay."""

    DOWNSTREAM = "downstream"
    UPSTREAM = "upstream"

    @property
    def other(self) -> Side:
        """The other one."""
        return Side.UPSTREAM if self is Side.DOWNSTREAM else Side.DOWNSTREAM


@dataclass(frozen=True, slots=True)
class FinishWriting:
    """Send a side what is queued for it, then an end of the stream (FIN, C{close_notify}); go on reading from it."""

    side: Side


@dataclass(frozen=True, slots=True)
class Close:
    """Send a side what is queued for it, then close it."""

    side: Side


@dataclass(frozen=True, slots=True)
class Abort:
    """Drop what is queued and reset the connection, so that nobody takes what came for the whole."""

    side: Side


Action = FinishWriting | Close | Abort

_CULPRIT = {Side.DOWNSTREAM: CLIENT_GONE, Side.UPSTREAM: UPSTREAM_CUT_SHORT}


@dataclass(slots=True)
class RelayState:
    """
    Where a relay is. Half-closes are kept both ways; an unclean end of one side is an unclean end of the other.

    @ivar finished: The sides that have sent all they will.
    @ivar lost: The sides whose connection is no more.
    @ivar closing: Whether both have been told to close.
    @ivar fault: The first thing that went wrong.
    """

    finished: set[Side] = field(default_factory=set)
    lost: set[Side] = field(default_factory=set)
    closing: bool = False
    fault: Fault | None = None

    @property
    def ended(self) -> bool:
        """Whether both connections are no more."""
        return len(self.lost) == len(Side)

    def read_finished(self, side: Side) -> list[Action]:
        """A side ended its stream in good order."""
        if self.closing or side in self.finished:
            return []
        self.finished.add(side)
        if side.other in self.finished:
            self.closing = True
            return [Close(each) for each in (side, side.other) if each not in self.lost]
        return [FinishWriting(side.other)]

    def connection_lost(self, side: Side, cleanly: bool) -> list[Action]:
        """
        A side's connection is no more.

        @param cleanly: It was closed in good order, by whomever. A reset is not that, nor is TLS cut off without
            C{close_notify}.
        """
        if side in self.lost:
            return []
        self.lost.add(side)
        if self.closing or side.other in self.lost:
            return []
        self.closing = True
        if not cleanly and self.fault is None:
            self.fault = _CULPRIT[side]
        # what a side sent is whole once it ended its stream, whatever became of the way back
        whole = cleanly or side in self.finished
        return [Close(side.other) if whole else Abort(side.other)]

    def connect_failed(self, fault: Fault) -> list[Action]:
        """There will be no upstream."""
        self.lost.add(Side.UPSTREAM)
        self.fault = self.fault or fault
        if self.closing or Side.DOWNSTREAM in self.lost:
            return []
        self.closing = True
        return [Close(Side.DOWNSTREAM)]

    def abort(self, fault: Fault | None) -> list[Action]:
        """End it now: nothing moved for too long, or the gateway stops (without a fault)."""
        self.fault = self.fault or fault
        self.closing = True
        return [Abort(side) for side in Side if side not in self.lost]
