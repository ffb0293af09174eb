# Hot path: carries each request of an HTTP/1 client and its response.
"""
The client's side of HTTP/1: one connection, its requests one after the other.

Bytes come in at L{HTTP1Channel.dataReceived}, are read by a
L{edgegate.http.h1.request_reader.RequestReader}, and become an
L{edgegate.http.exchange.Exchange}; the response is queued here and leaves with
the next flush. A request behind one that is not answered yet waits unparsed.
"""

from __future__ import annotations

from typing import cast

from twisted.internet.error import ConnectionClosed
from twisted.internet.interfaces import IProtocol, IPushProducer, ITransport
from twisted.python.failure import Failure
from zope.interface import classImplements

from edgegate.errors import CLIENT_BODY_TIMEOUT, CLIENT_GONE, CLIENT_TIMEOUT, INTERNAL, Fault
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Channel, Exchange, Phase, Upload
from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import Field
from edgegate.http.forwarded import Client
from edgegate.http.h1.head_parser import HeadParser
from edgegate.http.h1.lingering_close import HTTP1LingeringClose
from edgegate.http.h1.request_reader import RequestReader, State
from edgegate.http.h1.response_writer import ResponseWriter
from edgegate.http.h1.timeouts import Timeouts, Wait
from edgegate.http.interfaces import Dispatcher
from edgegate.http.request import RequestHead, refused_head
from edgegate.http.response import ResponseHead
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.body_run import RUN_FROM
from edgegate.net.containment import broke, contained
from edgegate.net.stream import Stream


class HTTP1Channel(Channel):
    """
    One connection of a client.

    It owns its transport, and is the transport's push producer for as long as
    it lives: the transport's C{pauseProducing} means that the client does not
    read.
    """

    __slots__ = (
        "_closing",
        "_continue",
        "_dispatcher",
        "_draining",
        "_environment",
        "_exchange",
        "_keep",
        "_moved",
        "_reader",
        "_reading",
        "_stalled",
        "_timeouts",
        "_transport",
        "_writer",
    )

    def __init__(
        self, downstream: ConnectionInfo, environment: HTTPEnvironment, heads: HeadParser, dispatcher: Dispatcher
    ) -> None:
        self.downstream = downstream
        self.client = Client(downstream, environment.trusted_hops)
        self._environment = environment
        self._dispatcher = dispatcher
        self._reader = RequestReader(self, environment.limits, heads)
        self._timeouts = Timeouts(environment.wheel, environment.limits, self._expired)
        self._exchange: Exchange | None = None
        self._moved: ConnectionInfo | None = None
        self._writer = ResponseWriter()
        self._keep = True
        self._continue = self._closing = self._draining = self._stalled = False
        self._reading = True

    def __repr__(self) -> str:
        return (
            f"<HTTP1Channel {self.downstream.peer}: {self._reader.state.value}, waits for {self._timeouts.wait.value}>"
        )

    # The transport, as a protocol -------------------------------------------------------------------------------------

    def makeConnection(self, transport: ITransport) -> None:
        """The connection is ready."""
        self._transport = stream = cast(Stream, transport)
        stream.registerProducer(cast(IPushProducer, self), True)
        self._timeouts.request()

    def connectionMade(self) -> None:
        """Nothing is left to do after L{makeConnection}."""

    def dataReceived(self, data: bytes) -> None:
        """The client sent something."""
        reader = self._reader
        try:
            reader.receive(data)
            exchange = self._exchange
            if exchange is not None and exchange.upload is not None:
                exchange.upload.flush()
                if reader.left >= RUN_FROM:
                    self._run(exchange.upload)
        except Exception:
            broke(self)
            return
        if self._writer.out:
            self.flush()
        state = reader.state
        if state is State.WAITING:
            if reader.waiting:
                self._pause_reading()
        elif state is State.HEAD and reader.waiting and self._timeouts.wait is Wait.REQUEST:
            self._timeouts.head()

    @contained
    def connectionLost(self, reason: Failure) -> None:
        """The connection is no more."""
        self._closing = True
        try:
            self._timeouts.end()
            self._reader.stop()
            self._writer.out.clear()
            self._environment.channel_ended(self)
        finally:
            # an error in the transport ends it too
            self._abandon(CLIENT_GONE if isinstance(reason.value, ConnectionClosed) else INTERNAL)

    def broke(self) -> None:
        """
        An error of ours was raised in what the connection is for.

        The exchange under way ends with it, and the connection behind it: nobody knows what of it still holds.
        """
        self._keep = False
        self._reader.stop()
        exchange = self._exchange
        try:
            if self._transport.disconnected:
                self._environment.channel_ended(self)
                self._cut_off()
            elif exchange is None and not self._closing:
                self._close()
            else:
                if exchange is not None:
                    exchange.give_up()
                if exchange is None or self._exchange is not None or not self._closing:
                    # it was closing, its response was whole or was being cut, and that failed
                    self._cut_off()
        except Exception:
            self._cut_off()
            raise

    # The transport, as a producer -------------------------------------------------------------------------------------

    @contained
    def pauseProducing(self) -> None:
        """The client does not read what it is sent."""
        self._stalled = True
        exchange = self._exchange
        if exchange is not None and exchange.upload is not None:
            exchange.upload.pause()
        self._rearm()

    @contained
    def resumeProducing(self) -> None:
        """The client reads again."""
        self._stalled = False
        exchange = self._exchange
        if self._closing:
            return
        self._rearm()
        if exchange is not None:
            if exchange.upload is not None:
                exchange.upload.resume()
        elif self._reader.state is State.WAITING:
            self._read_next()

    def stopProducing(self) -> None:
        """The transport is closing; L{connectionLost} follows."""

    # What the reader found --------------------------------------------------------------------------------------------

    def request_head(self, head: RequestHead) -> None:
        """A request begins."""
        self._keep = head.keep and not self._draining
        self._continue = head.expects_continue and head.length != 0
        self._exchange = exchange = Exchange(self, head)
        if self._environment.observer.wants_requests_begun:
            self._environment.observer.request_began(exchange)
        if head.length:
            self._timeouts.body()
        else:
            self._timeouts.nothing()
        self._dispatcher.resource_for(exchange).render(exchange)

    def request_body(self, data: bytes) -> None:
        """A piece of the request's body came."""
        exchange = self._exchange
        if exchange is not None:
            exchange.receive(data)
            self._timeouts.body_came(len(data))

    def request_end(self, trailers: list[Field]) -> None:
        """The request is whole."""
        exchange = self._exchange
        if exchange is not None:
            if self._timeouts.wait is Wait.BODY or self._timeouts.wait is Wait.STREAM:
                self._timeouts.nothing()
            exchange.receive_end(trailers)

    def request_refused(self, fault: Fault) -> None:
        """What came is no request."""
        self._keep = False
        exchange = self._exchange
        if exchange is None:
            self._exchange = exchange = Exchange(self, refused_head())
            if self._environment.observer.wants_requests_begun:
                self._environment.observer.request_began(exchange)
            exchange.fail(fault)
        else:
            exchange.give_up(fault)

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
            keep = self._keep and not self._continue and not self._draining
            if exchange.upload is None and self._reader.state is not State.WAITING:
                # Nobody takes the rest of the body, so the connection ends with the response (RFC 9112 section 9.6).
                keep = False
            if self._timeouts.wait is Wait.BODY:
                self._timeouts.stream(self._transport)
            date = None if head.dated else self._environment.date()
            self._keep = self._writer.head(exchange.head, head, fields, date, keep)

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
        self._environment.observer.request_ended(exchange)
        if self._moved is not None:
            self.downstream, self._moved = self._moved, None
        # what follows is no part of this exchange, whose response has still to be sent
        try:
            if self._reader.state is State.WAITING and self._keep and not self._draining:
                if not self._stalled:
                    self._read_next()
            else:
                self._close()
        except Exception:
            broke(self)

    def keep_no_longer(self) -> None:
        """The connection ends with the response."""
        self._keep = False

    def response_cut(self) -> None:
        """The response cannot be completed; the connection ends in a way that no client takes for its end."""
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        self._environment.observer.request_ended(exchange)
        try:
            if self._writer.delimited:
                self._closing = True
                self._reader.stop()
                self.flush()
                self._transport.abortConnection()
            else:
                self._let_go()
                HTTP1LingeringClose(self, self._environment, self._transport).close()
        except Exception:
            broke(self)

    def exchange_broke(self, exchange: Exchange) -> None:
        """See L{Channel.exchange_broke}."""
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
        return None if self._writer.framed or self._closing else self._transport

    def pause_upload(self) -> None:
        """The backend cannot keep up with the request's body."""
        self._pause_reading()
        self._rearm()

    def resume_upload(self) -> None:
        """The backend can take more."""
        if not self._closing and not self._reader.waiting:
            self._resume_reading()
            self._rearm()

    def continue_upload(self) -> None:
        """Tell the client to send the body that it holds back (RFC 9110 section 10.1.1)."""
        if self._continue:
            self._continue = False
            self._writer.proceed()
            self.flush()

    def hand_over(self) -> tuple[Stream, bytes]:
        """
        Let go of the connection, behind a 101 that was answered: what follows is no HTTP.

        @return: The connection, which is the caller's from now on, and what the client sent behind its request.
        """
        rest = self._let_go()
        self._exchange = None
        return self._transport, rest

    def move(self, downstream: ConnectionInfo) -> None:
        """Go on under a new Snapshot: the next request is routed by it; one that is under way ends on its own."""
        if self._exchange is None:
            self.downstream = downstream
        else:
            self._moved = downstream

    @contained
    def retire(self) -> None:
        """End the connection with the next response."""
        self._draining = True

    @contained
    def drain(self) -> None:
        """
        End the connection with the response that is under way, or to the request that is on its way, or now.

        The first request of a connection is waited for, for it may have been sent; for as long as its head may take.
        """
        self._draining = True
        if self._exchange is None and not self._closing:
            if self._transport.bytes_in and not self._reader.waiting and not self._transport.unread:
                self._close()
            elif self._timeouts.wait is Wait.REQUEST:
                self._timeouts.last_request()

    @contained
    def abort(self) -> None:
        """End the connection now: with a reset where a request or a response is under way."""
        if self._exchange is not None or self._reader.waiting:
            self._transport.abortConnection()
        elif not self._closing:
            self._close()

    # ------------------------------------------------------------------------------------------------------------------

    def _run(self, upload: Upload) -> None:
        """Have the rest of a large body go straight to the backend, where it can."""
        sink = upload.run_sink()
        if sink is not None:
            self._transport.run_to(sink, self._reader.left, self._passed)

    @contained
    def _passed(self, count: int) -> None:
        exchange = self._exchange
        if exchange is not None:
            exchange.received += count
            self._timeouts.body_came(count)
            self._reader.skip(count)

    def _read_next(self) -> None:
        self._timeouts.request()
        if not self._reading:
            self._resume_reading()
        self._reader.resume()
        exchange = self._exchange
        if exchange is not None and exchange.upload is not None:
            exchange.upload.flush()
        if self._reader.waiting and self._timeouts.wait is Wait.REQUEST:
            self._timeouts.head()

    def _pause_reading(self) -> None:
        if self._reading:
            self._reading = False
            self._transport.pauseProducing()

    def _resume_reading(self) -> None:
        if not self._reading:
            self._reading = True
            self._transport.resumeProducing()

    def _rearm(self) -> None:
        """Wait for what is to be waited for in the present state."""
        if self._closing:
            return
        if self._stalled:
            self._timeouts.reader(self._transport)
        elif self._reading and self._reader.state in (State.SIZED_BODY, State.CHUNKED_BODY):
            exchange = self._exchange
            if exchange is None or exchange.phase is Phase.AWAITED:
                self._timeouts.body_again()
            else:
                self._timeouts.stream(self._transport)
        elif self._exchange is None:
            self._timeouts.request()
        else:
            self._timeouts.nothing()

    @contained
    def _expired(self) -> None:
        wait = self._timeouts.wait
        if wait is Wait.HEAD:
            self._reader.stop()
            self.request_refused(CLIENT_TIMEOUT)
        elif wait is Wait.STREAM and self._timeouts.streams(self._transport):
            return
        elif (wait is Wait.BODY or wait is Wait.STREAM) and self._exchange is not None:
            self._reader.stop()
            self._keep = False
            self._exchange.give_up(CLIENT_BODY_TIMEOUT)
        elif wait is Wait.REQUEST:
            self._close()
        elif wait is Wait.READER and not self._timeouts.reads(self._transport):
            self._transport.abortConnection()

    def _cut_off(self) -> None:
        """End everything now."""
        self._closing = True
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
                self._environment.observer.request_ended(exchange)

    def _close(self) -> None:
        """Close after the response."""
        whole = self._reader.state in (State.WAITING, State.HEAD) and not self._reader.waiting
        self._let_go()
        closing = HTTP1LingeringClose(self, self._environment, self._transport)
        if whole:
            closing.close()
        else:
            closing.linger()

    def _let_go(self) -> bytes:
        """End as a channel: the connection is another's from here on. Return what was received and not parsed."""
        self._closing = True
        self._timeouts.end()
        self.flush()
        self._transport.unregisterProducer()
        return self._reader.stop()


classImplements(HTTP1Channel, IProtocol, IPushProducer)
