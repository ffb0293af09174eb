# Hot path: carries each request of an HTTP/1 client and its answer.
"""
The client's side of HTTP/1: one connection, its requests one after the other.

Bytes come in at L{HTTP1Channel.dataReceived}, are read by a
L{edgegate.http.h1_reader.RequestReader}, and become an
L{edgegate.http.exchange.Exchange}; the answer is queued here and leaves with
the next flush. A request behind one that is not answered yet waits unparsed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from twisted.internet.interfaces import IProtocol, IPushProducer, ITransport
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import classImplements

from edgegate.errors import CLIENT_BODY_TIMEOUT, CLIENT_GONE, CLIENT_TIMEOUT, INTERNAL, Fault
from edgegate.http.answer import AnswerHead
from edgegate.http.exchange import Channel, Exchange, Phase, Upload
from edgegate.http.fields import Field
from edgegate.http.forwarded import Client
from edgegate.http.h1_answer_writer import AnswerWriter
from edgegate.http.h1_closing import Closing
from edgegate.http.h1_patience import Patience, Wait
from edgegate.http.h1_reader import RequestReader, State
from edgegate.http.request import RequestHead, refused_head
from edgegate.net.addresses import Downstream
from edgegate.net.body_run import RUN_FROM
from edgegate.net.stream import Stream

if TYPE_CHECKING:
    from edgegate.http.gateway import HTTPGateway

log = Logger(namespace=__name__)


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
        "_draining",
        "_exchange",
        "_gateway",
        "_keep",
        "_patience",
        "_reader",
        "_reading",
        "_stalled",
        "_transport",
        "_writer",
    )

    def __init__(self, downstream: Downstream, gateway: HTTPGateway) -> None:
        self.downstream = downstream
        self.client = Client(downstream, gateway.trusted_hops)
        self._gateway = gateway
        self._reader = RequestReader(self, gateway.limits, gateway.heads)
        self._patience = Patience(gateway.wheel, gateway.limits, self._expired)
        self._exchange: Exchange | None = None
        self._writer = AnswerWriter()
        self._keep = True
        self._continue = self._closing = self._draining = self._stalled = False
        self._reading = True

    def __repr__(self) -> str:
        return (
            f"<HTTP1Channel {self.downstream.peer}: {self._reader.state.value}, waits for {self._patience.wait.value}>"
        )

    # The transport, as a protocol -------------------------------------------------------------------------------------

    def makeConnection(self, transport: ITransport) -> None:
        """The connection is ready."""
        self._transport = stream = cast(Stream, transport)
        stream.registerProducer(cast(IPushProducer, self), True)
        self._patience.request()

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
            log.failure("a request broke")
            self._break()
            return
        if self._writer.out:
            self.flush()
        state = reader.state
        if state is State.WAITING:
            if reader.waiting:
                self._pause_reading()
        elif state is State.HEAD and reader.waiting and self._patience.wait is Wait.REQUEST:
            self._patience.head()

    def connectionLost(self, reason: Failure) -> None:
        """The connection is no more."""
        self._closing = True
        self._patience.end()
        self._reader.stop()
        self._writer.out.clear()
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.abandon(CLIENT_GONE)
            self._gateway.request_ended(exchange)
        self._gateway.channel_ended(self)

    # The transport, as a producer -------------------------------------------------------------------------------------

    def pauseProducing(self) -> None:
        """The client does not read what it is sent."""
        self._stalled = True
        exchange = self._exchange
        if exchange is not None and exchange.upload is not None:
            exchange.upload.pause()
        self._rearm()

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
        gateway = self._gateway
        self._keep = head.keep and not self._draining
        self._continue = head.expects_continue and head.length != 0
        self._exchange = exchange = Exchange(self, head)
        if head.length:
            self._patience.body()
        else:
            self._patience.nothing()
        gateway.resource_for(exchange).render(exchange)

    def request_body(self, data: bytes) -> None:
        """A piece of the request's body came."""
        exchange = self._exchange
        if exchange is not None:
            exchange.receive(data)
            self._patience.body_came()

    def request_end(self, trailers: list[Field]) -> None:
        """The request is whole."""
        exchange = self._exchange
        if exchange is not None:
            if self._patience.wait is Wait.BODY:
                self._patience.nothing()
            exchange.receive_end(trailers)

    def request_refused(self, fault: Fault) -> None:
        """What came is no request."""
        self._keep = False
        exchange = self._exchange
        if exchange is None:
            self._exchange = exchange = Exchange(self, refused_head())
            exchange.fail(fault)
        else:
            self._give_up(exchange, fault)

    # The answer, from the exchange ------------------------------------------------------------------------------------

    def answer_interim(self, head: AnswerHead) -> None:
        """Queue a 1xx answer; HTTP/1.0 knows none (RFC 9110 section 15.2)."""
        exchange = self._exchange
        if exchange is not None and exchange.head.version != "1.0":
            self._writer.interim(head)

    def answer_head(self, head: AnswerHead, extra: bytes = b"") -> None:
        """Queue the final answer's head."""
        exchange = self._exchange
        if exchange is not None:
            # A client that still waits for 100 Continue may send its body or not: only the end of the connection tells.
            keep = self._keep and not self._continue and not self._draining
            if exchange.upload is None and self._reader.state is not State.WAITING:
                # Nobody takes the rest of the body, so the connection ends with the answer (RFC 9112 section 9.6).
                keep = False
            date = b"" if head.dated else self._gateway.date_line()
            self._keep = self._writer.head(exchange.head, head, extra, date, keep)

    def answer_body(self, data: bytes) -> None:
        """Queue a piece of the body."""
        self._writer.body(data)

    def answer_end(self, trailers: list[Field]) -> None:
        """The answer is whole."""
        exchange = self._exchange
        if exchange is None:
            return
        self._writer.end(trailers)
        self._exchange = None
        self._gateway.request_ended(exchange)
        if self._reader.state is State.WAITING and self._keep and not self._draining:
            if not self._stalled:
                self._read_next()
        else:
            self._close()

    def answer_cut(self) -> None:
        """The answer cannot be completed; the connection ends in a way that no client takes for its end."""
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        self._gateway.request_ended(exchange)
        if self._writer.delimited:
            self._closing = True
            self._reader.stop()
            self.flush()
            self._transport.abortConnection()
        else:
            self._let_go()
            Closing(self.downstream, self._gateway, self._transport).close()

    def flush(self) -> None:
        """Send what is queued, in one piece."""
        if self._writer.out:
            self._transport.write(self._writer.take())

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
        self._exchange = None
        return self._transport, self._let_go()

    def move(self, downstream: Downstream) -> None:
        """Go on under a new Snapshot: the next request is routed by it."""
        self.downstream = downstream

    def retire(self) -> None:
        """End the connection with the next answer."""
        self._draining = True

    def drain(self) -> None:
        """End the connection with the answer that is under way, or now where there is none."""
        self._draining = True
        if self._exchange is None and not self._closing:
            self._close()

    def abort(self) -> None:
        """End the connection now: with a reset where an answer is under way."""
        if self._exchange is None:
            self.drain()
        else:
            self._transport.abortConnection()

    # ------------------------------------------------------------------------------------------------------------------

    def _run(self, upload: Upload) -> None:
        """Have the rest of a large body go straight to the backend, where it can."""
        sink = upload.run_sink()
        if sink is not None:
            self._transport.run_to(sink, self._reader.left, self._passed)

    def _passed(self, count: int) -> None:
        exchange = self._exchange
        if exchange is not None:
            exchange.received += count
            self._patience.body_came()
            self._reader.skip(count)

    def _read_next(self) -> None:
        self._patience.request()
        if not self._reading:
            self._resume_reading()
        self._reader.resume()
        exchange = self._exchange
        if exchange is not None and exchange.upload is not None:
            exchange.upload.flush()
        if self._reader.waiting and self._patience.wait is Wait.REQUEST:
            self._patience.head()

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
            self._patience.reader(self._transport)
        elif self._reading and self._reader.state in (State.SIZED_BODY, State.CHUNKED_BODY):
            self._patience.body()
        elif self._exchange is None:
            self._patience.request()
        else:
            self._patience.nothing()

    def _expired(self) -> None:
        wait = self._patience.wait
        if wait is Wait.HEAD:
            self._reader.stop()
            self.request_refused(CLIENT_TIMEOUT)
        elif wait is Wait.BODY and self._exchange is not None:
            self._reader.stop()
            self._keep = False
            self._give_up(self._exchange, CLIENT_BODY_TIMEOUT)
        elif wait is Wait.REQUEST:
            self._close()
        elif wait is Wait.READER and not self._patience.reads(self._transport):
            self._transport.abortConnection()

    def _give_up(self, exchange: Exchange, fault: Fault) -> None:
        """End an exchange whose request will never be whole."""
        upload, exchange.upload = exchange.upload, None
        if upload is not None:
            upload.cancel()
        exchange.fail(fault)

    def _break(self) -> None:
        """End the connection after an error of our own; it was logged."""
        exchange = self._exchange
        self._keep = False
        self._reader.stop()
        if exchange is None:
            if not self._closing:
                self._close()
        elif exchange.phase is Phase.OVER:
            self._transport.abortConnection()
        else:
            self._give_up(exchange, INTERNAL)

    def _close(self) -> None:
        """Close after the answer."""
        whole = self._reader.state in (State.WAITING, State.HEAD) and not self._reader.waiting
        self._let_go()
        closing = Closing(self.downstream, self._gateway, self._transport)
        if whole:
            closing.close()
        else:
            closing.linger()

    def _let_go(self) -> bytes:
        """End as a channel: the connection is another's from here on. Return what was received and not parsed."""
        self._closing = True
        self._patience.end()
        self.flush()
        self._transport.unregisterProducer()
        self._gateway.channel_ended(self)
        return self._reader.stop()


# Behind the class, not as its decorator: mypyc makes a decorated class a plain Python one, several times as slow.
classImplements(HTTP1Channel, IProtocol, IPushProducer)
