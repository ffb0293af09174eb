# Hot path: carries each request to an HTTP/2 backend and its response back.
"""
One request on a connection of HTTP/2 to a backend.

Two objects are one stream: what the router knows, and what the frames know. What
goes wrong in one of them ends it and no other of its connection.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable
from typing import Final

from OpenSSL import SSL

from edgegate.errors import (
    STREAM_IDLE,
    UPSTREAM_CLOSED,
    UPSTREAM_CUT_SHORT,
    UPSTREAM_PROTOCOL,
    UPSTREAM_REFUSED,
    UPSTREAM_RESET,
    UPSTREAM_RESET_LATE,
    Fault,
)
from edgegate.http.fields import Field
from edgegate.http.h2.client import ClientConnection, ClientStream
from edgegate.http.h2.errors import CANCEL
from edgegate.http.h2.request_writer import trailer_block, write_request
from edgegate.http.response import ResponseHead
from edgegate.http.router.upstream_callbacks import UpstreamCallbacks
from edgegate.http.upstream_stream import UpstreamStream
from edgegate.model.addresses import Address
from edgegate.net.containment import broke
from edgegate.net.stream import Stream
from edgegate.net.wheel import TimerWheel
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.shared_pool import SharedConnection

GATHERED: Final = 128 * 1024
"""Bytes of bodies that are written before the end of the turn."""


class Carrier(SharedConnection):
    """
    The connection of a stream.

    @ivar session: What it says and is told.
    @ivar endpoint: Where it leads.
    @ivar local: Our address.
    @ivar wheel: Knows the time.
    @ivar transport: The connection below.
    @ivar touched: Streams that were told something in this read, whose callbacks are to send it.
    @ivar from_peer: Whether what is told comes of the peer's RST_STREAM.
    @ivar lost: Whether the connection is no more.
    """

    __slots__ = ("endpoint", "from_peer", "local", "lost", "session", "touched", "transport", "wheel")

    endpoint: EndpointState
    from_peer: bool
    local: Address | None
    lost: bool
    session: ClientConnection
    touched: list[HTTP2UpstreamStream]
    transport: Stream
    wheel: TimerWheel

    @abstractmethod
    def flush_soon(self) -> None:
        """Send what is queued at the end of the turn."""

    @abstractmethod
    def stream_began(self) -> None:
        """One more request is carried."""

    @abstractmethod
    def stream_over(self) -> None:
        """One less is."""


class HTTP2UpstreamStream(UpstreamStream):
    """
    One request.

    @ivar since: The wheel's time of its last progress.
    @ivar paused: Whether its client does not keep up: then there is nothing to wait for.
    """

    __slots__ = ("_blocked", "_callbacks", "_carrier", "_frames", "_heard", "_owed", "_touched", "paused", "since")

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self.endpoint = carrier.endpoint
        self.local = carrier.local
        self.key: Hashable = carrier.key
        self._callbacks: UpstreamCallbacks | None = None
        self._frames: ResponseFrames | None = None
        self._heard = self._owed = 0
        self._blocked = self._touched = self.paused = False
        self.since = 0.0

    def __repr__(self) -> str:
        number = 0 if self._frames is None else self._frames.number
        return f"<HTTP2UpstreamStream {number} to {self.endpoint.address}>"

    @property
    def secured(self) -> SSL.Connection | None:
        """OpenSSL's side of the connection; L{None}: it is in the clear."""
        return self._carrier.transport.secured

    @property
    def shared(self) -> bool:
        """It is one of many."""
        return True

    @property
    def worn(self) -> bool:
        """A connection that is gives out no stream."""
        return False

    def close(self) -> None:
        """Nothing is left of one that was not used."""

    # The request ------------------------------------------------------------------------------------------------------

    def send(self, request: UpstreamCallbacks) -> None:
        """See L{UpstreamStream.send}."""
        carrier = self._carrier
        head = request.head
        block = write_request(request, carrier.transport.secured is not None)
        self._callbacks = request
        self._frames = frames = ResponseFrames(carrier.session, self, head.method == b"HEAD")
        self._heard = carrier.transport.bytes_in
        self.since = carrier.wheel.now
        endpoint = self.endpoint
        endpoint.active += 1
        endpoint.requests += 1
        carrier.used += 1
        carrier.session.ask(frames, block, head.length == 0, head.length)
        carrier.stream_began()

    def body(self, data: bytes) -> None:
        """Queue a piece of the body."""
        frames, carrier = self._frames, self._carrier
        if frames is None:
            return
        self.since = carrier.wheel.now
        if not carrier.session.send_data(frames, data) and not self._blocked:
            self._blocked = True
            if self._callbacks is not None:
                self._callbacks.upload_blocked(True)
        if carrier.session.queue.gathered > GATHERED:
            carrier.transport.write(carrier.session.take())

    def end(self, trailers: list[Field]) -> None:
        """Nothing of the request is missing."""
        if self._frames is not None:
            self.since = self._carrier.wheel.now
            self._carrier.session.end(self._frames, trailer_block(trailers) if trailers else b"")

    def flush(self) -> None:
        """Send what is queued, with what the others have, at the end of the turn."""
        self._carrier.flush_soon()

    def run_sink(self) -> Stream | None:
        """There is nowhere to send bytes without frames."""
        return None

    def pause(self) -> None:
        """Let the backend send no more than it may already."""
        self.paused = True

    def resume(self) -> None:
        """Let it send more."""
        self.paused = False
        self.since = self._carrier.wheel.now
        owed, self._owed = self._owed, 0
        if owed and self._frames is not None:
            self._carrier.session.consumed(self._frames, owed)
            self._carrier.flush_soon()

    def cancel(self, request: UpstreamCallbacks) -> None:
        """Nobody wants the response: the stream ends, and no other. See L{UpstreamStream.cancel}."""
        if request is self._callbacks:
            self.discard()

    def discard(self) -> None:
        """Nobody wants the rest of the response: the stream ends."""
        frames = self._frames
        if frames is not None:
            # one that could not be asked for has no number
            if frames.number:
                self._carrier.session.reset(frames, CANCEL)
            self._forget()
            self._carrier.flush_soon()

    def end_tunnel(self) -> None:
        """Never: nothing is handed over."""

    # What the frames tell ---------------------------------------------------------------------------------------------

    def interim_came(self, head: ResponseHead) -> None:
        """Pass a 1xx response on."""
        callbacks = self._touch()
        if callbacks is not None:
            try:
                callbacks.response_interim(head)
            except Exception:
                self._broke(callbacks)

    def head_came(self, head: ResponseHead, whole: bool) -> None:
        """The final response begins."""
        callbacks = self._touch()
        if callbacks is None:
            return
        try:
            callbacks.response_head(head)
        except Exception:
            self._broke(callbacks)
        else:
            if whole:
                self.message_came([])

    def body_came(self, data: bytes) -> None:
        """Pass on a piece of the response; there is room for more of it unless the client does not keep up."""
        callbacks = self._touch()
        if callbacks is None:
            return
        try:
            callbacks.response_body(data)
        except Exception:
            self._broke(callbacks)
            return
        if self.paused:
            self._owed += len(data)
        elif self._frames is not None:
            self._carrier.session.consumed(self._frames, len(data))

    def message_came(self, trailers: list[Field]) -> None:
        """The response is whole: what is missing of the request is of no use."""
        callbacks, frames = self._callbacks, self._frames
        if callbacks is None or frames is None:
            return
        try:
            if not frames.ended:
                self._carrier.session.reset(frames, CANCEL)
            self._forget()
            callbacks.response_end(trailers)
        except Exception:
            self._broke(callbacks)

    def reset_came(self, processed: bool) -> None:
        """The stream ended before its time."""
        callbacks, frames = self._callbacks, self._frames
        if callbacks is None or frames is None:
            return
        carrier = self._carrier
        try:
            silent = carrier.transport.bytes_in == self._heard
            fault = self._fault(frames.begun)
            if not processed:
                # whoever asks again is not to be refused by the same backend for the same reason
                carrier.close()
            self._forget()
            if processed:
                callbacks.response_failed(fault, silent)
            else:
                callbacks.response_unprocessed(UPSTREAM_REFUSED)
        except Exception:
            self._broke(callbacks)

    def room_came(self) -> None:
        """The backend keeps up with the body again."""
        callbacks = self._callbacks
        self.since = self._carrier.wheel.now
        if self._blocked and callbacks is not None:
            self._blocked = False
            try:
                callbacks.upload_blocked(False)
            except Exception:
                self._broke(callbacks)

    # What the connection asks for -------------------------------------------------------------------------------------

    def flush_callbacks(self) -> None:
        """What came in one read was told."""
        self._touched = False
        callbacks = self._callbacks
        if callbacks is not None:
            try:
                callbacks.response_flush()
            except Exception:
                self._broke(callbacks)

    def idle(self) -> None:
        """Nothing has come for too long."""
        callbacks = self._callbacks
        self.discard()
        if callbacks is not None:
            try:
                callbacks.response_failed(STREAM_IDLE, False)
            except Exception:
                broke(callbacks)

    # ------------------------------------------------------------------------------------------------------------------

    def _touch(self) -> UpstreamCallbacks | None:
        if not self._touched:
            self._touched = True
            self._carrier.touched.append(self)
        self.since = self._carrier.wheel.now
        return self._callbacks

    def _fault(self, begun: bool) -> Fault:
        carrier = self._carrier
        if carrier.from_peer:
            return UPSTREAM_RESET_LATE if begun else UPSTREAM_RESET
        if carrier.lost:
            return UPSTREAM_CUT_SHORT if begun else UPSTREAM_CLOSED
        return UPSTREAM_PROTOCOL

    def _broke(self, callbacks: UpstreamCallbacks) -> None:
        """An error of ours, which is being handled, was raised in callbacks: their stream ends, and no other."""
        broke(callbacks)
        if callbacks is self._callbacks:
            self.discard()

    def _forget(self) -> None:
        if self._callbacks is not None:
            # each knows the other: neither is to keep the other in memory
            self._callbacks = self._frames = None
            self.endpoint.active -= 1
            self._carrier.stream_over()


class ResponseFrames(ClientStream):
    """The frames of one request. What it is told it tells the request's stream."""

    __slots__ = ("owner",)

    def __init__(self, session: ClientConnection, owner: HTTP2UpstreamStream, bodiless: bool) -> None:
        ClientStream.__init__(self, session, bodiless)
        self.owner = owner

    def interim_received(self, head: ResponseHead) -> None:
        """A 1xx response came, other than 100."""
        self.owner.interim_came(head)

    def response_received(self, head: ResponseHead) -> None:
        """The final response begins."""
        if self.whole and head.grpc_status and head.length is None:
            # what has a status only is told apart by having no body; it is never the response to HEAD
            head = head.with_fields(head.fields)
            head.length = 0
        elif not self.whole and head.length == 0 and not self.bodiless and head.status not in (204, 304):
            # trailers may come behind a body of no bytes
            head = head.with_fields(head.fields)
            head.length = None
        self.owner.head_came(head, self.whole)

    def body_received(self, data: bytes) -> None:
        """A piece of the body came."""
        self.owner.body_came(data)

    def message_ended(self, trailers: list[Field]) -> None:
        """The response is whole."""
        self.owner.message_came(trailers)

    def stream_reset(self, code: int, processed: bool) -> None:
        """The stream ended before its time."""
        self.owner.reset_came(processed)

    def stream_closed(self) -> None:
        """Both messages are whole, which was told."""

    def send_room(self) -> None:
        """So little waits now that more may come."""
        self.owner.room_came()
