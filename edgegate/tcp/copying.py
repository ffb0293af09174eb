"""
TCP between a client and a backend where a side's bytes pass through us: where TLS ends here.
"""

from __future__ import annotations

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from edgegate.errors import INTERNAL, STREAM_IDLE, Fault
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.containment import contained
from edgegate.net.stream import Stream
from edgegate.net.wheel import Deadline
from edgegate.observe.events import RelayEnd
from edgegate.tcp.dial import Reached
from edgegate.tcp.gateway import TCPGateway
from edgegate.tcp.opening import Opening
from edgegate.tcp.state import Action, FinishWriting, RelayState, Side
from edgegate.tcp.stream_pair import CLOSE_TIMEOUT, StreamPair, perform


@implementer(IHalfCloseableProtocol)
class RelayProtocol(Protocol):
    """
    A client's connection until its backend is connected. Its transport is a L{Stream}, with TLS or without.

    The client is not read before that; afterwards a L{StreamPair} has both
    connections. Without a route or a backend the client's is closed.
    """

    transport: Stream

    def __init__(
        self,
        downstream: ConnectionInfo,
        gateway: TCPGateway,
        origin: object | None = None,
        connected: Reached | None = None,
    ) -> None:
        """
        @param origin: Of the route, if it was chosen already.
        @param connected: The backend, if it is connected already.
        """
        self.downstream = downstream
        self.end = RelayEnd(downstream, origin=origin)
        self._connected_before = connected
        self._gateway = gateway
        self._state = RelayState()
        self._opening = Opening(gateway, downstream, self.end, self._connected, self._unconnected)
        self._deadline = Deadline(gateway.wheel, self._expired)
        self._reached: Reached | None = None
        self._pair: StreamPair | None = None
        self._over = False
        if connected is None:
            # else it began as a relay of sockets
            gateway.observer.relay_began(downstream)

    @contained
    def connectionMade(self) -> None:
        """Find out where it goes, and connect."""
        self._gateway.relays.add(self)
        self.transport.pauseProducing()
        if self._connected_before is not None:
            self._connected(self._connected_before)
            return
        self._opening.open()

    @contained
    def abort(self) -> None:
        """Reset both connections."""
        if self._pair is not None:
            self._pair.abort()
        else:
            self._perform(self._state.abort(None))

    def moved(self) -> tuple[int, int]:
        """See L{edgegate.tcp.gateway.Relay.moved}."""
        return (self.end.received, self.end.sent) if self._pair is None else self._pair.moved

    def broke(self) -> None:
        """An error of ours was raised on the way to a backend, or in beginning to copy: reset both connections."""
        if self._pair is not None:
            self._pair.broke()
        elif not self.transport.disconnected:
            self._perform(self._state.abort(INTERNAL))
        else:
            self._ended(INTERNAL, 0, 0)

    @contained
    def readConnectionLost(self) -> None:
        """The client ended its stream."""
        self._perform(self._state.read_finished(Side.DOWNSTREAM))

    def writeConnectionLost(self) -> None:
        """Nothing is written to a client before its backend is connected."""

    @contained
    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The client is gone."""
        cleanly = reason.check(ConnectionDone) is not None
        try:
            self._perform(self._state.connection_lost(Side.DOWNSTREAM, cleanly))
        finally:
            self._deadline.end()
            self._ended(self._state.fault, 0, 0)

    def _connected(self, reached: Reached) -> None:
        self._reached = reached
        reached.begin(self.end)
        gateway = self._gateway
        self._deadline.end()
        idle = gateway.idle_timeout_of(reached)
        self._pair = StreamPair(gateway.wheel, self.transport, reached.stream, idle, self._ended, self._state)
        self._pair.start()

    @contained
    def _unconnected(self, fault: Fault) -> None:
        if self._pair is None:
            self._perform(self._state.connect_failed(fault))
        else:
            # an error of ours was raised when it was there already
            self._pair.broke()

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            if action.side is Side.DOWNSTREAM:
                perform(action, self.transport)
            elif not isinstance(action, FinishWriting):
                # there will be no upstream; an end of the client's is passed on later
                self._opening.cancel()
                self._state.connection_lost(Side.UPSTREAM, True)
        if actions and self._state.closing:
            self._deadline.start(min(CLOSE_TIMEOUT, self._gateway.idle_timeout))

    @contained
    def _expired(self) -> None:
        self._perform(self._state.abort(STREAM_IDLE))

    def _ended(self, fault: Fault | None, received: int, sent: int) -> None:
        gateway, end = self._gateway, self.end
        if self._over:
            return
        self._over = True
        self._opening.cancel()
        reached, self._reached, self._pair = self._reached, None, None
        try:
            if reached is not None:
                reached.end()
        finally:
            gateway.relays.discard(self)
            end.fault, end.received, end.sent = fault, received, sent
            gateway.observer.relay_ended(end)
