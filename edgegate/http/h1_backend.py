# Hot path: carries each request to an HTTP/1 backend and its answer back.
"""
The backend's side of HTTP/1: one kept connection, one request at a time.

Answers are parsed by llhttp, strictly; what it cannot know (that HEAD was
asked, that an answer without a length ends with its connection) is decided
here (RFC 9112 section 6.3).
"""

from __future__ import annotations

from typing import Protocol, cast

import httptools
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocol, IPushProducer, ITransport
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from edgegate.errors import (
    INTERNAL,
    STREAM_IDLE,
    UPSTREAM_CLOSED,
    UPSTREAM_CUT_SHORT,
    UPSTREAM_HEAD_TOO_LARGE,
    UPSTREAM_PROTOCOL,
    Fault,
)
from edgegate.http.fields import ANSWER_ROLES, Field, Role, content_length, nominated
from edgegate.http.limits import Limits
from edgegate.net.stream import Stream
from edgegate.net.wheel import Deadline, TimerWheel
from edgegate.upstream.registry import EndpointState

log = Logger()


class Asker(Protocol):
    """Whose request a backend connection carries."""

    def answer_interim(self, status: int, reason: bytes, fields: list[Field]) -> None:
        """A 1xx answer came."""

    def answer_head(self, status: int, reason: bytes, fields: list[Field], length: int | None) -> None:
        """The final answer begins; C{length} is L{None} where only its end will tell."""

    def answer_body(self, data: bytes) -> None:
        """A piece of its body."""

    def answer_flush(self) -> None:
        """What came in one read was told."""

    def answer_end(self, trailers: list[Field]) -> None:
        """The answer is whole; the connection is not this asker's any more."""

    def answer_failed(self, fault: Fault, silent: bool) -> None:
        """
        No answer will come, or not the rest of it; the connection is gone.

        @param silent: Whether not a byte of an answer was seen.
        """

    def upload_blocked(self, blocked: bool) -> None:
        """The backend cannot keep up with the request's body, or can again."""


class _Malformed(Exception):
    """The answer breaks HTTP, or a limit; raised inside of llhttp's callbacks to stop it."""


@implementer(IProtocol, IPushProducer)
class HTTP1Backend:
    """
    One connection to an endpoint. It owns its transport.

    Between two requests it lies in the endpoint's pool, which owns it then.

    @ivar endpoint: Where it leads.
    @ivar used: How many requests it has carried.
    """

    __slots__ = (
        "_asker",
        "_complete",
        "_deadline",
        "_dirty",
        "_fault",
        "_fields",
        "_head_bytes",
        "_head_done",
        "_interims",
        "_is_head",
        "_keep",
        "_limits",
        "_out",
        "_parser",
        "_reason",
        "_request_whole",
        "_silent",
        "_status",
        "_trailers",
        "_transport",
        "_until_close",
        "endpoint",
        "used",
    )

    def __init__(self, endpoint: EndpointState, wheel: TimerWheel, limits: Limits) -> None:
        self.endpoint = endpoint
        self.used = 0
        self._limits = limits
        self._parser = httptools.HttpResponseParser(self)
        self._deadline = Deadline(wheel, self._expired)
        self._asker: Asker | None = None
        self._out: list[bytes] = []
        self._fault: Fault | None = None
        self._reset()

    def __repr__(self) -> str:
        return f"<HTTP1Backend {self.endpoint.address}: {'asked' if self._asker else 'idle'}, {self.used} requests>"

    def _reset(self) -> None:
        self._fields: list[Field] = []
        self._trailers: list[Field] = []
        self._reason = b""
        self._status = self._head_bytes = self._interims = 0
        self._head_done = self._complete = self._dirty = self._is_head = False
        self._keep = self._until_close = self._request_whole = False
        self._silent = True

    # The asker --------------------------------------------------------------------------------------------------------

    def ask(self, asker: Asker, is_head: bool, head: list[bytes]) -> None:
        """
        Begin a request. What is queued leaves with the next L{flush}.

        @param head: The serialised head, in pieces.
        """
        self._asker = asker
        self._is_head = is_head
        self._out += head
        self.used += 1
        endpoint = self.endpoint
        endpoint.active += 1
        endpoint.requests += 1
        self._deadline.start(self._limits.stream_idle_seconds)

    def queue(self, data: bytes) -> None:
        """Go on with the request, framed already."""
        self._out.append(data)

    def request_whole(self) -> None:
        """Nothing of the request is missing; only then may the connection be kept after the answer."""
        self._request_whole = True

    def flush(self) -> None:
        """Send what is queued, in one piece."""
        out = self._out
        if out:
            data = out[0] if len(out) == 1 else b"".join(out)
            out.clear()
            self._transport.write(data)

    def pause(self) -> None:
        """Read no more of the answer: its client does not keep up."""
        self._transport.pauseProducing()
        self._deadline.stop()

    def resume(self) -> None:
        """Read on."""
        self._transport.resumeProducing()
        self._deadline.start(self._limits.stream_idle_seconds)

    def cancel(self) -> None:
        """Nobody wants the answer: the connection ends, and the asker hears no more."""
        self._forget_asker()
        self._transport.abortConnection()

    def close(self) -> None:
        """End the idle connection; the pool has let go of it."""
        self._transport.loseConnection()

    # The transport ----------------------------------------------------------------------------------------------------

    def makeConnection(self, transport: ITransport) -> None:
        """The connection is ready."""
        self._transport = stream = cast(Stream, transport)
        stream.registerProducer(self, True)

    def connectionMade(self) -> None:
        """Nothing is left to do after L{makeConnection}."""

    def pauseProducing(self) -> None:
        """The backend does not read."""
        if self._asker is not None:
            self._asker.upload_blocked(True)

    def resumeProducing(self) -> None:
        """The backend reads again."""
        if self._asker is not None:
            self._asker.upload_blocked(False)

    def stopProducing(self) -> None:
        """The transport is closing; L{connectionLost} follows."""

    def dataReceived(self, data: bytes) -> None:
        """The backend sent something."""
        asker = self._asker
        if asker is None:
            # RFC 9112 section 9.2: an answer that nobody asked for; the next request must not get it
            self.endpoint.pool.discard(self)
            self._transport.abortConnection()
            return
        self._silent = False
        try:
            self._parse(data)
            if self._fault is not None:
                self._fail(self._fault)
            elif self._complete:
                self._finish(asker)
            elif self._asker is not None:
                self._deadline.start(self._limits.stream_idle_seconds)
                asker.answer_flush()
        except Exception:
            log.failure("an answer broke")
            if self._asker is not None:
                self._fail(INTERNAL)

    def connectionLost(self, reason: Failure) -> None:
        """The connection is no more."""
        self._deadline.stop()
        asker = self._asker
        if asker is None:
            self.endpoint.pool.discard(self)
            return
        try:
            if self._until_close and isinstance(reason.value, ConnectionDone):
                self._forget_asker()
                asker.answer_end([])
                asker.answer_flush()
            else:
                self._forget_asker()
                asker.answer_failed(UPSTREAM_CUT_SHORT if self._head_done else UPSTREAM_CLOSED, self._silent)
        except Exception:
            log.failure("an answer broke as its connection ended")

    # llhttp's callbacks -----------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Something begins; behind an answer that is whole, something that was not asked for."""
        if self._complete:
            self._dirty = True

    def on_status(self, reason: bytes) -> None:
        """The reason phrase, or a piece of it."""
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head, or of the trailer section."""
        if self._head_done:
            self._trailers.append((name, value))
        else:
            self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if self._complete:
            return
        status = self._parser.get_status_code()
        if len(self._fields) > self._limits.answer_fields:
            raise self._malformed(UPSTREAM_HEAD_TOO_LARGE)
        asker = self._asker
        if asker is None:
            return
        if status < 200:
            self._interim(asker, status)
            return
        self._head_done = True
        self._keep = self._parser.should_keep_alive()
        fields, length = self._take_fields(status)
        asker.answer_head(status, self._reason, fields, length)
        if self._is_head:
            self._complete = True

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        if self._complete:
            self._dirty = True
        elif self._asker is not None:
            self._asker.answer_body(data)

    def on_message_complete(self) -> None:
        """llhttp holds the answer for whole."""
        if self._head_done:
            self._complete = True

    # ------------------------------------------------------------------------------------------------------------------

    def _parse(self, data: bytes) -> None:
        if not self._head_done:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # nothing was asked to be upgraded
            self._fault = UPSTREAM_PROTOCOL
        except httptools.HttpParserCallbackError:
            if self._fault is None:
                raise
        except httptools.HttpParserError:
            if self._complete:
                self._dirty = True
            elif self._fault is None:
                self._fault = UPSTREAM_PROTOCOL
        if not self._head_done and self._head_bytes > self._limits.answer_head_bytes:
            self._fault = UPSTREAM_HEAD_TOO_LARGE

    def _interim(self, asker: Asker, status: int) -> None:
        self._interims += 1
        if status == 101 or self._interims > self._limits.interim_answers:
            raise self._malformed(UPSTREAM_PROTOCOL)
        fields, reason = self._fields, self._reason
        self._fields, self._reason = [], b""
        if status != 100:
            own = (Role.PASS, Role.DATE)
            kept = [(lower, value) for name, value in fields for lower, role in (ANSWER_ROLES.of(name),) if role in own]
            asker.answer_interim(status, reason, kept)

    def _take_fields(self, status: int) -> tuple[list[Field], int | None]:
        """Sort the head's fields; return those that pass, and the length of the body where it is told."""
        fields: list[Field] = []
        options: list[bytes] = []
        length: int | None = None
        chunked = False
        roles = ANSWER_ROLES.of
        for name, value in self._fields:
            lower, role = roles(name)
            if not role or role == Role.DATE:
                fields.append((lower, value))
            elif role == Role.CONTENT_LENGTH:
                try:
                    number = content_length(value.rstrip(b" \t"))
                except ValueError:
                    raise self._malformed(UPSTREAM_PROTOCOL) from None
                if length is not None:
                    raise self._malformed(UPSTREAM_PROTOCOL)
                length = number
            elif role == Role.TRANSFER_ENCODING:
                if chunked or value.rstrip(b" \t").lower() != b"chunked":
                    raise self._malformed(UPSTREAM_PROTOCOL)
                chunked = True
            elif role == Role.CONNECTION:
                options.append(value)
        if chunked and length is not None:
            raise self._malformed(UPSTREAM_PROTOCOL)
        if options:
            own = nominated(options)
            fields = [field for field in fields if field[0] not in own]
        bodyless = self._is_head or status in (204, 304)
        self._until_close = not bodyless and not chunked and length is None
        return fields, length

    def _malformed(self, fault: Fault) -> _Malformed:
        self._fault = fault
        return _Malformed(fault.reason)

    def _finish(self, asker: Asker) -> None:
        """The answer is whole: let go of the asker, and keep the connection if it may carry another request."""
        trailers = self._trailers
        keep = self._keep and self._request_whole and not self._dirty and not self._until_close
        if self._is_head:
            # llhttp still waits for the body that an answer to GET would have
            self._parser = httptools.HttpResponseParser(self)
        self._forget_asker()
        if keep:
            self._reset()
            self.endpoint.pool.give(self)
        else:
            self._transport.loseConnection()
        kept = [(lower, v) for name, v in trailers for lower, role in (ANSWER_ROLES.of(name),) if role == Role.PASS]
        asker.answer_end(kept)
        asker.answer_flush()

    def _fail(self, fault: Fault) -> None:
        asker = self._asker
        self._forget_asker()
        self._transport.abortConnection()
        if asker is not None:
            asker.answer_failed(fault, self._silent)

    def _forget_asker(self) -> None:
        if self._asker is not None:
            self._asker = None
            self._out.clear()
            self._deadline.stop()
            self.endpoint.active -= 1

    def _expired(self) -> None:
        if self._asker is not None:
            self._fail(STREAM_IDLE)
