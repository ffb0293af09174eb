# Hot path: carries each request of an HTTP/2 client and its response.
"""One stream of an HTTP/2 client's connection, as the exchange on it knows it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Final

from edgegate.errors import CLIENT_BODY_TIMEOUT, CLIENT_GONE, INTERNAL, Fault
from edgegate.http.downstream_stream import DownstreamStream
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import NO_CLUSTERS, Exchange, Phase
from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import Field
from edgegate.http.forwarded import Client
from edgegate.http.h2.downstream_tunnel import HTTP2Tunnel, TunnelSide, with_key
from edgegate.http.h2.errors import INTERNAL_ERROR, NO_ERROR
from edgegate.http.h2.head_blocks import field_block, head_block
from edgegate.http.h2.hpack import block_of
from edgegate.http.h2.request_heads import VERSION
from edgegate.http.h2.server import ServerConnection, ServerStream
from edgegate.http.interfaces import Dispatcher
from edgegate.http.request import RequestHead, refused_head
from edgegate.http.response import ResponseHead
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.containment import broke
from edgegate.net.stream import Stream

GATHERED: Final = 128 * 1024
"""Bytes of bodies that are written before the end of the turn: to gather more costs memory and saves nothing."""

_AGAIN: Final = 10.0
"""Seconds that a client has at least when it is read again: it may have to learn first that it may send."""

NEVER: Final = -1.0
"""A time that is none."""

_CONTINUE: Final = block_of([(b":status", b"100")])
_SERVER: Final = block_of([(b"server", b"edgegate")])
_BODYLESS: Final = frozenset((204, 304))
SWITCHING: Final = 101


class StreamOwner(ServerConnection):
    """
    A client's connection, as its streams know it.

    @ivar client: Who it is of.
    @ivar dispatcher: Finds what answers their requests.
    @ivar downstream: The connection, as the next request on it will have it.
    @ivar environment: What all connections share.
    @ivar fault: What becomes of requests that end with the connection.
    @ivar touched: Streams that have given something to their uploads in this turn.
    """

    __slots__ = ("client", "dispatcher", "downstream", "environment", "fault", "touched")

    client: Client
    dispatcher: Dispatcher
    downstream: ConnectionInfo
    environment: HTTPEnvironment
    fault: Fault
    touched: list[HTTP2DownstreamStream]

    @abstractmethod
    def write_soon(self) -> None:
        """Write what is queued at the end of this turn."""

    @abstractmethod
    def write_now(self) -> None:
        """Write what is queued."""

    @abstractmethod
    def look_within(self, seconds: float) -> None:
        """See after so many seconds at the latest whether anything is overdue."""

    @abstractmethod
    def begin_drain(self) -> None:
        """Let the connection end with the streams that are under way or on their way."""


class RequestStream(ServerStream):
    """
    What the layer knows of a stream: tells its carrier.

    @ivar carrier: L{None} once the stream is over, so that neither keeps the other in memory.
    """

    __slots__ = ("carrier",)

    def __init__(self, connection: StreamOwner, number: int) -> None:
        ServerStream.__init__(self, connection, number)
        self.carrier: HTTP2DownstreamStream | None = HTTP2DownstreamStream(connection, self)

    def request_received(self, head: RequestHead) -> None:
        """A request begins."""
        carrier = self.carrier
        if carrier is not None:
            try:
                carrier.request_head(head)
            except Exception:
                broke(carrier)

    def request_refused(self, fault: Fault) -> None:
        """What came is no request."""
        carrier = self.carrier
        if carrier is not None:
            try:
                carrier.request_refused(fault)
            except Exception:
                broke(carrier)

    def body_received(self, data: bytes) -> None:
        """A piece of the request's body came."""
        carrier = self.carrier
        if carrier is not None:
            try:
                carrier.request_body(data)
            except Exception:
                broke(carrier)

    def message_ended(self, trailers: list[Field]) -> None:
        """The request is whole."""
        carrier = self.carrier
        if carrier is not None:
            try:
                carrier.request_end(trailers)
            except Exception:
                broke(carrier)

    def send_room(self) -> None:
        """So little of the response waits that more may come."""
        carrier = self.carrier
        if carrier is not None:
            try:
                carrier.response_flows()
            except Exception:
                broke(carrier)

    def stream_reset(self, code: int, processed: bool) -> None:
        """Nothing can be answered any more."""
        carrier, self.carrier = self.carrier, None
        if carrier is not None:
            try:
                carrier.abandon()
            except Exception:
                broke(carrier)

    def stream_closed(self) -> None:
        """The stream is over in good order; the exchange's end is told by whoever answers it."""
        self.carrier = None


class HTTP2DownstreamStream(DownstreamStream):
    """
    The stream of one exchange.

    The last piece of a body is held back until more is known: what ends the
    response then leaves in the same frame.
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
        if environment.observer.wants_requests_begun:
            environment.observer.request_began(exchange)
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
        if whole and self._exchange is not None:
            exchange.receive_end([])
            self._touch()

    def request_refused(self, fault: Fault) -> None:
        """What came is no request."""
        connection = self._connection
        head = refused_head()
        head.version = VERSION
        self._exchange = exchange = Exchange(self, head, NO_CLUSTERS)
        if connection.environment.observer.wants_requests_begun:
            connection.environment.observer.request_began(exchange)
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

    # The response, from the exchange ----------------------------------------------------------------------------------

    def response_interim(self, head: ResponseHead) -> None:
        """Queue a 1xx response."""
        self._connection.send_head(self._stream, head_block(head), False)

    def response_head(self, head: ResponseHead, fields: tuple[FieldBlock, ...] = ()) -> None:
        """Queue the final response's head."""
        exchange = self._exchange
        if exchange is None:
            return
        parts = [head_block(head)]
        for each in fields:
            parts.append(field_block(each))
        connection = self._connection
        if not head.dated:
            parts.append(field_block(connection.environment.date()))
        parts.append(_SERVER)
        if self._asks_tunnel and head.status != SWITCHING:
            self._no_tunnel()
        self._bodyless = exchange.head.method == b"HEAD" or head.status in _BODYLESS
        self._progress = connection.environment.wheel.now
        # Where the request is whole, nothing is left to be told of a response without a body.
        ends = self._stream.whole and (self._bodyless or head.length == 0)
        connection.send_head(self._stream, b"".join(parts), ends)

    def response_body(self, data: bytes) -> None:
        """Queue a piece of the body; HEAD, 204 and 304 have none."""
        if self._bodyless or not data:
            return
        held, self._held = self._held, data
        if held:
            self._send(held)

    def response_end(self, trailers: list[Field]) -> None:
        """The response is whole."""
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        self._connection.environment.observer.request_ended(exchange)
        # what follows is no part of this exchange, whose response has still to be sent
        try:
            self._end(trailers)
        except Exception:
            self._connection.reset(self._stream, INTERNAL_ERROR)
            broke(self)

    def keep_no_longer(self) -> None:
        """The connection takes no further requests."""
        self._connection.begin_drain()

    def response_cut(self) -> None:
        """The response cannot be completed; the stream is reset, and no other."""
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        connection = self._connection
        connection.environment.observer.request_ended(exchange)
        try:
            held, self._held = self._held, b""
            if held:
                connection.send_data(self._stream, held)
        finally:
            connection.reset(self._stream, INTERNAL_ERROR)
            self._stream.carrier = None
            connection.write_soon()

    def exchange_broke(self, exchange: object) -> None:
        """See L{DownstreamStream.exchange_broke}."""
        if exchange is self._exchange:
            self.broke()
        else:
            # its response is whole, and may be queued still
            self.flush()

    def flush(self) -> None:
        """Send what is queued, at the end of the turn."""
        held = self._held
        if held:
            self._held = b""
            self._send(held)
        self._connection.write_soon()

    def run_sink(self) -> Stream | None:
        """Nowhere: a body is parted into frames."""
        return None

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
            environment = self._connection.environment
            self._progress = now = environment.wheel.now
            self._body_due = now + max(self._body_due, min(_AGAIN, environment.limits.body_seconds))
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

    # Time -------------------------------------------------------------------------------------------------------------

    def look(self, now: float) -> float:
        """
        See whether anything is overdue, and end the exchange or the stream if it is.

        @return: Seconds after which to look again.
        """
        limits = self._connection.environment.limits
        left = limits.idle_seconds
        exchange = self._exchange
        stream = self._stream
        if self._tunnel is not None:
            due = self._progress + limits.stream_idle_seconds
            if due <= now:
                self._tunnel.expired()
                return left
            return min(left, due - now)
        if exchange is not None and not self._asks_tunnel and not stream.whole and not self._upload_paused:
            awaited = exchange.phase is Phase.AWAITED
            due = self._body_due if awaited else self._progress + limits.stream_idle_seconds
            if due <= now:
                exchange.give_up(CLIENT_BODY_TIMEOUT)
                return left
            left = min(left, due - now)
        elif exchange is None and stream.ended:
            # its response is whole, and of its request the end alone is missing
            due = self._progress + limits.body_seconds
            if due <= now:
                self._connection.reset(stream, NO_ERROR)
                stream.carrier = None
                return left
            left = min(left, due - now)
        if not stream.queued:
            self._mark_at = NEVER
            return left
        return min(left, self._look_at_reader(now))

    def _look_at_reader(self, now: float) -> float:
        """See whether the client gives room for what waits for it."""
        limits = self._connection.environment.limits
        stream = self._stream
        sent = self._given - stream.queued
        if self._mark_at != NEVER:
            left = self._mark_at + limits.stall_seconds - now
            if left > 0:
                return left
            if stream.window <= 0 and sent - self._mark < limits.stall_bytes:
                self._connection.reset(stream, INTERNAL_ERROR)
                stream.carrier = None
                self._abandon(CLIENT_GONE)
                return limits.idle_seconds
        self._mark_at = now
        self._mark = sent
        return limits.stall_seconds

    def _wait_for_reader(self) -> None:
        """Something waits for the client to give room for it."""
        if self._mark_at == NEVER:
            environment = self._connection.environment
            self._mark_at = environment.wheel.now
            self._mark = self._given - self._stream.queued
            self._connection.look_within(environment.limits.stall_seconds)

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
        self._connection.environment.observer.request_ended(exchange)

    # ------------------------------------------------------------------------------------------------------------------

    def _touch(self) -> None:
        if not self._touched:
            self._touched = True
            self._connection.touched.append(self)

    def _send(self, data: bytes) -> None:
        connection = self._connection
        self._given += len(data)
        if not connection.send_data(self._stream, data) and not self._stalled:
            self._stall()
        self._progress = connection.environment.wheel.now
        if connection.queue.gathered >= GATHERED:
            connection.write_now()

    def _stall(self) -> None:
        """The client does not read as fast as the backend answers."""
        self._stalled = True
        self._wait_for_reader()
        exchange = self._exchange
        if exchange is not None and exchange.upload is not None:
            exchange.upload.pause()

    def _end(self, trailers: list[Field]) -> None:
        connection, stream = self._connection, self._stream
        held, self._held = self._held, b""
        if held:
            self._given += len(held)
            connection.send_data(stream, held, not trailers)
        if trailers and not self._bodyless:
            connection.end(stream, block_of(trailers))
        elif not held:
            connection.end(stream)
        if stream.queued:
            self._wait_for_reader()
        connection.write_soon()

    def _abandon(self, fault: Fault) -> None:
        """Nothing can be answered any more."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            try:
                exchange.abandon(fault)
            finally:
                self._connection.environment.observer.request_ended(exchange)
