# Hot path: carries each request of an HTTP/2 client and its response.
"""One stream of an HTTP/2 client's connection, as the exchange on it knows it."""

from __future__ import annotations

from typing import Final

from edgegate.errors import CLIENT_BODY_TIMEOUT, CLIENT_GONE
from edgegate.http.exchange import Phase
from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import Field
from edgegate.http.h2.downstream_upload import NEVER, HTTP2Upload
from edgegate.http.h2.errors import INTERNAL_ERROR, NO_ERROR
from edgegate.http.h2.head_blocks import field_block, head_block
from edgegate.http.h2.hpack import block_of
from edgegate.http.overdue import Overdue
from edgegate.http.response import ResponseHead
from edgegate.net.containment import broke
from edgegate.net.stream import Stream

GATHERED: Final = 128 * 1024
"""Bytes of bodies that are written before the end of the turn: to gather more costs memory and saves nothing."""

_SERVER: Final = block_of([(b"server", b"edgegate")])
_BODYLESS: Final = frozenset((204, 304))
_SWITCHING: Final = 101


class HTTP2DownstreamStream(HTTP2Upload):
    """
    The stream of one exchange.

    The last piece of a body is held back until more is known: what ends the
    response then leaves in the same frame.
    """

    __slots__ = ()

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
        if self._asks_tunnel and head.status != _SWITCHING:
            self._no_tunnel()
        self._bodyless = exchange.head.method == b"HEAD" or head.status in _BODYLESS
        self._progress = connection.environment.wheel.now
        # A response without a body is one frame, for clients of gRPC look for a status without messages nowhere else.
        ends = self._bodyless or head.length == 0
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
        exchange.connection.counts.requests -= 1
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
        exchange.connection.counts.requests -= 1
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
        if exchange is not None and self._awaits_body():
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

    def end_overdue(self, overdue: Overdue) -> None:
        """See L{StreamCarrier.end_overdue}."""
        exchange = self._exchange
        fault = None if exchange is None or self._tunnel is not None else overdue.fault_of(exchange)
        if exchange is not None and fault is not None:
            exchange.give_up(fault)

    def _awaits_body(self) -> bool:
        """Whether more of the upload could come if the client sent it."""
        if self._asks_tunnel or self._stream.whole or self._upload_paused:
            return False
        return not self._connection.shut

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

    # ------------------------------------------------------------------------------------------------------------------

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
