"""
One question to one name server: by UDP, and by TCP where the answer is cut off (RFC 1035 section 4.2, RFC 7766).

The protocols are Twisted's. Each question has a socket of its own, connected to
the server, so that the kernel chooses a port at random, passes on nothing that
others send, and tells at once where no server is. An answer must repeat number
and question (RFC 5452).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IConnector, IReactorTCP, IReactorUDP
from twisted.internet.protocol import ClientFactory
from twisted.names import dns
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
    """
    A question under way. It ends once: with an answer, by its deadline, or when it is cancelled.

    It is what Twisted's protocols call their controller: they tell it of all messages, as they know of no question.
    """

    __slots__ = ("_close", "_deadline", "_done", "_over", "_protocol", "_question", "_reactor", "_server")

    def __init__(self, reactor: DNSReactor, wheel: TimerWheel, server: TCPAddress, query: dns.Query) -> None:
        self._reactor = reactor
        self._server = server
        self._question = dns.Message(dns.randomSource(), recDes=1)
        self._question.queries = [query]
        self._deadline = Deadline(wheel, self.failed)
        self._done: Deferred[dns.Message] = Deferred(lambda _: self._end())
        self._protocol: dns.DNSMixin | None = None
        self._close: Callable[[], object] = _nothing
        self._over = False

    def begin(self, timeout: float) -> Deferred[dns.Message]:
        """Send the question."""
        done, (host, port) = self._done, (self._server.host, self._server.port)
        self._deadline.start(timeout)
        self._protocol = datagrams = _Datagrams(self, self._reactor)  # type: ignore[no-untyped-call]
        try:
            self._close = self._reactor.listenUDP(0, datagrams, "::" if ":" in host else "", 65535).stopListening
            datagrams.transport.connect(host, port)
            datagrams.writeMessage(self._question, (host, port))
        except (OSError, CannotListenError):
            # no route, no descriptor; a refusal may have ended it already
            self.failed()
        return done

    def failed(self) -> None:
        """There will be no answer."""
        if not self._over:
            self._end()
            self._done.errback(NoAnswer(str(self._server)))

    def connectionMade(self, protocol: dns.DNSProtocol) -> None:
        """The server is reached by TCP."""
        self._protocol = protocol
        protocol.writeMessage(self._question)

    def connectionLost(self, protocol: dns.DNSMixin) -> None:
        """It is not any more, or nobody is there to take datagrams."""
        if protocol is self._protocol:
            self.failed()

    def messageReceived(self, message: dns.Message, protocol: dns.DNSMixin, address: object = None) -> None:
        """
        Take a message of the server; one that is no answer to this question is passed over.

        @param address: Where a datagram came from.
        """
        question = self._question
        if protocol is not self._protocol or not message.answer:
            return
        if message.id != question.id or message.queries != question.queries:
            return
        if message.trunc and address is not None:
            self._end_transport()
            by_tcp = _ByTCP(self, self._reactor)
            self._close = self._reactor.connectTCP(self._server.host, self._server.port, by_tcp).disconnect
        else:
            self._end()
            self._done.callback(message)

    def _end(self) -> None:
        # first: a connection that is broken off while it is made says at once that it failed
        self._over = True
        self._deadline.end()
        self._end_transport()

    def _end_transport(self) -> None:
        self._protocol = None
        close, self._close = self._close, _nothing
        close()


class _Datagrams(dns.DNSDatagramProtocol):
    noisy = False

    def connectionRefused(self) -> None:
        """Nobody listens there."""
        self.controller.connectionLost(self)

    def stopProtocol(self) -> None:
        """As above: the reactor of epoll ends the port then."""
        super().stopProtocol()
        self.controller.connectionLost(self)


class _ByTCP(ClientFactory):
    noisy = False

    def __init__(self, exchange: _Exchange, reactor: DNSReactor) -> None:
        self._exchange = exchange
        self._reactor = reactor

    def buildProtocol(self, addr: object) -> dns.DNSProtocol:
        """Return what asks."""
        return dns.DNSProtocol(self._exchange, self._reactor)

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """Nobody listens there, or it takes too long."""
        self._exchange.failed()


def _nothing() -> None:
    """Nothing is open."""
