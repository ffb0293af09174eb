# Hot path: every byte that an HTTP/1 client sends passes here.
"""
Requests out of the bytes of an HTTP/1 connection (RFC 9112): bytes in, events out, no transport.

Heads are parsed once they are whole, so that a head that drips in
costs no more than a small buffer, and the byte at which each message ends is
known: what is behind it waits, unparsed, until the response before it is under
way to its end. A head that is byte for byte the one before it on the
connection, as those of programs that ask again and again are, is not parsed
twice; of one that differs in its first line alone, that line is.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, Protocol

from edgegate.errors import BAD_REQUEST, HEAD_TOO_LARGE, Fault
from edgegate.http.fields import UNKNOWN_LENGTH, Field
from edgegate.http.h1.chunk_reader import ChunkedBody
from edgegate.http.h1.chunks import ChunkError
from edgegate.http.h1.head_parser import HeadParser, looks_like_a_method
from edgegate.http.head_cache import MEMORABLE
from edgegate.http.held_bytes import Holder
from edgegate.http.limits import Limits
from edgegate.http.request import RequestHead, RequestRefused


class RequestSink(Protocol):
    """Whom a L{RequestReader} tells what it read."""

    def request_head(self, head: RequestHead) -> None:
        """A request begins."""

    def request_body(self, data: bytes) -> None:
        """A piece of its body, never empty."""

    def request_end(self, trailers: list[Field]) -> None:
        """The request is whole. Nothing is read further until L{RequestReader.resume}."""

    def request_refused(self, fault: Fault) -> None:
        """What came is no request that can be served. Nothing is read any more."""

    def preface_came(self, data: bytes) -> bool:
        """
        What came begins as HTTP/2 does (RFC 9113 section 3.4).

        @return: Whether another reads on, who has been given all of it; else it is refused.
        """


class Nobody:
    """Hears nothing: the sink of a reader that has stopped, so that neither keeps the other in memory."""

    def request_head(self, head: RequestHead) -> None:
        """Nothing comes of it."""

    def request_body(self, data: bytes) -> None:
        """Nothing comes of it."""

    def request_end(self, trailers: list[Field]) -> None:
        """Nothing comes of it."""

    def request_refused(self, fault: Fault) -> None:
        """Nothing comes of it."""

    def preface_came(self, data: bytes) -> bool:
        """Nothing comes of it."""
        return False


_NOBODY: Final = Nobody()


class State(Enum):
    """What the next byte belongs to."""

    HEAD = "head"
    SIZED_BODY = "sized body"
    CHUNKED_BODY = "chunked body"
    WAITING = "waiting"  # to the next request, which waits for L{RequestReader.resume}
    STOPPED = "stopped"


_EMPTY_LINE: Final = b"\r\n\r\n"

_HTTP2: Final = b"PRI * HTTP/2.0\r\n\r\n"
"""What HTTP/2 begins with: for HTTP/1 a head that is refused, so that no other is looked at twice."""


class RequestReader(Holder):
    """
    Read the requests of one connection, one after the other.

    @ivar state: What the next byte belongs to.
    """

    __slots__ = (
        "_checked",
        "_chunked",
        "_heads",
        "_last",
        "_last_head",
        "_left",
        "_limits",
        "_reading",
        "_rest",
        "_sink",
        "state",
    )

    def __init__(self, sink: RequestSink, limits: Limits, heads: HeadParser) -> None:
        """
        @param heads: Parses the heads of all connections.
        """
        super().__init__()
        self._sink: RequestSink = sink
        self._limits = limits
        self._heads = heads
        self._chunked: ChunkedBody | None = None
        self._rest = b""
        self._checked = 0  # so many bytes of a head that is not whole need not be looked at again
        self._last = b""
        self._last_head: RequestHead | None = None
        self._reading = False
        self._left = 0
        self.state = State.HEAD

    @property
    def waiting(self) -> int:
        """Bytes that were received and not yet parsed."""
        return len(self._rest)

    def receive(self, data: bytes) -> None:
        """Take what the client sent; tell the sink what it means."""
        if self._rest:
            data = self._rest + data
            self._rest = b""
        self._reading = True
        while data:
            state = self.state
            if state is State.HEAD:
                data = self._read_head(data)
            elif state is State.SIZED_BODY:
                data = self._read_sized(data)
            elif state is State.CHUNKED_BODY:
                data = self._read_chunked(data)
            else:
                if state is State.WAITING:
                    self._rest = data
                break
        self._reading = False
        if self.state is State.STOPPED:
            self._let_go()

    def resume(self) -> None:
        """
        Read the next request: the response to the one before is whole.

        May be called from inside an event, whereupon L{receive} goes on by itself.
        """
        if self.state is State.WAITING:
            self.state = State.HEAD
            if self._rest and not self._reading:
                self.receive(b"")

    def hold(self) -> None:
        """Begin no further request before L{resume}; what has come of its head waits."""
        if self.state is State.HEAD:
            self.state = State.WAITING

    @property
    def left(self) -> int:
        """Bytes of a sized body that are still to come; 0 where there is none."""
        return self._left if self.state is State.SIZED_BODY else 0

    def skip(self, count: int) -> None:
        """So many bytes of a sized body went another way."""
        if self.state is State.SIZED_BODY:
            self._left -= count
            if not self._left:
                self.state = State.WAITING
                self._sink.request_end([])

    def overflow(self) -> None:
        """Too much waits for the ends of all heads: this one's is not waited for."""
        sink = self._sink
        self.stop()
        sink.request_refused(HEAD_TOO_LARGE)

    def stop(self) -> bytes:
        """Read nothing any more; return what was received and not parsed."""
        rest, self._rest = self._rest, b""
        self.state = State.STOPPED
        if self.held:
            self._heads.unfinished.release(self)
        if not self._reading:
            self._let_go()
        return rest

    def _let_go(self) -> None:
        """Leave no cycle behind."""
        self._sink = _NOBODY
        if self._chunked is not None:
            self._chunked.end()
            self._chunked = None

    # --------------------------------------------------------------------------------------------------------------

    def _read_head(self, data: bytes) -> bytes:
        end = data.find(_EMPTY_LINE, self._checked)
        if end < 0 or data[0] == 13 or data[0] == 10:
            return self._read_part_of_head(data)
        end += 4
        if end > self._limits.head_bytes:
            return self._refuse(HEAD_TOO_LARGE)
        if self.held:
            self._checked = 0
            self._heads.unfinished.release(self)
        raw = data[:end]
        head = self._last_head
        if head is None or raw != self._last:
            try:
                head = self._heads.read(raw, self._last, head)
            except RequestRefused as refused:
                if raw == _HTTP2 and self._sink.preface_came(data):
                    return b""
                return self._refuse(refused.fault)
            if end <= MEMORABLE:
                self._last, self._last_head = raw, head
        self._begin(head)
        return data[end:]

    def _read_part_of_head(self, data: bytes) -> bytes:
        """Keep the beginning of a head; RFC 9112 section 2.2: empty lines before the request line are passed over."""
        if len(data) > self._limits.head_bytes:
            return self._refuse(HEAD_TOO_LARGE)
        if data[:2] == b"\r\n":
            if self.held:
                self._heads.unfinished.release(self)
            return data[2:]
        if data[:1] == b"\n" or (data[:1] == b"\r" and len(data) > 1):
            return self._refuse(BAD_REQUEST)
        if data[0] != 13 and not looks_like_a_method(data):
            return self._refuse(BAD_REQUEST)
        start = self._checked
        if data.count(b"\n", start) != data.count(b"\r\n", max(0, start - 1)):
            return self._refuse(BAD_REQUEST)
        self._rest = data
        self._checked = max(0, len(data) - 3)
        self._heads.unfinished.hold(self, len(data))
        return b""

    def _begin(self, head: RequestHead) -> None:
        length = head.length
        sink = self._sink
        if not length:
            # llhttp and this agree that there is no body: an Upgrade stops its parser at the same byte
            self.state = State.WAITING
            sink.request_head(head)
            sink.request_end([])
            return
        if length == UNKNOWN_LENGTH:
            self.state = State.CHUNKED_BODY
            self._chunked = ChunkedBody(self._piece)
        else:
            self.state = State.SIZED_BODY
            self._left = length
        sink.request_head(head)

    def _read_sized(self, data: bytes) -> bytes:
        left = self._left
        if len(data) < left:
            self._left = left - len(data)
            self._sink.request_body(data)
            return b""
        piece, rest = (data, b"") if len(data) == left else (data[:left], data[left:])
        self._left = 0
        self.state = State.WAITING
        self._sink.request_body(piece)
        self._sink.request_end([])
        return rest

    def _read_chunked(self, data: bytes) -> bytes:
        body = self._chunked
        assert body is not None
        try:
            taken = body.read(data)
        except ChunkError:
            return self._refuse(BAD_REQUEST)
        if len(body.trailers) > self._limits.head_fields:
            return self._refuse(HEAD_TOO_LARGE)
        if body.whole and self.state is not State.STOPPED:
            self._chunked = None
            trailers = body.trailers
            if trailers:
                try:
                    trailers = self._heads.trailers(trailers)
                except RequestRefused as refused:
                    return self._refuse(refused.fault)
            self.state = State.WAITING
            self._sink.request_end(trailers)
        return data[taken:]

    def _piece(self, data: bytes) -> None:
        self._sink.request_body(data)

    def _refuse(self, fault: Fault) -> bytes:
        self.stop()
        self._sink.request_refused(fault)
        return b""
