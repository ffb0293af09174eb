# Hot path: carries each response to an HTTP/1 client.
"""
The response side of an HTTP/1 client's connection: what is answered is queued here and leaves with the next flush.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Final

from edgegate.errors import INTERNAL, Fault
from edgegate.http.downstream_stream import DownstreamStream
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange, Phase
from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import Field
from edgegate.http.forwarded import Client
from edgegate.http.h1 import request_reader
from edgegate.http.h1.downstream_state import NEXT, NEXT_FLOW, Event, Flow, State, Turn
from edgegate.http.h1.request_reader import RequestReader
from edgegate.http.h1.response_writer import ResponseWriter
from edgegate.http.h1.timeouts import Timeouts, Wait
from edgegate.http.response import ResponseHead
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.containment import broke
from edgegate.net.stream import Stream

_WAITING: Final = request_reader.State.WAITING
_BETWEEN: Final = (_WAITING, request_reader.State.HEAD)
_BODY: Final = (request_reader.State.SIZED_BODY, request_reader.State.CHUNKED_BODY)


class HTTP1DownstreamStream(DownstreamStream):
    """
    The stream of each exchange of a connection, one after the other.

    There is one object for all of them, and for their connection, which
    L{edgegate.http.h1.downstream_connection.HTTP1DownstreamConnection} makes of it: what is made once for each
    connection costs nothing for each request.
    """

    __slots__ = ("_environment", "_exchange", "_flow", "_reader", "_state", "_timeouts", "_transport", "_writer")

    _reader: RequestReader
    _timeouts: Timeouts
    _transport: Stream

    def __init__(self, downstream: ConnectionInfo, environment: HTTPEnvironment) -> None:
        self.downstream = downstream
        self.client = Client(downstream, environment.trusted_hops)
        self._environment = environment
        self._exchange: Exchange | None = None
        self._flow = Flow.BOTH
        self._state = State.IDLE
        self._writer = ResponseWriter()

    # The connection's -------------------------------------------------------------------------------------------------

    @abstractmethod
    def broke(self) -> None:
        """An error of ours was raised in what the connection is for."""

    @abstractmethod
    def _read_next(self) -> None:
        """Read the next request."""

    @abstractmethod
    def _leave(self, whole: bool) -> None:
        """
        Let go of the connection, and have it closed behind what is queued.

        @param whole: Whether nothing more is to come from the client.
        """

    # The response, from the exchange ----------------------------------------------------------------------------------

    def response_interim(self, head: ResponseHead) -> None:
        """Queue a 1xx response; HTTP/1.0 knows none (RFC 9110 section 15.2)."""
        exchange = self._exchange
        if exchange is not None and exchange.head.version != "1.0":
            self._writer.interim(head)

    def response_head(self, head: ResponseHead, fields: tuple[FieldBlock, ...] = ()) -> None:
        """Queue the final response's head."""
        exchange = self._exchange
        if exchange is not None:
            # A client that still waits for 100 Continue may send its body or not: only the end of the connection tells.
            keep = self._state is State.BUSY
            if exchange.upload is None and self._reader.state is not _WAITING:
                # Nobody takes the rest of the body, so the connection ends with the response (RFC 9112 section 9.6).
                keep = False
            if self._timeouts.wait is Wait.BODY:
                self._timeouts.stream(self._transport)
            date = None if head.dated else self._environment.date()
            if not self._writer.head(exchange.head, head, fields, date, keep):
                self._state = NEXT[self._state][Event.LAST]

    def response_body(self, data: bytes) -> None:
        """Queue a piece of the body."""
        self._writer.body(data)

    def response_end(self, trailers: list[Field]) -> None:
        """The response is whole."""
        exchange = self._exchange
        if exchange is None:
            return
        self._writer.end(trailers)
        self._exchange = None
        self._state = NEXT[self._state][Event.DONE]
        exchange.connection.counts.requests -= 1
        self._environment.observer.request_ended(exchange)
        # what follows is no part of this exchange, whose response has still to be sent
        try:
            if self._state is State.IDLE and self._reader.state is _WAITING:
                if self._flow < Flow.STALLED:
                    self._read_next()
            elif self._state is State.KEPT and self._reader.state is _WAITING:
                self._state = NEXT[self._state][Event.LAST]
                if self._flow < Flow.STALLED:
                    self._read_next()
            else:
                self._close()
        except Exception:
            broke(self)

    def keep_no_longer(self) -> None:
        """The connection ends with the response."""
        self._state = NEXT[self._state][Event.LAST]

    def response_cut(self) -> None:
        """The response cannot be completed; the connection ends in a way that no client takes for its end."""
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        exchange.connection.counts.requests -= 1
        self._environment.observer.request_ended(exchange)
        try:
            if self._writer.delimited:
                self._state = NEXT[self._state][Event.END]
                self._reader.stop()
                self.flush()
                self._transport.abortConnection()
            else:
                self._leave(whole=True)
        except Exception:
            broke(self)

    def exchange_broke(self, exchange: object) -> None:
        """See L{DownstreamStream.exchange_broke}."""
        if exchange is self._exchange:
            self.broke()
        else:
            # its response is whole, and may be queued still
            self.flush()

    def flush(self) -> None:
        """Send what is queued, in one piece."""
        if self._writer.out:
            try:
                self._transport.write(self._writer.take())
            except Exception:
                # nobody knows how much of it left
                self._cut_off()
                raise

    def run_sink(self) -> Stream | None:
        """Return the transport, where a body goes to the client as it is."""
        return None if self._writer.framed or self._state is State.ENDED else self._transport

    # The request's body -----------------------------------------------------------------------------------------------

    def pause_upload(self) -> None:
        """The backend cannot keep up with the request's body."""
        self._pause_reading()
        self._rearm()

    def resume_upload(self) -> None:
        """The backend can take more."""
        if self._state is not State.ENDED and not self._reader.waiting:
            self._resume_reading()
            self._rearm()

    def continue_upload(self) -> None:
        """Tell the client to send the body that it holds back (RFC 9110 section 10.1.1)."""
        if self._state is State.EXPECTING or self._state is State.LAST_EXPECTING:
            self._state = NEXT[self._state][Event.CONTINUE]
            self._writer.proceed()
            self.flush()

    def _pause_reading(self) -> None:
        if self._flow is Flow.BOTH or self._flow is Flow.STALLED:
            self._flow = NEXT_FLOW[self._flow][Turn.HOLD]
            self._transport.pauseProducing()

    def _resume_reading(self) -> None:
        if self._flow is Flow.HELD or self._flow is Flow.NEITHER:
            self._flow = NEXT_FLOW[self._flow][Turn.READ]
            self._transport.resumeProducing()

    def _rearm(self) -> None:
        """Wait for what is to be waited for in the present state."""
        if self._state is State.ENDED:
            return
        if self._flow >= Flow.STALLED:
            self._timeouts.reader(self._transport)
        elif self._flow is Flow.BOTH and self._reader.state in _BODY:
            exchange = self._exchange
            if exchange is None or exchange.phase is Phase.AWAITED:
                self._timeouts.body_again()
            else:
                self._timeouts.stream(self._transport)
        elif self._exchange is None:
            self._timeouts.request()
        else:
            self._timeouts.nothing()

    # The end ----------------------------------------------------------------------------------------------------------

    def _close(self) -> None:
        """Close after the response."""
        self._leave(self._reader.state in _BETWEEN and not self._reader.waiting)

    def _let_go(self) -> bytes:
        """End: the connection is another's from here on. Return what was received and not parsed."""
        self._state = NEXT[self._state][Event.END]
        self._timeouts.end()
        self.flush()
        self._transport.unregisterProducer()
        return self._reader.stop()

    def _cut_off(self) -> None:
        """End everything now."""
        self._state = NEXT[self._state][Event.END]
        try:
            self._transport.abortConnection()
        finally:
            self._abandon(INTERNAL)

    def _abandon(self, fault: Fault) -> None:
        """Nothing can be answered any more."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            try:
                exchange.abandon(fault)
            finally:
                exchange.connection.counts.requests -= 1
                self._environment.observer.request_ended(exchange)
