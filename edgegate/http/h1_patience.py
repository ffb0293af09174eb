# Hot path: told of each step of each request.
"""How long a connection of HTTP/1 is waited for, and what for."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from edgegate.http.limits import Limits
from edgegate.net.transport import Transport
from edgegate.net.wheel import Deadline, TimerWheel


class Wait(Enum):
    """What a connection's one deadline is for."""

    NOTHING = "nothing"
    REQUEST = "request"
    HEAD = "rest of a head"
    BODY = "request body"
    READER = "client to read"


class Patience(Deadline):
    """
    A connection's one deadline.

    @ivar wait: What it is for at present.
    """

    __slots__ = ("_acknowledged", "_limits", "wait")

    def __init__(self, wheel: TimerWheel, limits: Limits, expired: Callable[[], None]) -> None:
        super().__init__(wheel, expired)
        self._limits = limits
        self._acknowledged = 0
        self.wait = Wait.NOTHING

    def nothing(self) -> None:
        """Wait for nothing."""
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
        """Wait for more of a request's body."""
        self.wait = Wait.BODY
        self.start(self._limits.body_seconds)

    def body_came(self) -> None:
        """Some of it has come: if that was waited for, it is again."""
        if self.wait is Wait.BODY:
            self.start(self._limits.body_seconds)

    def reader(self, transport: Transport) -> None:
        """Wait for the other side to read what it was sent."""
        self.wait = Wait.READER
        self._acknowledged = transport.acknowledged
        self.start(self._limits.stall_seconds)

    def reads(self, transport: Transport) -> bool:
        """It was waited for long enough: return whether it has read enough meanwhile, and wait again."""
        before = self._acknowledged
        self.reader(transport)
        return self._acknowledged - before >= self._limits.stall_bytes
