# Hot path: takes each request of an HTTP/2 client.
"""The request on a stream of HTTP/2, on its way to whoever takes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from edgegate.errors import BODY_TOO_LARGE, INTERNAL, Fault
from edgegate.http.exchange import NO_CLUSTERS, Exchange
from edgegate.http.fields import Field
from edgegate.http.h2.downstream_tunnel import HTTP2Tunnel, TunnelSide, with_key
from edgegate.http.h2.errors import INTERNAL_ERROR
from edgegate.http.h2.hpack import block_of
from edgegate.http.h2.request_heads import VERSION
from edgegate.http.h2.request_stream import RequestStream, StreamCarrier, StreamOwner
from edgegate.http.request import RequestHead, refused_head
from edgegate.net.containment import broke
from edgegate.net.stream import Stream

_AGAIN: Final = 10.0
"""Seconds that a client has at least when it is read again: it may have to learn first that it may send."""

NEVER: Final = -1.0
"""A time that is none."""

_CONTINUE: Final = block_of([(b":status", b"100")])


class HTTP2Upload(StreamCarrier):
    """
    The half of an exchange's stream that takes the request: its body, who does not keep up with that, and what follows
    on extended CONNECT.
    """

    __slots__ = (
        "_asks_tunnel",
        "_body_due",
        "_bodyless",
        "_connection",
        "_early",
        "_exchange",
        "_expecting",
        "_given",
        "_held",
        "_mark",
        "_mark_at",
        "_progress",
        "_stalled",
        "_stream",
        "_touched",
        "_tunnel",
        "_unread",
        "_upload_paused",
    )

    def __init__(self, connection: StreamOwner, stream: RequestStream) -> None:
        self.downstream = connection.downstream
        self.client = connection.client
        self._connection = connection
        self._stream = stream
        self._exchange: Exchange | None = None
        self._bodyless = self._expecting = self._stalled = self._touched = self._upload_paused = False
        self._asks_tunnel = False  # whether it asks for another protocol, which takes what comes
        self._tunnel: HTTP2Tunnel | None = None
        self._early = b""  # what came of that before the backend has agreed
        self._held = b""
        self._unread = 0  # bytes of the upload that came while it was paused
        self._given = 0  # bytes of the response that were given to the layer
        self._body_due = 0.0  # by when more of the upload must have come; while it is paused, what was left of that
        self._progress = 0.0  # when something last went either way
        self._mark = 0  # bytes of the response that had left when that was looked at last
        self._mark_at = NEVER  # and when that was, if anything waits

    # The request, from the layer --------------------------------------------------------------------------------------

    def request_head(self, head: RequestHead) -> None:
        """A request begins."""
        connection = self._connection
        environment = connection.environment
        self._exchange = exchange = Exchange(self, head, environment.clusters.in_force)
        observer = environment.observer
        observer.begun += 1
        exchange.connection.counts.requests += 1
        if observer.wants_requests_begun:
            observer.request_began(exchange)
        whole = self._stream.whole
        if head.upgrade:
            whole = self._asks_tunnel = True
            exchange.head = with_key(head)
        if not whole:
            self._expecting = head.expects_continue
            self._progress = now = environment.wheel.now
            seconds = environment.limits.body_seconds
            self._body_due = now + seconds
            connection.look_within(seconds)
        connection.dispatcher.resource_for(exchange).render(exchange)
        if whole and not self._answered():
            exchange.receive_end([])
            self._touch()

    def _answered(self) -> bool:
        """Whether the exchange is over; a call, as mypyc would take what was just set for what it still is."""
        return self._exchange is None

    def request_refused(self, fault: Fault) -> None:
        """What came is no request."""
        connection = self._connection
        head = refused_head()
        head.version = VERSION
        self._exchange = exchange = Exchange(self, head, NO_CLUSTERS)
        observer = connection.environment.observer
        observer.begun += 1
        exchange.connection.counts.requests += 1
        if observer.wants_requests_begun:
            observer.request_began(exchange)
        exchange.fail(fault)

    def request_body(self, data: bytes) -> None:
        """A piece of the request's body came: there is room for more, unless who takes it cannot keep up."""
        if self._asks_tunnel:
            self._tunnel_came(data)
            return
        exchange = self._exchange
        if exchange is not None:
            self._expecting = False
            self._body_came(len(data))
            if exchange.received + len(data) > self._connection.environment.limits.body_bytes:
                exchange.give_up(BODY_TOO_LARGE)
            else:
                exchange.receive(data)
                self._touch()
        if self._upload_paused:
            self._unread += len(data)
        else:
            self._connection.consumed(self._stream, len(data))

    def request_end(self, trailers: list[Field]) -> None:
        """The request is whole."""
        exchange = self._exchange
        if self._tunnel is not None:
            self._tunnel.client_finished()
        elif exchange is not None and not self._asks_tunnel:
            exchange.receive_end(trailers)
            self._touch()

    def flush_upload(self) -> None:
        """No more of the upload comes in this turn."""
        self._touched = False
        exchange = self._exchange
        if exchange is not None and exchange.upload is not None:
            try:
                exchange.upload.flush()
            except Exception:
                broke(self)

    def upload_opened(self) -> None:
        """The client may send bodies again: before, those of other streams had used up the room of all."""
        if not self._upload_paused and not self._stream.whole:
            self._await_body(self._body_due - self._connection.environment.wheel.now)

    def response_flows(self) -> None:
        """The client reads again."""
        if self._tunnel is not None:
            self._tunnel.client_reads()
        elif self._stalled:
            self._stalled = False
            exchange = self._exchange
            if exchange is not None and exchange.upload is not None:
                exchange.upload.resume()

    def abandon(self) -> None:
        """The stream is gone, by the client, by its fault or with the connection."""
        if self._tunnel is not None:
            self._tunnel.client_gone()
        self._abandon(self._connection.fault)

    def broke(self) -> None:
        """An error of ours was raised in what the stream is for: the exchange ends with it, and nothing else does."""
        exchange = self._exchange
        try:
            if self._tunnel is not None:
                self._tunnel.broke()
            elif exchange is not None:
                exchange.give_up()
        finally:
            if self._exchange is not None:
                # its response was whole or was being cut, and that failed
                self._connection.reset(self._stream, INTERNAL_ERROR)
                self._stream.carrier = None
                self._abandon(INTERNAL)
            self._connection.write_soon()

    # The request's body -----------------------------------------------------------------------------------------------

    def pause_upload(self) -> None:
        """The backend cannot keep up with the request's body: the client is given no more room for it."""
        if not self._upload_paused:
            self._upload_paused = True
            self._body_due = max(0.0, self._body_due - self._connection.environment.wheel.now)

    def resume_upload(self) -> None:
        """The backend can take more."""
        if self._upload_paused:
            self._upload_paused = False
            self._await_body(self._body_due)
            unread, self._unread = self._unread, 0
            if unread:
                self._connection.consumed(self._stream, unread)
                self._connection.write_soon()

    def continue_upload(self) -> None:
        """Tell the client to send the body that it holds back (RFC 9110 section 10.1.1)."""
        if self._expecting:
            self._expecting = False
            self._connection.send_head(self._stream, _CONTINUE, False)
            self._connection.write_soon()

    def tunnel(self, backend: Stream, rest: bytes, over: Callable[[], None]) -> None:
        """See L{DownstreamStream.tunnel}: the stream becomes one, and the others of the connection go on."""
        exchange = self._exchange
        assert exchange is not None
        connection = self._connection
        side = TunnelSide(
            connection, self._stream, self.pause_upload, self.resume_upload, self._tunnel_wrote, self._tunnel_ended
        )
        self._tunnel = tunnel = HTTP2Tunnel(exchange, side, backend, over)
        early, self._early = self._early, b""
        if self._stream.gone:
            tunnel.client_gone()
            return
        connection.consumed(self._stream, len(early))
        tunnel.start(early, self._stream.whole, rest)
        self.flush()

    # Tunnels ----------------------------------------------------------------------------------------------------------

    def _tunnel_came(self, data: bytes) -> None:
        """Something came that is another protocol's: until the backend has agreed it waits, and needs its room."""
        tunnel = self._tunnel
        if tunnel is None:
            self._early += data
            return
        self._tunnel_wrote()
        tunnel.client_sent(data)
        if self._upload_paused:
            self._unread += len(data)
        else:
            self._connection.consumed(self._stream, len(data))

    def _no_tunnel(self) -> None:
        """The backend does not speak the other protocol: its response is one as any other."""
        self._asks_tunnel = self._stream.tunnel = False
        early, self._early = self._early, b""
        self._connection.consumed(self._stream, len(early))

    def _tunnel_wrote(self) -> None:
        self._progress = self._connection.environment.wheel.now
        self._connection.write_soon()

    def _tunnel_ended(self, exchange: Exchange) -> None:
        self._tunnel = self._exchange = None
        if self._stream.gone:
            self._stream.carrier = None
        exchange.connection.counts.requests -= 1
        self._connection.environment.observer.request_ended(exchange)

    # ------------------------------------------------------------------------------------------------------------------

    def _await_body(self, left: float) -> None:
        """More of the upload may come again: it has the seconds that are left of its time, but some at least."""
        environment = self._connection.environment
        self._progress = now = environment.wheel.now
        seconds = max(left, min(_AGAIN, environment.limits.body_seconds))
        self._body_due = now + seconds
        self._connection.look_within(seconds)

    def _body_came(self, count: int) -> None:
        """Each byte gives the time that it may take by the least rate, up to what is given in advance."""
        environment = self._connection.environment
        self._progress = now = environment.wheel.now
        if self._upload_paused:
            return
        limits = environment.limits
        seconds = limits.body_seconds
        if limits.body_rate:
            seconds = min(seconds, max(0.0, self._body_due - now) + count / limits.body_rate)
        self._body_due = now + seconds

    def _touch(self) -> None:
        if not self._touched:
            self._touched = True
            self._connection.touched.append(self)

    def _abandon(self, fault: Fault) -> None:
        """Nothing can be answered any more."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            try:
                exchange.abandon(fault)
            finally:
                exchange.connection.counts.requests -= 1
                self._connection.environment.observer.request_ended(exchange)
