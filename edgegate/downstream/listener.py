"""One open port: connections are taken, counted, told apart and handed on."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorFDSet

from edgegate.downstream.arrival import Arrival
from edgegate.downstream.dispatch import Dispatch
from edgegate.net.addresses import Downstream
from edgegate.net.listening import ListeningPort
from edgegate.net.sockets import Socket
from edgegate.net.stream import Stream
from edgegate.net.wheel import TimerWheel
from edgegate.observe.events import Observer
from edgegate.routing.snapshot import Address, FilterChain, Listener
from edgegate.tls.sni import ContextMap


class DownstreamListener:
    """
    A listener of the Snapshot, on a port that is open once L{open} was called.

    A connection keeps the filter chain that it was given.

    @ivar listener: What the files say of it.
    @ivar contexts: The OpenSSL contexts of its servers, by SNI name.
    @ivar arrivals: Connections that are not told apart yet.
    @ivar has_room: Tells whether one more connection may be taken.
    """

    def __init__(
        self,
        reactor: IReactorFDSet,
        wheel: TimerWheel,
        listener: Listener,
        contexts: ContextMap,
        dispatch: Dispatch,
        observer: Observer,
        has_room: Callable[[], bool],
    ) -> None:
        self.reactor = reactor
        self.wheel = wheel
        self.listener = listener
        self.contexts = contexts
        self.dispatch = dispatch
        self.observer = observer
        self.has_room = has_room
        self.arrivals: set[Arrival] = set()
        self.speaks_https = any(chain.http is not None for _, chain in listener.secure.items())
        self._port = ListeningPort(reactor, wheel, listener.bind, self.accepted)

    @property
    def plain(self) -> FilterChain | None:
        """What serves connections that do not begin with TLS."""
        return self.listener.plain

    @property
    def local(self) -> Address:
        """The address that is bound."""
        return self._port.local

    def open(self) -> None:
        """
        Bind the port and take connections.

        @raise CannotListenError: It cannot be bound.
        """
        self._port.startListening()

    def close(self) -> None:
        """Take no more connections; those that were taken go on."""
        self._port.stopListening()

    def abort(self) -> None:
        """Close what is not told apart yet."""
        for arrival in tuple(self.arrivals):
            arrival.abort()

    def accepted(self, sock: Socket, peer: Address, local: Address) -> None:
        """A client has connected; the socket is ours."""
        if not self.has_room():
            self.observer.connection_refused()
            sock.close()
            return
        self.observer.connection_taken()
        if len(self.listener.secure):
            arrival = Arrival(self, sock, peer, local)
            self.arrivals.add(arrival)
            arrival.start()
        else:
            chain = self.listener.plain
            assert chain is not None
            self.serve_plain(chain, sock, peer, local)

    def serve_plain(
        self, chain: FilterChain, sock: Socket, peer: Address, local: Address, server_name: str = ""
    ) -> None:
        """Hand on a connection whose TLS, if it speaks any, does not end here."""
        downstream = Downstream(self.listener, chain, peer, local, server_name)
        if chain.http is None:
            self.dispatch.tcp.relay_socket(downstream, sock)
        else:
            Stream(self.reactor, sock, local, peer).start(self.dispatch.buildProtocol(downstream))
