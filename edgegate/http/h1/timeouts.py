# Hot path: told of each step of each request.
"""How long a connection of HTTP/1 is waited for, and what for."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from math import inf
from typing import Final

from edgegate.http.limits import Limits
from edgegate.net.transport import Transport
from edgegate.net.wheel import Deadline, TimerWheel
from edgegate.overload.idle import UNASKED

_AGAIN: Final = 10.0
"""Seconds that a client has at least when it is read again: it may have to learn first that it may send."""


class Wait(Enum):
    """What a connection's one deadline is for."""

    NOTHING = "nothing"
    REQUEST = "request"
    HEAD = "rest of a head"
    BODY = "request body"
    STREAM = "request body beside its answer"
    READER = "client to read"


class Timeouts(Deadline):
    """
    A connection's one deadline.

    @ivar wait: What it is for at present.
    """

    __slots__ = ("_before", "_body_left", "_limits", "wait")

    def __init__(self, wheel: TimerWheel, limits: Limits, expired: Callable[[], None]) -> None:
        super().__init__(wheel, expired)
        self._limits = limits
        self._before = 0
        self._body_left = 0.0
        self.wait = Wait.NOTHING

    def idle_since(self) -> float:
        """
        Return since when a request is waited for, or the rest of its head, as L{edgegate.overload.idle.Idle} has it;
        C{inf}: neither is.
        """
        if not self.active:
            return inf
        if self.wait is Wait.REQUEST:
            return self._due - self._wheel.tick - self._limits.idle_seconds
        if self.wait is Wait.HEAD:
            return self._due - self._wheel.tick - self._limits.head_seconds + UNASKED
        return inf

    def nothing(self) -> None:
        """Wait for nothing."""
        if self.wait is Wait.BODY:
            self._keep_body()
        self.wait = Wait.NOTHING
        self.active = False

    def request(self) -> None:
        """Wait for the next request to begin."""
        self.wait = Wait.REQUEST
        self.start(self._limits.idle_seconds)

    def last_request(self) -> None:
        """Wait for a request that may have been sent already to begin."""
        self.wait = Wait.REQUEST
        self.start(self._limits.head_seconds)

    def head(self) -> None:
        """Wait for the rest of a head."""
        self.wait = Wait.HEAD
        self.start(self._limits.head_seconds)

    def body(self) -> None:
        """Wait for a request's body: its first byte, and then that it keeps up its rate."""
        self.wait = Wait.BODY
        self.start(self._limits.body_seconds)

    def body_again(self) -> None:
        """Wait for more of it, after it was not waited for: that time does not count."""
        if self.wait is Wait.BODY:
            self._keep_body()
        self.wait = Wait.BODY
        self.start(max(self._body_left, min(_AGAIN, self._limits.body_seconds)))

    def body_came(self, count: int) -> None:
        """
        So many bytes of it have come: if that was waited for, it is again.

        Each byte gives the time that it may take by the least rate, up to what
        is given in advance: who has sent much may not be slow for long either.
        """
        if self.wait is Wait.BODY:
            limits = self._limits
            seconds = limits.body_seconds
            if limits.body_rate:
                seconds = min(seconds, max(0.0, self._left() + count / limits.body_rate))
            self.start(seconds)
        elif self.wait is Wait.STREAM:
            self.start(self._limits.stream_idle_seconds)

    def stream(self, transport: Transport) -> None:
        """Wait for more of a request's body while its response is under way: for a byte of either."""
        self.wait = Wait.STREAM
        self._before = transport.bytes_out
        self.start(self._limits.stream_idle_seconds)

    def streams(self, transport: Transport) -> bool:
        """It was waited for long enough: return whether some of the response went out meanwhile, and wait again."""
        before = self._before
        self.stream(transport)
        return self._before != before

    def reader(self, transport: Transport) -> None:
        """Wait for the other side to read what it was sent."""
        if self.wait is Wait.BODY:
            self._keep_body()
        self.wait = Wait.READER
        self._before = transport.acknowledged
        self.start(self._limits.stall_seconds)

    def reads(self, transport: Transport) -> bool:
        """It was waited for long enough: return whether it has read enough meanwhile, and wait again."""
        before = self._before
        self.reader(transport)
        return self._before - before >= self._limits.stall_bytes

    def _keep_body(self) -> None:
        self._body_left = self._left()

    def _left(self) -> float:
        """Return the seconds that are left; what L{start} adds to be late rather than early is none of them."""
        wheel = self._wheel
        return self._due - wheel.tick - wheel.now
