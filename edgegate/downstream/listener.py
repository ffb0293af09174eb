# Hot path: every new connection comes here.
"""One open port: connections are taken, counted, told apart and handed on."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from twisted.internet.interfaces import IDelayedCall, IReactorFDSet

from edgegate.downstream.address_lists import AddressLists
from edgegate.downstream.dispatch import Dispatch
from edgegate.downstream.listener_filter import ListenerFilter, ListenerFilterCallbacks, Serving
from edgegate.downstream.proxy_protocol import ProxyProtocolReader, ProxyProtocolRules
from edgegate.downstream.tls_inspector import PATIENCE, TLSInspector
from edgegate.http.interfaces import Served
from edgegate.model.addresses import Address
from edgegate.net.accepted_socket import AcceptedSocket
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.listening import ListeningPort, Turn
from edgegate.net.socket_source import SocketSource
from edgegate.net.stream import Stream
from edgegate.net.tls_stream import TLSStream
from edgegate.net.wheel import TimerWheel
from edgegate.observe.events import RejectedConnection
from edgegate.observe.metrics.meters import ListenerMeter, Meters
from edgegate.observe.observers import Observers
from edgegate.overload.connections import ConnectionCounts, client_of
from edgegate.overload.limits import HANDSHAKES as MOST_HANDSHAKES
from edgegate.routing.snapshot import FilterChain, Listener
from edgegate.tls.acme.hello_challenges import HelloChallenges
from edgegate.tls.context_seeker import ContextSeeker

HANDSHAKES = 0.2
"""Seconds that a port which is withdrawn stays open for the handshakes of TCP that have begun: a long way there and
back."""


TAKEN, OVERFLOWS, HANDSHAKES_DONE = 0, 1, 2
"""Numbers of L{edgegate.observe.metrics.families.LISTENERS}."""

NO_SERVER = "no server any more"
"""What the log says of a connection whose server a reload has taken out, or given other rules of TLS."""


class DownstreamListener(ListenerFilterCallbacks):
    """
    A listener of the Snapshot in force, on a port that is bound once L{bind} was called.

    @ivar proxy_protocol: On which ports connections begin with a PROXY header.
    @ivar counts: Of connections: tells whether one more may be taken.
    @ivar handshakes: How many may shake hands at one time.
    @ivar shaking: The pending connections that shake hands, the oldest first.
    @ivar taken: How many of its connections are open.
    @ivar leaving: Whether the port is closed, or will be soon: the connections that are left end with their next
        answer.
    """

    def __init__(
        self,
        reactor: IReactorFDSet,
        wheel: TimerWheel,
        serving: Serving,
        dispatch: Dispatch,
        observer: Observers,
        counts: ConnectionCounts,
        proxy_protocol: ProxyProtocolRules = ProxyProtocolRules(),  # noqa: B008 (frozen)
        source: SocketSource | None = None,
        turn: Turn | None = None,
        handshakes: int = MOST_HANDSHAKES,
        meters: Meters | None = None,
        address_lists: AddressLists | None = None,
        challenges: HelloChallenges | None = None,
        seeker: ContextSeeker | None = None,
    ) -> None:
        """
        @param source: Where its listening socket may come from, in place of binding one.
        @param turn: See L{ListeningPort}.
        @param meters: Have what counts for the port, whichever listener it has.
        """
        self.reactor = reactor
        self.wheel = wheel
        self.serving = serving
        self.dispatch = dispatch
        self.observer = observer
        self.counts = counts
        self.handshakes = handshakes
        self.taken = 0
        self.proxy_protocol = proxy_protocol
        self.pending = set()
        self.address_lists = AddressLists() if address_lists is None else address_lists
        self.challenges = challenges
        self.seeker = seeker
        self.shaking: dict[ListenerFilter, None] = {}
        self.leaving = False
        self._closing: IDelayedCall | None = None
        self._closed = self._connection_closed
        bind, number = serving.listener.bind, serving.listener.port
        self.meter = ListenerMeter(Meters() if meters is None else meters, counted_as(bind))
        self._port = ListeningPort(
            reactor, wheel, bind, self.accepted, source, turn, self._may_accept, self._exhausted, number
        )

    @property
    def local(self) -> Address:
        """The address that is bound."""
        return self._port.local

    def fileno(self) -> int:
        """Return the descriptor of the listening socket, or -1 once it is closed."""
        return self._port.fileno()

    def bind(self) -> None:
        """
        Bind the port. Connections wait until L{accept}.

        @raise CannotListenError: It cannot be bound.
        """
        self._port.bind()

    def accept(self) -> None:
        """Take connections."""
        self._port.resumeAccepting()

    def withdraw(self) -> None:
        """
        Offer the port no more: who has connected already is taken and served, with one answer; the port is closed a
        little later.
        """
        self.leaving = True
        if self._port.open and self._closing is None:
            self._port.withdraw()
            self._closing = self.wheel.clock.callLater(HANDSHAKES, self._close)

    def take_waiting(self) -> None:
        """Take the connections that wait in the kernel's backlog."""
        self._port.takeWaiting()

    def leave(self) -> None:
        """Take no more connections, and leave the port to the other processes that serve it; see L{withdraw}."""
        self.leaving = True
        self._port.leave()

    @property
    def open(self) -> bool:
        """Whether connections may still come."""
        return self._port.open

    def close(self) -> None:
        """Take no more connections than those that wait already; those that were taken go on."""
        closing, self._closing = self._closing, None
        if closing is not None:
            closing.cancel()
        self._port.withdraw()
        self._port.stopListening()
        self.counts.forget(self)

    def _close(self) -> None:
        self._closing = None
        self.close()

    def abort(self) -> None:
        """Close what is not told apart yet."""
        for each in tuple(self.pending):
            each.abort()

    def resume(self) -> None:
        """There may be room: accept again."""
        self._port.resumeAccepting()

    def _may_accept(self, waits: bool) -> bool:
        """Whether one more may be accepted; if not, and one waits, accepting goes on when there is room."""
        return self.counts.has_room(self) if waits else not self.counts.full(self)

    def _exhausted(self) -> None:
        """No descriptor is left: what lies idle has some."""
        self.counts.make_room()
        self.counts.wait(self)

    def shakes_hands(self, pending: ListenerFilter) -> None:
        """See L{ListenerFilterCallbacks.shakes_hands}."""
        shaking = self.shaking
        if len(shaking) >= self.handshakes:
            self.counts.crowded_out += 1
            next(iter(shaking)).give_way()
        shaking[pending] = None

    def settled(self, pending: ListenerFilter) -> None:
        """See L{ListenerFilterCallbacks.settled}."""
        self.pending.discard(pending)
        self.shaking.pop(pending, None)

    def _connection_closed(self, sock: AcceptedSocket) -> None:
        self.counts.release(self, sock.counts)

    def accepted(self, sock: AcceptedSocket, peer: Address, local: Address) -> None:
        """A client has connected; the socket is ours."""
        if self.counts.full(self):
            # the port is closing, so nobody could wait for room
            self.observer.connection_refused()
            self.meter.count(OVERFLOWS)
            sock.close()
            return
        self.counts.take(self)
        sock.closed = self._closed
        self.observer.connection_taken()
        self.meter.count(TAKEN)
        # how long it lies idle counts from now, not from the wheel's last turn
        wheel = self.wheel
        wheel.look()
        optional = self.proxy_protocol.ports.get(self.listener.port)
        if optional is None:
            self.introduced(sock, peer, local, wheel.now)
        elif self.proxy_protocol.believed(peer):
            reader = ProxyProtocolReader(self, sock, peer, local, optional)
            self.pending.add(reader)
            reader.start(PATIENCE)
        elif optional:
            self.introduced(sock, peer, local, wheel.now)
        else:
            sock.close()
            self.observer.connection_rejected(
                RejectedConnection(peer, local, "not of a network that may introduce clients")
            )

    def introduced(self, sock: AcceptedSocket, peer: Address, local: Address, since: float) -> None:
        """See L{ListenerFilterCallbacks.introduced}."""
        listener = self.listener
        if listener.first:
            refusal = self.address_lists.refusal(listener.first, peer)
            if refusal:
                sock.close()
                self.observer.connection_rejected(RejectedConnection(peer, local, refusal))
                return
        counts = self.counts.introduce(client_of(peer))
        if counts is None:
            self.observer.connection_refused()
            self.meter.count(OVERFLOWS)
            sock.close()
            return
        sock.counts = counts
        if len(listener.secure):
            inspector = TLSInspector(self, sock, peer, local, since)
            self.pending.add(inspector)
            inspector.start()
        elif listener.plain is None:
            # its last server has gone meanwhile
            sock.close()
            self.observer.connection_rejected(RejectedConnection(peer, local, NO_SERVER))
        else:
            self.serve_socket(listener.plain, sock, peer, local)

    def serve_socket(
        self,
        chain: FilterChain,
        sock: AcceptedSocket,
        peer: Address,
        local: Address,
        server_name: str = "",
        ssl_request: bool = False,
    ) -> None:
        """See L{ListenerFilterCallbacks.serve_socket}."""
        downstream = ConnectionInfo(
            self.listener,
            chain,
            peer,
            local,
            server_name,
            ssl_request=ssl_request,
            entry=self,
            counts=sock.counts,
            meter=self.meter,
            introducer=sock.introducer,
        )
        if chain.http is None:
            self.dispatch.relay_socket(downstream, sock)
        else:
            self._start(Stream(self.reactor, sock, local, peer), downstream)

    def serve_stream(self, stream: TLSStream, downstream: ConnectionInfo) -> None:
        """See L{ListenerFilterCallbacks.serve_stream}; its server may have gone meanwhile."""
        self.meter.count(HANDSHAKES_DONE)
        current = self.current(downstream)
        if current is None:
            stream.abandon()
            self.observer.connection_rejected(
                RejectedConnection(
                    downstream.peer, downstream.local, NO_SERVER, downstream.server_name, since=downstream.since
                )
            )
        else:
            self._start(stream, current)

    def current(self, downstream: ConnectionInfo) -> ConnectionInfo | None:
        """
        Return a connection as it is to be served from now on; L{None} where it can't go on: its server or the rules of
        its TLS are gone.

        A relay keeps the route that it began with.
        """
        if downstream.listener is self.listener or downstream.chain.http is None:
            return downstream
        return successor(downstream, self.listener)

    def _start(self, stream: Stream, downstream: ConnectionInfo) -> None:
        try:
            protocol = self.dispatch.buildProtocol(downstream)
            stream.start(protocol)
        except BaseException:
            # nobody owns it
            stream.abortConnection()
            raise
        if downstream.chain.http is not None:
            self.meter.count_http()
            if self.leaving:
                cast(Served, protocol).retire()


def counted_as(bind: Address) -> str:
    """Return what metrics call a port, as Envoy does: C{0.0.0.0_8080}, C{[__]_8080}."""
    return str(bind).replace(":", "_")


def successor(downstream: ConnectionInfo, listener: Listener) -> ConnectionInfo | None:
    """
    Return a connection of HTTP as one of a newer listener; L{None} where a new connection would be on other terms.

    The certificate may be another: it was fit for the client when it was shown.
    """
    if not downstream.tls:
        chain = listener.plain
        same = chain is not None and chain.http is not None
    else:
        chain = listener.secure.lookup(downstream.server_name)
        before = downstream.chain.tls
        same = (
            chain is not None
            and chain.http is not None
            and chain.tls is not None
            and before is not None
            and chain.tls.rules == before.rules
        )
    return replace(downstream, listener=listener, chain=chain) if same and chain is not None else None
