# Hot path: carries each request to an HTTP/1 backend and its response back.
"""
The backend's side of HTTP/1: one kept connection, one request at a time.

What comes in is read by an L{edgegate.http.h1.response_reader.ResponseReader} and told
to whoever asked.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, cast

from OpenSSL import SSL
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocol, IPushProducer, ITransport
from twisted.python.failure import Failure
from zope.interface import classImplements

from edgegate.errors import INTERNAL, STREAM_IDLE, UPSTREAM_CLOSED, UPSTREAM_CUT_SHORT, UPSTREAM_PROTOCOL, Fault
from edgegate.http.fields import UNKNOWN_LENGTH, Field
from edgegate.http.h1.request_writer import last_chunk, write_head
from edgegate.http.h1.response_reader import NOBODY, ResponseReader, State
from edgegate.http.limits import Limits
from edgegate.http.router.upstream_callbacks import UpstreamCallbacks
from edgegate.http.upstream_stream import UpstreamStream
from edgegate.net.body_run import RUN_FROM
from edgegate.net.containment import broke, contained
from edgegate.net.stream import Stream
from edgegate.net.wheel import Deadline, TimerWheel
from edgegate.upstream.circuit_breaker import CircuitBreaker
from edgegate.upstream.registry import EndpointState

_LARGE: Final = 4096
"""Bytes from which on a piece is not copied to be sent with those before it."""


class HTTP1UpstreamConnection(UpstreamStream):
    """
    One connection to an endpoint. It owns its transport.

    Between two requests it lies in the endpoint's pool, which owns it then.

    @ivar counted: Where it is counted; L{None}: nowhere.
    @ivar used: How many requests it has carried.
    """

    __slots__ = (
        "_blocked",
        "_callbacks",
        "_chunked",
        "_deadline",
        "_discarding",
        "_limits",
        "_out",
        "_reader",
        "_request_whole",
        "_sent",
        "_since",
        "_transport",
        "_wheel",
        "_whole_at",
        "counted",
        "used",
    )

    def __init__(
        self, endpoint: EndpointState, wheel: TimerWheel, limits: Limits, counted: CircuitBreaker | None = None
    ) -> None:
        """
        @param counted: Where the connection is counted, until it is no more.
        """
        self.endpoint = endpoint
        self.counted = counted
        self._wheel = wheel
        self._since = 0.0 if endpoint.limits.connection_duration is None else wheel.clock.seconds()
        self.key = None
        self.local = None
        self.used = 0
        self._limits = limits
        self._reader = ResponseReader(limits)
        self._deadline = Deadline(wheel, self._expired)
        self._callbacks: UpstreamCallbacks | None = None
        self._out: list[bytes] = []
        self._whole_at = 0.0
        self._sent = 0  # bytes that had left when the deadline was last seen to
        self._chunked = self._request_whole = self._discarding = self._blocked = False

    def __repr__(self) -> str:
        state = "asked" if self._callbacks else "idle"
        return f"<HTTP1UpstreamConnection {self.endpoint.address}: {state}, {self.used} requests>"

    @property
    def secured(self) -> SSL.Connection | None:
        """OpenSSL's side of the connection; L{None}: it is in the clear."""
        return self._transport.secured

    @property
    def on_behalf_of(self) -> Hashable:
        """Which client has sent the request under way; see L{edgegate.net.transport.Transport.client}."""
        callbacks = self._callbacks
        return None if callbacks is None else callbacks.client_counts()

    # The request ------------------------------------------------------------------------------------------------------

    def send(self, request: UpstreamCallbacks) -> None:
        """See L{UpstreamStream.send}."""
        self._callbacks = request
        self._request_whole = False
        self._sent = self._transport.bytes_out
        head = request.head
        self._chunked = head.length == UNKNOWN_LENGTH
        self._reader.expect(head.method == b"HEAD", request)
        write_head(request, self._out)
        self.used += 1
        endpoint = self.endpoint
        endpoint.active += 1
        endpoint.requests += 1
        self._deadline.start(self._limits.stream_idle_seconds)

    def body(self, data: bytes) -> None:
        """Queue a piece of the body."""
        if self._chunked:
            self._out += (b"%x\r\n" % len(data), data, b"\r\n")
        else:
            self._out.append(data)

    def end(self, trailers: list[Field]) -> None:
        """Nothing of the request is missing; only then may the connection be kept after the response."""
        if self._chunked:
            self._out.append(last_chunk(trailers))
        self._request_whole = True
        self._whole_at = self._wheel.now

    def flush(self) -> None:
        """Send what is queued, in one piece."""
        out = self._out
        if len(out) > 1 and len(out[-1]) >= _LARGE:
            self._out = []
            self._transport.writeSequence(out)
        elif out:
            data = out[0] if len(out) == 1 else b"".join(out)
            out.clear()
            self._transport.write(data)

    def run_sink(self) -> Stream | None:
        """Return the transport, where the rest of a body may follow what was flushed."""
        return None if self._out else self._transport

    def pause(self) -> None:
        """Read no more of the response: its client does not keep up."""
        self._transport.pauseProducing()
        self._deadline.stop()

    def resume(self) -> None:
        """Read on."""
        self._transport.resumeProducing()
        self._deadline.start(self._limits.stream_idle_seconds)

    def cancel(self, request: UpstreamCallbacks) -> None:
        """Nobody wants the response: the connection ends. See L{UpstreamStream.cancel}."""
        if request is self._callbacks:
            self._cancel()

    def discard(self) -> None:
        """Nobody wants the rest of the response: where little of it is left it is awaited for a moment."""
        left = self._reader.left
        if not self._request_whole or left is None or left > self._limits.upload_bytes:
            self._cancel()
            return
        self._callbacks = None
        self._reader.sink = NOBODY
        self._discarding = True
        self._deadline.start(self._limits.linger_seconds)

    @property
    def worn(self) -> bool:
        """Whether it has carried as many requests, or is as old, as its cluster lets it."""
        limits = self.endpoint.limits
        most, oldest = limits.requests_per_connection, limits.connection_duration
        return (most is not None and self.used >= most) or (
            oldest is not None and self._wheel.clock.seconds() - self._since >= oldest
        )

    def close(self) -> None:
        """End the connection in order, and in time also where the backend does not read what is left for it."""
        self._transport.loseConnection()
        self._deadline.start(self._limits.linger_seconds)

    def end_tunnel(self) -> None:
        """The connection is no more, which was handed over by L{UpstreamCallbacks.response_switched}."""
        self._reader.finish()
        self._uncount()
        self._forget_callbacks()

    # The transport ----------------------------------------------------------------------------------------------------

    def makeConnection(self, transport: ITransport) -> None:
        """The connection is ready."""
        self._transport = stream = cast(Stream, transport)
        self.local = stream.local
        self.key = stream.key
        stream.registerProducer(cast(IPushProducer, self), True)

    def connectionMade(self) -> None:
        """Nothing is left to do after L{makeConnection}."""

    @contained
    def pauseProducing(self) -> None:
        """The backend does not read."""
        self._blocked = True
        if self._callbacks is not None:
            self._callbacks.upload_blocked(True)

    @contained
    def resumeProducing(self) -> None:
        """The backend reads again."""
        self._blocked = False
        if self._callbacks is not None:
            self._callbacks.upload_blocked(False)

    def stopProducing(self) -> None:
        """The transport is closing; L{connectionLost} follows."""

    def dataReceived(self, data: bytes) -> None:
        """The backend sent something."""
        callbacks = self._callbacks
        if callbacks is None and not self._discarding:
            # RFC 9112 section 9.2: a response that nobody asked for; the next request must not get it
            self.endpoint.pool.discard(self)
            self._transport.abortConnection()
            return
        reader = self._reader
        try:
            reader.receive(data)
            # it may have let go meanwhile
            if self._callbacks is None:
                callbacks = None
                if not self._discarding:
                    return
            state = reader.state
            if state is State.WHOLE:
                self._finish(callbacks)
            elif state is State.REFUSED:
                self._fail(reader.fault or INTERNAL)
            elif state is State.SWITCHED:
                self._switch(callbacks)
            elif callbacks is not None:
                self._deadline.start(self._limits.stream_idle_seconds)
                callbacks.response_flush()
                left = reader.left
                if state is State.SIZED_BODY and left is not None and left >= RUN_FROM:
                    self._run(callbacks, left)
        except Exception:
            self._response_broke(callbacks)

    @contained
    def connectionLost(self, reason: Failure) -> None:
        """The connection is no more."""
        self._deadline.end()
        self._uncount()
        callbacks = self._callbacks
        reader = self._reader
        whole = reader.finish()
        if callbacks is None:
            self._forget_callbacks()
            self.endpoint.pool.discard(self)
            return
        try:
            self._forget_callbacks()
            if whole and isinstance(reason.value, ConnectionDone):
                callbacks.response_end([])
            else:
                callbacks.response_failed(UPSTREAM_CUT_SHORT if reader.begun else UPSTREAM_CLOSED, reader.silent)
        except Exception:
            broke(callbacks)

    def broke(self) -> None:
        """An error of ours was raised in what the connection is for: it ends, and who asked on it is told."""
        callbacks = self._callbacks
        try:
            self._forget_callbacks()
            self.endpoint.pool.discard(self)
            if self._transport.disconnected:
                self._deadline.end()
                self._uncount()
            else:
                self._transport.abortConnection()
        finally:
            if callbacks is not None:
                callbacks.broke()

    # ------------------------------------------------------------------------------------------------------------------

    def _finish(self, callbacks: UpstreamCallbacks | None) -> None:
        """The response is whole: let go of the callbacks, and keep the connection if it may carry another request."""
        reader = self._reader
        trailers = reader.trailers
        self._forget_callbacks()
        # one that has not read its request would keep the next one waiting behind the rest of it, without bound
        limits = self.endpoint.limits
        wears = limits.requests_per_connection is not None or limits.connection_duration is not None
        if reader.keep and self._request_whole and not self._blocked and not (wears and self.worn):
            counted = self.counted
            if counted is None or not counted.waiting:
                self.endpoint.pool.give(self)
            elif not counted.offer(self):
                # those who wait cannot use it, and would wait for its place as long as it is kept
                self.close()
        else:
            self.close()
        if callbacks is not None:
            callbacks.response_end(trailers)

    def _run(self, callbacks: UpstreamCallbacks, left: int) -> None:
        """Have the rest of a large body go straight to the client, where it can."""
        sink = callbacks.response_sink()
        if sink is not None:
            self._transport.run_to(sink, left, self._passed)

    def _passed(self, count: int) -> None:
        callbacks = self._callbacks
        if callbacks is None:
            return
        try:
            callbacks.response_passed(count)
            if self._reader.skip(count):
                # the client may have held up what the pipe held last
                self._transport.resumeProducing()
                self._finish(callbacks)
            elif self._transport.reading:
                self._deadline.start(self._limits.stream_idle_seconds)
        except Exception:
            self._response_broke(callbacks)

    def _switch(self, callbacks: UpstreamCallbacks | None) -> None:
        """Hand the connection over after a 101 that was asked for; the endpoint counts it as active until its end."""
        assert self._reader.switched is not None
        head, rest = self._reader.switched
        if callbacks is None or not callbacks.response_fits(head):
            self._fail(UPSTREAM_PROTOCOL)
            return
        self._deadline.end()
        self._transport.unregisterProducer()
        callbacks.response_head(head)
        callbacks.response_switched(self._transport, rest)

    def _cancel(self) -> None:
        try:
            self._forget_callbacks()
        finally:
            self._transport.abortConnection()

    def _fail(self, fault: Fault) -> None:
        callbacks = self._callbacks
        self._forget_callbacks()
        self._transport.abortConnection()
        if callbacks is not None:
            try:
                callbacks.response_failed(fault, self._reader.silent)
            except Exception:
                broke(callbacks)

    def _response_broke(self, callbacks: UpstreamCallbacks | None) -> None:
        """An error of ours, which is being handled, was raised in callbacks, which may have let go since."""
        if callbacks is None or callbacks is self._callbacks:
            broke(self)
            return
        broke(callbacks)
        if self._callbacks is None:
            # in the pool, if it came so far
            self.broke()

    def _uncount(self) -> None:
        counted, self.counted = self.counted, None
        if counted is not None:
            counted.closed()

    def _forget_callbacks(self) -> None:
        if self._callbacks is not None or self._discarding:
            self._callbacks = None
            self._discarding = False
            self._reader.sink = NOBODY
            self._out.clear()
            self._deadline.stop()
            self.endpoint.active -= 1

    @contained
    def _expired(self) -> None:
        wait = 0.0 if self._callbacks is None else self._upload_wait()
        if wait > 0:
            self._deadline.start(wait)
        elif self._callbacks is not None or self._discarding:
            self._fail(STREAM_IDLE)
        else:
            self._transport.abortConnection()

    def _upload_wait(self) -> float:
        """Return the seconds for which the backend may be silent yet: an upload that goes on, or has ended, is why."""
        idle = self._limits.stream_idle_seconds
        if self._request_whole:
            return self._whole_at + idle - self._wheel.now
        before, self._sent = self._sent, self._transport.bytes_out
        return idle if self._sent != before else 0.0


classImplements(HTTP1UpstreamConnection, IProtocol, IPushProducer)
