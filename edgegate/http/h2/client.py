# Hot path: every request to a backend over HTTP/2 passes here.
"""A connection of HTTP/2 to a backend, from the gateway's end (RFC 9113)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Final, cast

from edgegate.http.fields import Field
from edgegate.http.h2.connection import Connection
from edgegate.http.h2.errors import (
    ENHANCE_YOUR_CALM,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    Malformed,
)
from edgegate.http.h2.frames import ENABLE_PUSH, PREFACE
from edgegate.http.h2.response_heads import response_head, response_trailers
from edgegate.http.h2.settings import STREAMS
from edgegate.http.h2.stream import Stream
from edgegate.http.response import ResponseHead

_LAST_NUMBER: Final = 0x7FFFFFFF

_INTERIM_RESPONSES: Final = 16


class ClientStream(Stream):
    """
    A request and its response.

    @ivar bodiless: Whether the response has no body whatever its head says, as that of HEAD.
    """

    __slots__ = ("_interims", "bodiless")

    def __init__(self, connection: Connection, bodiless: bool = False) -> None:
        Stream.__init__(self, connection, 0)
        self.bodiless = bodiless
        self.begun = False
        self._interims = 0

    @abstractmethod
    def interim_received(self, head: ResponseHead) -> None:
        """A 1xx response came, other than 100."""

    @abstractmethod
    def response_received(self, head: ResponseHead) -> None:
        """The final response begins; where C{whole} is set it has no body, else its body and its end will be told."""


class ClientConnection(Connection):
    """Write requests, read responses."""

    __slots__ = ("_most",)

    def __init__(self, clock: Callable[[], float], most: int = STREAMS) -> None:
        """
        @param clock: Seconds.
        @param most: Streams at a time, if the backend takes more.
        """
        Connection.__init__(self, False, PREFACE, [(ENABLE_PUSH, 0)], clock)
        self._most = most

    @property
    def room(self) -> int:
        """How many more streams may begin now."""
        if self.code >= 0 or self.peer_leaving or self.last + 2 > _LAST_NUMBER:
            return 0
        return max(0, min(self.peer.streams, self._most) - len(self.streams))

    def ask(self, stream: ClientStream, block: bytes, ends: bool, length: int = -1) -> None:
        """
        Begin a request, for which there is C{room}.

        @param block: Of its head.
        @param ends: Whether that is all there is.
        @param length: Bytes of its body, and no trailers behind it; -1: its end will be told.
        """
        self.last = stream.number = self.last + 2
        stream.window = self.queue.initial
        self.streams[stream.number] = stream
        self.send_head(stream, block, ends, length)

    def headers_came(self, number: int, block: bytes, ends: bool) -> None:
        """Give a response its head or its trailers."""
        found = self.streams.get(number)
        if found is None:
            self._late_headers(number, block)
            return
        stream = cast(ClientStream, found)
        if stream.begun:
            self._trailers_came(stream, block, ends)
            return
        head = cast("ResponseHead | None", self._blocks.find(block, ends))
        if head is None:
            try:
                head = response_head(self._decode(block))
            except Malformed:
                self._break(stream, PROTOCOL_ERROR)
                return
            if self._decoder.too_large:
                self._break(stream, ENHANCE_YOUR_CALM)
                return
            if not self._decoder.changed:
                self._blocks.keep(block, ends, head)
        if head.status < 200:
            self._interim_came(stream, head, ends)
        else:
            self._response_came(stream, head, ends)

    def goaway_came(self, last: int, code: int) -> None:
        """The backend takes no further streams, and has not dealt with those above the last."""
        self._budget.spend("too many GOAWAYs")
        self.peer_leaving = True
        for stream in list(self.streams.values()):
            if stream.number > last and not stream.gone:
                self._remove(stream)
                self._reset[stream.number] = None
                stream.stream_reset(code, False)
        self.peer_left(code)

    def sent_whole(self, stream: Stream) -> None:
        """A request is whole."""
        if stream.whole:
            self._over(stream)

    def _interim_came(self, stream: ClientStream, head: ResponseHead, ends: bool) -> None:
        stream._interims += 1
        if ends or stream._interims > _INTERIM_RESPONSES:
            self._break(stream, PROTOCOL_ERROR)
        elif head.status != 100:
            stream.interim_received(head)

    def _response_came(self, stream: ClientStream, head: ResponseHead, ends: bool) -> None:
        length = head.length
        if stream.bodiless or head.status in (204, 304):
            stream.unread = 0
        elif length is not None:
            stream.unread = length
            if ends and length:
                self._break(stream, PROTOCOL_ERROR)
                return
        stream.begun = True
        stream.whole = ends
        stream.response_received(head)
        if ends:
            self._received_whole(stream)

    def _late_headers(self, number: int, block: bytes) -> None:
        """HEADERS for a stream that is over; they may have been on their way when we ended it."""
        self._stray(number)
        try:
            self._decode(block)
        except Malformed:
            pass  # of no use to anybody
        if number not in self._reset:
            self._budget.spend("too many HEADERS of closed streams")

    def _last_taken(self) -> int:
        return 0

    def _tell_reset(self, stream: Stream, code: int) -> None:
        """What is reset behind a whole response is only the rest of an upload (RFC 9113 section 8.1)."""
        if stream.whole:
            stream.stream_closed()
        else:
            stream.stream_reset(code, stream.begun or code != REFUSED_STREAM)

    def _trailers_of(self, fields: list[Field]) -> list[Field]:
        return response_trailers(fields)
