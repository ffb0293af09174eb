# Hot path: every byte that an HTTP/1 backend sends passes here.
"""
Answers out of the bytes of an HTTP/1 connection to a backend (RFC 9112): bytes in, events out, no transport.

Heads and chunked bodies are parsed by llhttp, strictly, but for heads of the
plain kind (L{edgegate.http.h1.plain_responses}); bodies of known length are
passed on as they are. A head that is byte for byte the one before, as most
are on a kept connection within the same second, is not parsed twice.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

import httptools

from edgegate.errors import UPSTREAM_HEAD_TOO_LARGE, UPSTREAM_PROTOCOL, Fault
from edgegate.http.fields import PASS, RESPONSE_ROLES, Field
from edgegate.http.h1.plain_responses import PLAIN
from edgegate.http.limits import Limits
from edgegate.http.response import ResponseHead, ResponseRefused, h1_response
from edgegate.http.response_sink import ResponseSink

_EMPTY_LINE: Final = b"\r\n\r\n"
_MEMORABLE: Final = 2048
"""Bytes of a head that is remembered."""

_REASON: Final = re.compile(rb"[\t -~\x80-\xff]*")
"""RFC 9112 section 4: a reason phrase. llhttp takes control characters as well."""


class _MoreThanAskedFor(Exception):
    """Bytes came behind the response."""


class Nobody(ResponseSink):
    """Hears what is of no use to anybody."""

    __slots__ = ()

    def response_interim(self, head: ResponseHead) -> None:
        """Nothing comes of it."""

    def response_head(self, head: ResponseHead) -> None:
        """Nothing comes of it."""

    def response_body(self, data: bytes) -> None:
        """Nothing comes of it."""


NOBODY: Final = Nobody()


class State(Enum):
    """What the next byte belongs to."""

    HEAD = "head"
    SIZED_BODY = "sized body"
    CHUNKED_BODY = "chunked body"
    BODY_UNTIL_CLOSE = "body until close"
    WHOLE = "nothing: the answer is whole"
    SWITCHED = "another protocol"
    REFUSED = "nothing: the answer is refused"


class ResponseReader:
    """
    Read the responses of one connection, one after the other.

    @ivar state: What the next byte belongs to.
    @ivar sink: Who is told; may be replaced in the middle of a response, also from inside an event.
    @ivar fault: Why the response is refused.
    @ivar begun: Whether the final response's head was seen.
    @ivar silent: Whether not a byte of a response was seen.
    @ivar switched: A 101, with what came behind it. Whether it was asked for has still to be judged.
    @ivar keep: Whether the connection may carry another request, once the response is whole.
    @ivar trailers: Those fields of the trailer section that pass.
    """

    __slots__ = (
        "_bodiless",
        "_fields",
        "_interims",
        "_is_head",
        "_keep",
        "_last",
        "_last_head",
        "_left",
        "_limits",
        "_parser",
        "_reason",
        "_rest",
        "_whole",
        "begun",
        "fault",
        "keep",
        "silent",
        "sink",
        "state",
        "switched",
        "trailers",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parser: httptools.HttpResponseParser | None = None
        self._fields: list[Field] = []
        self._last = b""
        self._last_head: ResponseHead | None = None
        self._reason = b""
        self._left = 0
        self._bodiless = 0  # bytes of a chunked body since the last that was a piece of it
        self._whole = self._keep = False
        self.fault: Fault | None = None
        self.switched: tuple[ResponseHead, bytes] | None = None
        self.expect(False, NOBODY)

    def expect(self, is_head: bool, sink: ResponseSink) -> None:
        """Await the answer to a new request, which is HEAD or another."""
        self._is_head = is_head
        self.sink = sink
        self._rest = b""
        self._interims = 0
        self.state = State.HEAD
        self.begun = self.keep = False
        self.silent = True
        self.trailers: list[Field] = []

    @property
    def left(self) -> int | None:
        """Bytes of the response's body that are still to come; L{None}: there is no telling."""
        if self.state is State.SIZED_BODY:
            return self._left
        return 0 if self.state is State.WHOLE else None

    def receive(self, data: bytes) -> None:
        """Take what the backend sent; tell the sink what it means. Then look at C{state}."""
        self.silent = False
        state = self.state
        if state is State.HEAD:
            data = self._read_heads(data)
            if not data:
                return
            state = self.state
        if state is State.SIZED_BODY:
            left = self._left
            if len(data) > left:
                data, self.keep = data[:left], False
            self._left = left = left - len(data)
            if not left:
                self.state = State.WHOLE
            self.sink.response_body(data)
        elif state is State.CHUNKED_BODY:
            self._read_chunked(data)
        elif state is State.BODY_UNTIL_CLOSE:
            self.sink.response_body(data)
        else:
            self.keep = False

    def skip(self, count: int) -> bool:
        """So many bytes of a body of known length went another way; return whether that was all of it."""
        self._left -= count
        if not self._left:
            self.state = State.WHOLE
        return not self._left

    def finish(self) -> bool:
        """The connection ended, and nothing is read any more: whether the response is whole by that, in good order."""
        # the parser's callbacks are ours: neither is to keep the other in memory
        self._parser = None
        return self.state is State.BODY_UNTIL_CLOSE

    # llhttp's callbacks -----------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Something begins; behind a response that is whole, something that nobody asked for: llhttp is stopped."""
        if self._whole:
            self.keep = False
            raise _MoreThanAskedFor

    def on_status(self, reason: bytes) -> None:
        """The reason phrase, or a piece of it."""
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head, or of the trailer section."""
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """All fields were seen; llhttp forgets what C{Connection} said once the message is whole."""
        assert self._parser is not None
        self._keep = self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        """A decoded piece of a chunked body."""
        self._bodiless = 0
        self.sink.response_body(data)

    def on_message_complete(self) -> None:
        """llhttp holds the response for whole."""
        self._whole = True

    # ------------------------------------------------------------------------------------------------------------------

    def _read_heads(self, data: bytes) -> bytes:
        """Read heads up to the final one's; return what is behind it."""
        if self._rest:
            data = self._rest + data
            self._rest = b""
        while True:
            end = data.find(_EMPTY_LINE) + 4
            if end < 4 or end > self._limits.response_head_bytes:
                self._keep_part(data)
                return b""
            raw = data[:end]
            data = data[end:]
            if raw == self._last and self._last_head is not None:
                head = self._last_head
            else:
                try:
                    head = self._parse(raw)
                except ResponseRefused as refused:
                    self._refuse(refused.fault)
                    return b""
            if head.status >= 200:
                break
            if head.status == 101:
                self.begun = True
                self.state = State.SWITCHED
                self.switched = head, data
                return b""
            self._interims += 1
            if self._interims > self._limits.interim_responses:
                self._refuse(UPSTREAM_PROTOCOL)
                return b""
            if head.status != 100:
                self.sink.response_interim(head)
        self._begin(head)
        self.sink.response_head(head)
        return data

    def _keep_part(self, data: bytes) -> None:
        """Keep the beginning of a head, if it can be one."""
        if len(data) > self._limits.response_head_bytes:
            self._refuse(UPSTREAM_HEAD_TOO_LARGE)
        elif not data.startswith(b"HTTP/1."[: len(data)]) or data.count(b"\n") != data.count(b"\r\n"):
            self._refuse(UPSTREAM_PROTOCOL)
        else:
            self._rest = data

    def _parse(self, raw: bytes) -> ResponseHead:
        head = PLAIN.read(raw, self._limits.response_fields)
        if head is None:
            head = self.judged(raw)
        if len(raw) <= _MEMORABLE and not head.chunked and head.status >= 200:
            self._last, self._last_head = raw, head
        return head

    def judged(self, raw: bytes) -> ResponseHead:
        """
        Return what llhttp reads in a whole head.

        @raise ResponseRefused: It is none that can be passed on.
        """
        fields: list[Field] = []
        self._fields = fields
        self._reason = b""
        self._whole = False
        self._parser = parser = httptools.HttpResponseParser(self)
        try:
            parser.feed_data(raw)
        except httptools.HttpParserUpgrade:
            # a 101; llhttp is not shown what is behind it
            pass
        except httptools.HttpParserError as error:
            raise ResponseRefused(UPSTREAM_PROTOCOL) from error
        if len(fields) > self._limits.response_fields:
            raise ResponseRefused(UPSTREAM_HEAD_TOO_LARGE)
        status = parser.get_status_code()
        # llhttp passes over an empty line in front, and takes the responses of RTSP and ICE as well
        if not 100 <= status <= 599 or not _REASON.fullmatch(self._reason) or not raw.startswith(b"HTTP/"):
            raise ResponseRefused(UPSTREAM_PROTOCOL)
        head = h1_response(status, self._reason, self._keep, fields)
        version = parser.get_http_version()
        # HTTP/1.0 knows neither interim responses nor chunks
        if version != "1.1" and (version != "1.0" or status < 200 or head.chunked):
            raise ResponseRefused(UPSTREAM_PROTOCOL)
        return head

    def _begin(self, head: ResponseHead) -> None:
        """RFC 9112 section 6.3: how long the body is."""
        self.begun = True
        self.keep = head.keep
        length = head.length
        if self._is_head or head.status in (204, 304) or length == 0:
            self.state = State.WHOLE
        elif head.chunked:
            self.state = State.CHUNKED_BODY
            self._fields = []
            self._bodiless = 0
        elif length is not None:
            self.state = State.SIZED_BODY
            self._left = length
        else:
            self.state = State.BODY_UNTIL_CLOSE
            self.keep = False

    def _read_chunked(self, data: bytes) -> None:
        assert self._parser is not None
        # llhttp keeps a trailer field until it is whole, however long it is
        self._bodiless += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            if not isinstance(error.__context__, _MoreThanAskedFor):
                raise
        except httptools.HttpParserError:
            if not self._whole:
                self._refuse(UPSTREAM_PROTOCOL)
                return
            self.keep = False
        limits = self._limits
        if len(self._fields) > limits.response_fields or (
            self._bodiless > limits.response_head_bytes and not self._whole
        ):
            self._refuse(UPSTREAM_HEAD_TOO_LARGE)
        elif self._whole:
            self.state = State.WHOLE
            of = RESPONSE_ROLES.of
            self.trailers = [(of(name)[0], value) for name, value in self._fields if of(name)[1] == PASS]

    def _refuse(self, fault: Fault) -> None:
        self.state = State.REFUSED
        self.fault = fault
        self._rest = b""
