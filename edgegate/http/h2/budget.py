# Compiled: every connection of HTTP/2 has one.
"""
What only attackers do often: one budget of a connection for all of it.

A peer may reset streams, send PINGs, change its settings and so on, each of
which costs us more than it costs the peer. Each takes a point; a request that is
served to its end gives one back, and so does each second. At the end of it the
connection ends with ENHANCE_YOUR_CALM. There is one number, so that no mixture
of attacks is cheaper than the dearest of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from edgegate.http.h2.errors import ENHANCE_YOUR_CALM, ConnectionFailed

POINTS: Final = 200

_UPDATES_EACH: Final = 10
"""WINDOW_UPDATEs that are free for each DATA frame that was sent, and for each stream."""


class Budget:
    """@ivar left: Points that are left."""

    __slots__ = ("_clock", "_pings", "_updates", "_when", "left")

    def __init__(self, clock: Callable[[], float]) -> None:
        """
        @param clock: Seconds; asked only when a point is spent, which is seldom.
        """
        self._clock = clock
        self._when = 0.0
        self._updates = self._pings = 0
        self.left = POINTS

    def spend(self, what: str) -> None:
        """
        Something happened that is allowed, but not often.

        @param what: A constant phrase for the log.
        @raise ConnectionFailed: It happened too often.
        """
        now = self._clock()
        if self.left == POINTS:
            self._when = now
        else:
            # A connection that lives long, with a PING now and then, is no attack.
            back = int(now - self._when)
            if back > 0:
                self._when += back
                self.left = min(POINTS, self.left + back)
        self.left -= 1
        if self.left <= 0:
            raise ConnectionFailed(ENHANCE_YOUR_CALM, what)

    def earn(self) -> None:
        """A request was served to its end."""
        if self.left < POINTS:
            self.left += 1

    def window_update(self, frames: int, streams: int) -> None:
        """
        A WINDOW_UPDATE came; most are free, as there is no other way to say that there is room.

        @param frames: DATA frames that were sent on this connection.
        @param streams: Streams that there were.
        """
        self._updates += 1
        if self._updates > _UPDATES_EACH * (frames + streams + 1):
            self.spend("too many WINDOW_UPDATEs")

    def ping(self, frames: int) -> None:
        """
        A PING came; one is free for each DATA frame that was sent.

        Receivers of gRPC measure so how much may be under way: with a PING for what came since the last was answered.

        @param frames: DATA frames that were sent on this connection.
        """
        self._pings += 1
        if self._pings > frames:
            self.spend("too many PINGs")
