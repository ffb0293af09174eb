# Hot path: every request of HTTP/2 passes here.
"""A client's connection of HTTP/2, from the gateway's end (RFC 9113)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Final, cast

from edgegate.errors import HEAD_TOO_LARGE, Fault
from edgegate.http.fields import Field
from edgegate.http.h2.connection import Connection
from edgegate.http.h2.errors import (
    NO_ERROR,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    ConnectionFailed,
    Malformed,
)
from edgegate.http.h2.frames import ENABLE_CONNECT_PROTOCOL, MAX_CONCURRENT_STREAMS, Setting, goaway_frame
from edgegate.http.h2.held_back import UNREAD, HeldBack
from edgegate.http.h2.request_heads import RequestHeads
from edgegate.http.h2.settings import STREAMS
from edgegate.http.h2.stream import Early, Stream
from edgegate.http.request import RequestHead, RequestRefused

_EVERY_NUMBER: Final = 0x7FFFFFFF

_MOST_GAPS: Final = 16

_UNBOUNDED: Final = 1 << 60


class ServerStream(Stream):
    """A request and its response."""

    __slots__ = ()

    @abstractmethod
    def request_received(self, head: RequestHead) -> None:
        """A request begins; where C{whole} is set it has no body, else its body and its end will be told."""

    @abstractmethod
    def request_refused(self, fault: Fault) -> None:
        """A request is to be answered with a fault. What follows of it comes as of any other."""


class ServerConnection(Connection):
    """
    Read requests, write responses.

    @ivar begins: How many requests are begun of those that come; the others are held back. To be set before each
        L{receive}.
    @ivar drained: Whether the last GOAWAY was sent: the connection is over with its last stream.
    """

    __slots__ = ("_extended_connect", "_gaps", "_heads", "_line", "_taken", "begins", "drained")

    def __init__(self, heads: RequestHeads, clock: Callable[[], float], extended_connect: bool = True) -> None:
        """
        @param heads: Shared by all connections that have the same limits and roles.
        @param clock: Seconds.
        @param extended_connect: Whether clients may ask for extended CONNECT (RFC 8441).
        """
        own = [(MAX_CONCURRENT_STREAMS, STREAMS)]
        if extended_connect:
            own.append((ENABLE_CONNECT_PROTOCOL, 1))
        Connection.__init__(self, True, b"", own, clock)
        self._heads = heads
        self._extended_connect = extended_connect
        self._gaps: list[tuple[int, int]] = []  # numbers that were left out lately
        self._line: HeldBack | None = None  # made when a request has to wait
        self._taken = -1  # the last stream that is taken, once that is decided
        self.begins = _UNBOUNDED
        self.drained = False

    @abstractmethod
    def begin(self, number: int) -> ServerStream:
        """Return a new stream, which is told of its request next."""

    def drain(self) -> None:
        """Ask the client to go elsewhere (RFC 9113 section 6.8); streams that are on their way are still taken."""
        if self.code < 0 and not self.drained:
            self.queue.out.append(goaway_frame(_EVERY_NUMBER, NO_ERROR))

    def drain_now(self) -> None:
        """
        Take no further stream: those that come are passed over, and the client may ask for them elsewhere.

        To be called a round trip after L{drain}, in which what was on its way has come.
        """
        if self.code < 0 and not self.drained:
            self.drained = True
            self._taken = max(self.last, 0)
            self.queue.out.append(goaway_frame(self._taken, NO_ERROR))

    def headers_came(self, number: int, block: bytes, ends: bool) -> None:
        """Begin a stream, or end it with trailers."""
        stream = self.streams.get(number)
        if stream is not None:
            self._trailers_came(stream, block, ends)
            return
        if number <= self.last or not number & 1:
            self._late_headers(number, block)
            return
        fault: Fault | None = None
        head = cast("RequestHead | None", self._blocks.find(block, ends))
        malformed = False
        if head is None:
            try:
                head = self._head_of(block, ends)
            except RequestRefused as refused:
                fault = refused.fault
            except Malformed:
                malformed = True
        if number > self.last + 2:
            self._leave_out(self.last + 2, number)
        self.last = number
        if self.drained:
            return
        if malformed or len(self.streams) >= STREAMS:
            self._send_reset(number, PROTOCOL_ERROR if malformed else REFUSED_STREAM)
            self._budget.spend("too many malformed requests" if malformed else "too many streams")
            return
        self.streams[number] = new = self.begin(number)
        new.whole = ends
        if head is not None and head.sized:
            new.unread = head.length
        elif head is not None and head.upgrade:
            new.tunnel = True
        if head is not None and self.begins > 0 and not self.held_back and self.queue.window > 0 and new.window > 0:
            self.begins -= 1
            new.request_received(head)
        else:
            self._begin_or_hold(new, head, fault, len(block))

    def held_may_begin(self) -> None:
        """Requests that were held back may begin: L{begin_held} is to be called in a later turn."""

    def begin_held(self, most: int) -> bool:
        """Begin up to so many requests that were held back; return whether all were that may be."""
        line = self._line
        while line is not None and self.code < 0:
            if not most:
                return False
            stream = line.take(len(self.streams) - self.held_back, self.queue.window)
            if stream is None:
                break
            self._count_held(line)
            most -= 1
            self._begin_late(cast(ServerStream, stream))
        return True

    def refuse_held(self) -> None:
        """Have the client ask elsewhere for what was held back too long."""
        line = self._line
        if line is not None:
            for stream in line.streams():
                self.reset(stream, REFUSED_STREAM)
                self._tell_reset(stream, REFUSED_STREAM)

    def held_streams(self) -> list[Stream]:
        """Return those that were not told of their requests yet."""
        return [] if self._line is None else self._line.streams()

    def window_update_came(self, number: int, more: int) -> None:
        """Begin requests that waited for room, too."""
        Connection.window_update_came(self, number, more)
        if self.held_back:
            if not number and self._line is not None:
                self._line.room_came(more)
            self.held_may_begin()

    def settings_came(self, settings: list[Setting]) -> None:
        """Begin requests that waited for room, too."""
        Connection.settings_came(self, settings)
        if self.held_back:
            self.held_may_begin()

    def goaway_came(self, last: int, code: int) -> None:
        """The client will not ask any more."""
        self._budget.spend("too many GOAWAYs")
        self.peer_leaving = True
        self.peer_left(code)

    def sent_whole(self, stream: Stream) -> None:
        """
        A response is whole: what the client still sends of its request is of no use (RFC 9113 section 8.1).

        Where nothing but its end is missing that is on its way, and many clients hold it for an error that it can't be
        sent any more.
        """
        if stream.whole:
            self._over(stream)
        elif not stream.tunnel and stream.unread:
            self._send_reset(stream.number, NO_ERROR)
            self._over(stream)

    def _begin_or_hold(self, stream: ServerStream, head: RequestHead | None, fault: Fault | None, size: int) -> None:
        """Tell a stream of its request, unless that has to wait behind others, for others or for room."""
        queue = self.queue
        room = (queue.window > 0 and stream.window > 0) or len(self.streams) <= UNREAD
        if room and self.begins > 0 and not self.held_back:
            self.begins -= 1
            self._tell(stream, head, fault)
        else:
            self._hold_back(stream, Early(head, fault, size))
        if fault is not None:
            self._budget.spend("too many requests that were refused")

    def _hold_back(self, stream: ServerStream, early: Early) -> None:
        """Begin a request later, behind those that wait already."""
        line = self._line
        if line is None:
            line = self._line = HeldBack()
        line.add(stream, early)
        self._count_held(line)
        self.held_may_begin()

    def _tell(self, stream: ServerStream, head: RequestHead | None, fault: Fault | None) -> None:
        """Tell a stream of its request."""
        if head is not None:
            stream.request_received(head)
        elif fault is not None:
            stream.request_refused(fault)

    def _begin_late(self, stream: ServerStream) -> None:
        """Tell a stream of its request, and of all that has come of it since."""
        early, whole = stream.early, stream.whole
        assert early is not None
        stream.early = None
        # one that has a body does not end with its head
        ended = early.trailers
        if ended is not None:
            stream.whole = False
        self._tell(stream, early.head, early.fault)
        if early.body and not stream.gone:
            stream.body_received(bytes(early.body))
        if ended is not None and not stream.gone:
            stream.whole = whole
            self._message_ended(stream, ended)

    def _count_held(self, line: HeldBack) -> None:
        self.held_back, self.held_bytes = len(line), line.size

    def _held_may_change(self, stream: Stream) -> None:
        line = self._line
        if line is not None:
            line.drop(stream)
            self._count_held(line)
        self.held_may_begin()

    def _head_of(self, block: bytes, ends: bool) -> RequestHead:
        fields = self._decode(block)
        if self._decoder.too_large:
            raise RequestRefused(HEAD_TOO_LARGE)
        head = self._heads.head(fields, ends, self._extended_connect)
        if not self._decoder.changed:
            self._blocks.keep(block, ends, head)
        return head

    def _stray(self, number: int) -> None:
        if not self.drained or number <= self._taken or self._idle(number):
            Connection._stray(self, number)

    def _late_headers(self, number: int, block: bytes) -> None:
        """HEADERS for a stream that is over; of one that we reset they may have been on their way."""
        for first, beyond in self._gaps:
            if first <= number < beyond:
                raise ConnectionFailed(PROTOCOL_ERROR, "a stream that begins too late")
        self._stray(number)
        try:
            self._decode(block)
        except Malformed:
            pass  # of no use to anybody
        self._budget.spend("too many HEADERS of closed streams")

    def _leave_out(self, first: int, beyond: int) -> None:
        """The streams in between have ended before they began (RFC 9113 section 5.1.1)."""
        gaps = self._gaps
        gaps.append((first, beyond))
        if len(gaps) > _MOST_GAPS:
            del gaps[0]

    def _last_taken(self) -> int:
        return self._taken if self.drained else max(self.last, 0)

    def _tell_reset(self, stream: Stream, code: int) -> None:
        stream.stream_reset(code, True)

    def _trailers_of(self, fields: list[Field]) -> list[Field]:
        return self._heads.trailers(fields)
