"""
What follows on extended CONNECT (RFC 8441): a stream of a client and a backend's connection, whose bytes are another
protocol's and not looked at.

Half-closes are kept, and back-pressure holds both ways: the client has room as
the backend takes what comes, and the backend is read as the client has room.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from os import urandom
from typing import cast

from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol, IPushProducer, ITransport
from twisted.python.failure import Failure
from zope.interface import classImplements

from edgegate.errors import CLIENT_GONE, INTERNAL, STREAM_IDLE, UPSTREAM_CUT_SHORT, Fault
from edgegate.http.exchange import Exchange, Phase
from edgegate.http.h2.connection import Connection
from edgegate.http.h2.errors import CONNECT_ERROR
from edgegate.http.h2.stream import Stream as HTTP2Stream
from edgegate.http.request import RequestHead
from edgegate.net.containment import contained
from edgegate.net.stream import Stream


def with_key(head: RequestHead) -> RequestHead:
    """Return a request for a tunnel as HTTP/1 needs it: WebSocket has a key there, which HTTP/2 has no use for."""
    if head.upgrade[0].lower() != b"websocket":
        return head
    return head.changed([(b"sec-websocket-key", b64encode(urandom(16)))])


class TunnelSide:
    """
    What a tunnel asks of the client's side of it.

    @ivar connection: What its stream is one of.
    @ivar stream: The stream.
    @ivar pause: Called when the backend takes no more.
    @ivar resume: Called when it takes more.
    @ivar written: Called when something is to be written.
    @ivar ended: Called once at the end.
    """

    __slots__ = ("connection", "ended", "pause", "resume", "stream", "written")

    def __init__(
        self,
        connection: Connection,
        stream: HTTP2Stream,
        pause: Callable[[], None],
        resume: Callable[[], None],
        written: Callable[[], None],
        ended: Callable[[Exchange], None],
    ) -> None:
        self.connection = connection
        self.stream = stream
        self.pause = pause
        self.resume = resume
        self.written = written
        self.ended = ended


class HTTP2Tunnel:
    """
    An exchange after its C{200} to extended CONNECT, until both sides have ended.

    It owns the backend's stream, whose protocol and push producer it is.
    """

    def __init__(self, exchange: Exchange, side: TunnelSide, backend: Stream, over: Callable[[], None]) -> None:
        """
        @param over: Called once, when the backend's connection is no more.
        """
        self._exchange: Exchange | None = exchange
        self._side = side
        self._backend = backend
        self._over = over
        exchange.sent = exchange.received = 0

    def start(self, early: bytes, early_end: bool, rest: bytes) -> None:
        """
        Begin.

        @param early: What the client has sent meanwhile.
        @param early_end: Whether that was all.
        @param rest: What the backend had sent behind its 101.
        """
        backend = self._backend
        backend.switch(cast(IProtocol, self))
        backend.registerProducer(cast(IPushProducer, self), True)
        backend.resumeProducing()
        if rest:
            self.dataReceived(rest)
        if early:
            self.client_sent(early)
        if early_end:
            self.client_finished()

    # The client -------------------------------------------------------------------------------------------------------

    def client_sent(self, data: bytes) -> None:
        """The client sent something."""
        exchange = self._exchange
        if exchange is not None:
            exchange.received += len(data)
            self._backend.write(data)

    def client_finished(self) -> None:
        """The client says no more."""
        self._backend.loseWriteConnection()

    def client_reads(self) -> None:
        """The client has room again."""
        self._backend.resumeProducing()

    def client_gone(self) -> None:
        """The stream is no more."""
        self._end(CLIENT_GONE)

    def expired(self) -> None:
        """For too long nothing went either way."""
        self._end(STREAM_IDLE)

    def broke(self) -> None:
        """An error of ours was raised in a callback."""
        self._end(INTERNAL)

    # The backend, as its protocol -------------------------------------------------------------------------------------

    def makeConnection(self, transport: ITransport) -> None:
        """Never called: the connection was made for the request."""

    def connectionMade(self) -> None:
        """Never called."""

    @contained
    def dataReceived(self, data: bytes) -> None:
        """The backend sent something."""
        exchange, side = self._exchange, self._side
        if exchange is not None:
            exchange.sent += len(data)
            if not side.connection.send_data(side.stream, data):
                self._backend.pauseProducing()
            side.written()

    @contained
    def readConnectionLost(self) -> None:
        """The backend says no more."""
        self._side.connection.end(self._side.stream)
        self._side.written()

    def writeConnectionLost(self) -> None:
        """What the client said has gone out, and its end behind it."""

    @contained
    def connectionLost(self, reason: Failure) -> None:
        """The backend's connection is no more."""
        whole = reason.check(ConnectionDone) is not None and self._side.stream.whole
        self._end(None if whole or reason.check(ConnectionAborted) else UPSTREAM_CUT_SHORT, gone=True)

    # The backend, as its producer -------------------------------------------------------------------------------------

    @contained
    def pauseProducing(self) -> None:
        """The backend takes no more."""
        self._side.pause()

    @contained
    def resumeProducing(self) -> None:
        """The backend takes more."""
        self._side.resume()

    def stopProducing(self) -> None:
        """The transport is closing; L{connectionLost} follows."""

    # ------------------------------------------------------------------------------------------------------------------

    def _end(self, fault: Fault | None, gone: bool = False) -> None:
        """End both sides; once."""
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        side = self._side
        exchange.phase = Phase.OVER
        exchange.fault = exchange.fault or fault
        try:
            if fault is None:
                side.connection.end(side.stream)
            else:
                side.connection.reset(side.stream, CONNECT_ERROR)
            if not gone:
                self._backend.abortConnection()
            side.written()
        finally:
            try:
                self._over()
            finally:
                side.ended(exchange)


classImplements(HTTP2Tunnel, IProtocol, IPushProducer, IHalfCloseableProtocol)
