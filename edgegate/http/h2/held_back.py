# Hot path: asked by each connection of HTTP/2 whose client has no room.
"""
Requests that are not begun yet: their client asks for much at once, or has no room for a byte of what answers them.

A request is more work than all else that a client can say in as many bytes. So
few are begun before others have their turn, and what came behind them is looked at
first: a client that takes back what it has just asked for, or its room for it, has
no backend do anything.

Whoever gives no room for responses can ask for a hundred all the same, and each
has a backend do its work, holds a connection to it and has what it answers wait
here. So only some are begun at such a time. The others wait until there is room
or until of those that were begun some have ended; nothing is lost, since they
could be sent nothing but a head before.

There is room also where it was used up again at once by others that had waited
longer: each time that a client gives some it has some of these begun.
"""

from __future__ import annotations

from typing import Final

from edgegate.http.h2.frames import FRAME_BYTES
from edgegate.http.h2.settings import STREAMS
from edgegate.http.h2.stream import Early, Stream

BEGUN: Final = 16
"""Requests of a connection that are begun before others have their turn."""

CROWDED_BEGUN: Final = 2
"""The same, where more connections are ready than are called at once."""

HELD_BYTES: Final = 768
"""What such a request takes, beside twice the block of its head, from which it was decoded, and its body."""

UNREAD: Final = 8
"""Requests of a connection that are under way while its client has no room, before further ones wait for it."""


class HeldBack:
    """
    Those of one connection, in the order in which they came.

    @ivar size: Bytes that they take, but for bodies.
    """

    __slots__ = ("_given", "_line", "size")

    def __init__(self) -> None:
        self._line: dict[int, Stream] = {}
        self._given = 0  # how many may begin because there was room
        self.size = 0

    def add(self, stream: Stream, early: Early) -> None:
        """Keep a request, and what comes of it."""
        stream.early = early
        self._line[stream.number] = stream
        self.size += HELD_BYTES + 2 * early.size

    def drop(self, stream: Stream) -> None:
        """Forget a request that is to wait no longer; nothing happens if it is none of these."""
        early = stream.early
        if early is not None and self._line.pop(stream.number, None) is not None:
            self.size -= HELD_BYTES + 2 * early.size

    def room_came(self, more: int) -> None:
        """The client has room for so many bytes more of all streams, whatever became of it."""
        self._given = min(STREAMS, self._given + 1 + more // FRAME_BYTES)

    def take(self, under_way: int, window: int) -> Stream | None:
        """
        Return the first that may begin, which is no longer one of these; L{None}: there is none.

        @param under_way: How many requests are.
        @param window: Bytes that the client has room for, of all streams.
        """
        for stream in self._line.values():
            if under_way >= UNREAD:
                if stream.window <= 0 or (window <= 0 and not self._given):
                    continue
                if window <= 0:
                    self._given -= 1
            self.drop(stream)
            return stream
        return None

    def streams(self) -> list[Stream]:
        """Return them, the longest waiting first."""
        return list(self._line.values())

    def __len__(self) -> int:
        return len(self._line)
