"""
One question to one name server: by UDP, and by TCP where the answer is cut off (RFC 1035 section 4.2, RFC 7766).

Each question has a socket of its own, connected to the server, so that the
kernel chooses a port at random, passes on nothing that others send, and tells
at once where no server is. An answer must repeat number and question (RFC 5452).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IConnector,
    IListeningPort,
    IReactorTCP,
    IReactorUDP,
    ITCPTransport,
    IUDPTransport,
)
from twisted.internet.protocol import ClientFactory, DatagramProtocol
from twisted.names import dns
from twisted.protocols.basic import Int16StringReceiver
from twisted.python.failure import Failure

from edgegate.model.addresses import TCPAddress
from edgegate.net.wheel import Deadline, TimerWheel


class DNSReactor(IReactorUDP, IReactorTCP):
    """What asking needs of a reactor."""


class NoAnswer(Exception):
    """A server did not answer in time, can't be reached, or broke the connection off."""


class Ask(Protocol):
    """Asks one server."""

    def __call__(self, server: TCPAddress, name: str, kind: int, timeout: float) -> Deferred[dns.Message]:
        """
        Ask for the records of a name.

        @param kind: C{dns.A} or C{dns.AAAA}.
        @param timeout: Seconds, by UDP and TCP together.
        @return: Fails with L{NoAnswer}. May be cancelled.
        """


class DNSExchanges:
    """An L{Ask} over the network."""

    __slots__ = ("_reactor", "_wheel")

    def __init__(self, reactor: DNSReactor, wheel: TimerWheel) -> None:
        self._reactor = reactor
        self._wheel = wheel

    def __call__(self, server: TCPAddress, name: str, kind: int, timeout: float) -> Deferred[dns.Message]:
        """As L{Ask} says."""
        return _Exchange(self._reactor, self._wheel, server, dns.Query(name, kind, dns.IN)).begin(timeout)


class _Exchange:
    """A question under way. It ends once: with an answer, by its deadline, or when it is cancelled."""

    __slots__ = ("_close", "_deadline", "_done", "_id", "_over", "_query", "_reactor", "_server")

    def __init__(self, reactor: DNSReactor, wheel: TimerWheel, server: TCPAddress, query: dns.Query) -> None:
        self._reactor = reactor
        self._server = server
        self._query = query
        self._id = dns.randomSource()
        self._deadline = Deadline(wheel, self.failed)
        self._done: Deferred[dns.Message] = Deferred(lambda _: self._end())
        self._close: Callable[[], object] | None = None
        self._over = False

    def begin(self, timeout: float) -> Deferred[dns.Message]:
        """Send the question."""
        done = self._done
        self._deadline.start(timeout)
        interface = "::" if ":" in self._server.host else ""
        try:
            datagrams = _Datagrams(self)
            self._close = partial(datagrams.close, self._reactor.listenUDP(0, datagrams, interface, 65535))
            datagrams.transport.connect(self._server.host, self._server.port)
            datagrams.transport.write(self.question())  # type: ignore[call-arg]
        except (OSError, CannotListenError):
            # no route, no descriptor; a refusal may have ended it already
            self.failed()
        return done

    def question(self) -> bytes:
        """Return the message that asks."""
        message = dns.Message(self._id, recDes=1)
        message.queries = [self._query]
        return bytes(message.toStr())

    def received(self, data: bytes, by_tcp: bool) -> None:
        """Take a message of the server; one that is no answer to this question is passed over."""
        message = dns.Message()
        try:
            message.fromStr(data)
        except Exception:
            # whatever is wrong with it, it is no answer, and the one that is may still come
            return
        if message.id != self._id or not message.answer or message.queries != [self._query]:
            return
        if message.trunc and not by_tcp:
            self._ask_by_tcp()
        elif not self._over:
            self._end()
            self._done.callback(message)

    def failed(self) -> None:
        """There will be no answer."""
        if not self._over:
            self._end()
            self._done.errback(NoAnswer(str(self._server)))

    def _ask_by_tcp(self) -> None:
        self._end_transport()
        server = self._server
        self._close = self._reactor.connectTCP(server.host, server.port, _ByTCP(self)).disconnect

    def _end(self) -> None:
        # first: a connection that is broken off while it is made says at once that it failed
        self._over = True
        self._deadline.end()
        self._end_transport()

    def _end_transport(self) -> None:
        close, self._close = self._close, None
        if close is not None:
            close()


class _Datagrams(DatagramProtocol):
    transport: IUDPTransport
    noisy = False

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange: _Exchange | None = exchange

    def close(self, port: IListeningPort) -> None:
        """Close the socket; the exchange goes on without."""
        self._exchange = None
        port.stopListening()

    def datagramReceived(self, datagram: bytes, addr: object) -> None:
        """An answer, or something else."""
        if self._exchange is not None:
            self._exchange.received(datagram, by_tcp=False)

    def connectionRefused(self) -> None:
        """Nobody listens there."""
        if self._exchange is not None:
            self._exchange.failed()

    def stopProtocol(self) -> None:
        """As above: the reactor of epoll ends the port then."""
        self.connectionRefused()


class _ByTCP(ClientFactory):
    noisy = False

    def __init__(self, exchange: _Exchange) -> None:
        self.exchange = exchange

    def buildProtocol(self, addr: object) -> _Connection:
        """Return what asks."""
        return _Connection(self.exchange)

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """Nobody listens there, or it takes too long."""
        self.exchange.failed()

    def clientConnectionLost(self, connector: IConnector, reason: Failure) -> None:
        """It ended, mostly because it was told to."""
        self.exchange.failed()


class _Connection(Int16StringReceiver):
    transport: ITCPTransport

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    def connectionMade(self) -> None:
        """Ask."""
        self.sendString(self._exchange.question())  # type: ignore[no-untyped-call]

    def stringReceived(self, string: bytes) -> None:
        """An answer, or something else."""
        self._exchange.received(string, by_tcp=True)
