# Hot path: carries each request of an HTTP/1 client and its response.
"""
The client's side of HTTP/1: one connection, its requests one after the other.

Bytes come in at L{HTTP1DownstreamConnection.dataReceived}, are read by a
L{edgegate.http.h1.request_reader.RequestReader}, and become an
L{edgegate.http.exchange.Exchange}, whose response is
L{edgegate.http.h1.downstream_stream}'s. A request behind one that is not
answered yet waits unparsed.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final, cast

from twisted.internet.error import ConnectionClosed
from twisted.internet.interfaces import IProtocol, IPushProducer, ITransport
from twisted.python.failure import Failure
from zope.interface import classImplements

from edgegate.errors import BODY_TOO_LARGE, CLIENT_BODY_TIMEOUT, CLIENT_GONE, CLIENT_TIMEOUT, INTERNAL, Fault
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import NO_CLUSTERS, Exchange, Phase
from edgegate.http.fields import Field
from edgegate.http.h1.downstream_state import NEXT, NEXT_FLOW, Event, Flow, State, Turn
from edgegate.http.h1.downstream_stream import HTTP1DownstreamStream
from edgegate.http.h1.head_parser import HeadParser
from edgegate.http.h1.lingering_close import HTTP1LingeringClose
from edgegate.http.h1.request_reader import RequestReader
from edgegate.http.h1.request_reader import State as ReaderState
from edgegate.http.h1.timeouts import Timeouts, Wait
from edgegate.http.h1.tunnel import Tunnel
from edgegate.http.interfaces import Dispatcher
from edgegate.http.overdue import Overdue
from edgegate.http.request import RequestHead, refused_head
from edgegate.http.upload import Upload
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.body_run import RUN_FROM
from edgegate.net.containment import broke, contained
from edgegate.net.stream import Stream
from edgegate.overload.connections import client_of
from edgegate.overload.idle import UNASKED

TURN: Final = 32
"""Requests of one connection that are begun in one turn of the loop."""

_MORE: Final = TURN - 1


class HTTP1DownstreamConnection(HTTP1DownstreamStream):
    """
    One connection of a client.

    It owns its transport, and is the transport's push producer for as long as
    it lives: the transport's C{pauseProducing} means that the client does not
    read.
    """

    __slots__ = ("_dispatcher", "_left", "_turn")

    def __init__(
        self, downstream: ConnectionInfo, environment: HTTPEnvironment, heads: HeadParser, dispatcher: Dispatcher
    ) -> None:
        super().__init__(downstream, environment)
        self._dispatcher = dispatcher
        self._left = environment.connection_requests  # requests that it may carry
        self._turn = _MORE  # requests that it may begin in this turn behind the first
        self._reader = RequestReader(self, environment.limits, heads)
        self._timeouts = Timeouts(environment.wheel, environment.limits, self._expired)

    def __repr__(self) -> str:
        return (
            f"<HTTP1DownstreamConnection {self.downstream.peer}: {self._state.name.lower()}, reads "
            f"{self._reader.state.value}, waits for {self._timeouts.wait.value}>"
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
        self._turn = _MORE
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
        if state is ReaderState.WAITING:
            if reader.waiting:
                self._pause_reading()
        elif state is ReaderState.HEAD and reader.waiting and self._timeouts.wait is Wait.REQUEST:
            self._timeouts.head()

    @contained
    def connectionLost(self, reason: Failure) -> None:
        """The connection is no more."""
        self._state = NEXT[self._state][Event.END]
        try:
            self._timeouts.end()
            self._reader.stop()
            self._writer.out.clear()
            self._environment.connection_ended(self)
        finally:
            # an error in the transport ends it too
            self._abandon(CLIENT_GONE if isinstance(reason.value, ConnectionClosed) else INTERNAL)

    def broke(self) -> None:
        """
        An error of ours was raised in what the connection is for.

        The exchange under way ends with it, and the connection behind it: nobody knows what of it still holds.
        """
        self._state = NEXT[self._state][Event.LAST]
        self._reader.stop()
        exchange = self._exchange
        try:
            if self._transport.disconnected:
                self._environment.connection_ended(self)
                self._cut_off()
            elif exchange is None and self._state is not State.ENDED:
                self._close()
            else:
                if exchange is not None:
                    exchange.give_up()
                if exchange is None or self._exchange is not None or self._state is not State.ENDED:
                    # it was closing, its response was whole or was being cut, and that failed
                    self._cut_off()
        except Exception:
            self._cut_off()
            raise

    # The transport, as a producer -------------------------------------------------------------------------------------

    @contained
    def pauseProducing(self) -> None:
        """The client does not read what it is sent."""
        self._flow = NEXT_FLOW[self._flow][Turn.STALL]
        exchange = self._exchange
        if exchange is None:
            # one that began now would not know of it
            self._reader.hold()
        elif exchange.upload is not None:
            exchange.upload.pause()
        self._rearm()

    @contained
    def resumeProducing(self) -> None:
        """The client reads again."""
        self._flow = NEXT_FLOW[self._flow][Turn.RESUME]
        exchange = self._exchange
        if self._state is State.ENDED:
            return
        self._rearm()
        if exchange is not None:
            if exchange.upload is not None:
                exchange.upload.resume()
        elif self._reader.state is ReaderState.WAITING:
            self._read_next()

    def stopProducing(self) -> None:
        """The transport is closing; L{connectionLost} follows."""

    # What the reader found --------------------------------------------------------------------------------------------

    def request_head(self, head: RequestHead) -> None:
        """A request begins."""
        self._exchange = exchange = Exchange(self, head, self._environment.clusters.in_force)
        observer = self._environment.observer
        observer.begun += 1
        exchange.connection.counts.requests += 1
        if observer.wants_requests_begun:
            observer.request_began(exchange)
        state = NEXT[self._state][Event.BEGIN]
        self._left -= 1
        if not head.keep or not self._left:
            state = NEXT[state][Event.LAST]
        if head.length:
            if head.expects_continue:
                state = NEXT[state][Event.EXPECT]
            self._timeouts.body()
        else:
            self._timeouts.nothing()
        self._state = state
        self._dispatcher.resource_for(exchange).render(exchange)

    def request_body(self, data: bytes) -> None:
        """A piece of the request's body came."""
        exchange = self._exchange
        if exchange is not None:
            size = len(data)
            if exchange.received + size > self._environment.limits.body_bytes:
                self._body_too_large(exchange)
                return
            exchange.receive(data)
            self._timeouts.body_came(size)

    def _body_too_large(self, exchange: Exchange) -> None:
        self._reader.stop()
        self._state = NEXT[self._state][Event.LAST]
        exchange.give_up(BODY_TOO_LARGE)

    def request_end(self, trailers: list[Field]) -> None:
        """The request is whole."""
        exchange = self._exchange
        if exchange is not None:
            if self._timeouts.wait is Wait.BODY or self._timeouts.wait is Wait.STREAM:
                self._timeouts.nothing()
            exchange.receive_end(trailers)

    def request_refused(self, fault: Fault) -> None:
        """What came is no request."""
        exchange = self._exchange
        if exchange is None:
            self._exchange = exchange = Exchange(self, refused_head(), NO_CLUSTERS)
            self._state = NEXT[NEXT[self._state][Event.BEGIN]][Event.LAST]
            observer = self._environment.observer
            observer.begun += 1
            exchange.connection.counts.requests += 1
            if observer.wants_requests_begun:
                observer.request_began(exchange)
            exchange.fail(fault)
        else:
            self._state = NEXT[self._state][Event.LAST]
            exchange.give_up(fault)

    def preface_came(self, data: bytes) -> bool:
        """Let another serve a client that begins with HTTP/2, unless it has agreed on HTTP/1 before."""
        transport = self._transport
        if self.downstream.alpn or transport.bytes_in != len(data):
            return False
        successor = self._dispatcher.http2(self.downstream)
        if successor is None:
            return False
        last = self._state is State.LAST_IDLE
        self._let_go()
        self._environment.connection_replaced(self, successor)
        transport.switch(cast(IProtocol, successor))
        successor.makeConnection(cast(ITransport, transport))
        if last:
            successor.retire()
        successor.dataReceived(data)
        return True

    # As an exchange's stream ------------------------------------------------------------------------------------------

    def tunnel(self, backend: Stream, rest: bytes, over: Callable[[], None]) -> None:
        """See L{DownstreamStream.tunnel}: the whole connection becomes one."""
        exchange = self._exchange
        assert exchange is not None
        early = self._let_go()
        self._exchange = None
        Tunnel(exchange, self._environment, over).start(self, self._transport, backend, early, rest)

    # As the gateway's -------------------------------------------------------------------------------------------------

    def move(self, downstream: ConnectionInfo) -> None:
        """Go on under a new Snapshot: the next request is routed by it; one that is under way has its own."""
        self.downstream = downstream

    @contained
    def retire(self) -> None:
        """End the connection with the next response whose head can say so."""
        exchange, state = self._exchange, self._state
        if exchange is not None and exchange.phase is Phase.BEGUN and state is State.BUSY:
            self._state = NEXT[state][Event.RETIRE]
        elif state is not State.PROMISED:
            self._state = NEXT[state][Event.LAST]

    @contained
    def drain(self) -> None:
        """
        End the connection with the response that is under way, or to the request that is on its way, or now.

        The first request of a connection is waited for, for it may have been sent; for as long as its head may take.
        """
        self._state = NEXT[self._state][Event.LAST]
        if self._exchange is None and self._state is not State.ENDED:
            if self._transport.bytes_in and not self._reader.waiting and not self._transport.unread:
                self._leave_kept()
            elif self._timeouts.wait is Wait.REQUEST:
                self._timeouts.last_request()

    def idle_since(self) -> float:
        """See L{edgegate.overload.idle.Idle}; a new connection's first request is awaited as the rest of one is."""
        if self._exchange is not None or self._state is State.ENDED:
            return inf
        since = self._timeouts.idle_since()
        return since if self._transport.bytes_in else since + UNASKED

    def give_way(self) -> bool:
        """Close where no request is under way; to the beginning of one the answer is 408."""
        if self._exchange is not None or self._state is State.ENDED or self._transport.unread:
            return False
        self._make_way()
        return True

    @contained
    def _make_way(self) -> None:
        transport = self._transport
        if self._reader.waiting:
            self._reader.stop()
            self.request_refused(CLIENT_TIMEOUT)
            # what lingers has what it would give way with
            transport.loseConnection()
        else:
            self._close()

    @contained
    def abort(self) -> None:
        """End the connection now: with a reset where a request or a response is under way."""
        if self._exchange is not None or self._reader.waiting:
            self._transport.abortConnection()
        elif self._state is not State.ENDED:
            self._close()

    @contained
    def end_overdue(self, overdue: Overdue) -> None:
        """See L{edgegate.http.interfaces.Served}."""
        exchange = self._exchange
        fault = None if exchange is None else overdue.fault_of(exchange)
        if exchange is not None and fault is not None:
            if not exchange.request_whole:
                self._reader.stop()
                self._state = NEXT[self._state][Event.LAST]
            exchange.give_up(fault)

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
        if not self._turn:
            # its requests are answered at once, and more of them are there perhaps: others have their turn before
            self._timeouts.nothing()
            self._pause_reading()
            self._transport.put_off(self._go_on, client_of(self.downstream.peer))
            return
        self._turn -= 1
        self._timeouts.request()
        if self._flow is not Flow.BOTH:
            self._resume_reading()
        self._reader.resume()
        exchange = self._exchange
        if exchange is not None and exchange.upload is not None:
            exchange.upload.flush()
        if self._reader.waiting and self._timeouts.wait is Wait.REQUEST:
            self._timeouts.head()

    @contained
    def _go_on(self) -> None:
        """Others have had their turn."""
        self._turn = TURN
        if self._reader.state is not ReaderState.WAITING:
            # it has gone on before
            return
        if self._exchange is None and self._state is not State.ENDED and self._flow < Flow.STALLED:
            self._read_next()
            if self._writer.out:
                self.flush()

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
            self._state = NEXT[self._state][Event.LAST]
            self._exchange.give_up(CLIENT_BODY_TIMEOUT)
        elif wait is Wait.REQUEST:
            if self._transport.bytes_in:
                self._leave_kept()
            else:
                self._close()
        elif wait is Wait.READER and not self._timeouts.reads(self._transport):
            self._transport.abortConnection()

    def _leave(self, whole: bool) -> None:
        self._let_go()
        closing = HTTP1LingeringClose(self, self._environment, self._transport)
        if whole:
            closing.close()
        else:
            closing.linger()

    def _leave_kept(self) -> None:
        """Let go of a connection between two requests."""
        self._let_go()
        HTTP1LingeringClose(self, self._environment, self._transport).leave()


classImplements(HTTP1DownstreamConnection, IProtocol, IPushProducer)
