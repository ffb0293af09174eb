# Hot path: asked by each connection of HTTP/2 whose client has no room.
"""
Requests that are not begun yet, because their client has no room for a byte of what answers them.

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
from edgegate.http.request import RequestHead

UNREAD: Final = 8
"""Requests of a connection that are under way while its client has no room, before further ones wait for it."""


class HeldBack:
    """Those of one connection, in the order in which they came."""

    __slots__ = ("_given", "_line")

    def __init__(self) -> None:
        self._line: dict[int, Stream] = {}
        self._given = 0  # how many may begin because there was room

    def add(self, stream: Stream, head: RequestHead) -> None:
        """Keep a request, and what comes of it."""
        stream.early = Early(head)
        self._line[stream.number] = stream

    def drop(self, stream: Stream) -> bool:
        """Forget a request that has ended; return whether it is one of these."""
        return self._line.pop(stream.number, None) is not None

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
            del self._line[stream.number]
            return stream
        return None

    def streams(self) -> list[Stream]:
        """Return them, the longest waiting first."""
        return list(self._line.values())

    def __len__(self) -> int:
        return len(self._line)
