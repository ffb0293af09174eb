# Hot path: once per piece of a stream that is copied.
"""
TCP between a client and a backend where a side's bytes pass through us: where TLS ends here.

Each side is the other's producer: one that takes nothing stops the reading of
the other, so that at most a stream's write buffer is held each way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from edgegate.errors import NO_ROUTE, STREAM_IDLE, Fault
from edgegate.net.addresses import Downstream
from edgegate.net.stream import Stream
from edgegate.net.wheel import Deadline
from edgegate.observe.events import RelayEnd
from edgegate.tcp.dial import Dial
from edgegate.tcp.routes import route_of
from edgegate.tcp.state import Abort, Action, FinishWriting, RelayState, Side
from edgegate.upstream.registry import EndpointState

if TYPE_CHECKING:
    from edgegate.tcp.relay import TCPGateway

CLOSE_TIMEOUT = 60.0
"""Seconds that sides which were told to close may take for what is still queued for them."""


@implementer(IHalfCloseableProtocol)
class RelayProtocol(Protocol):
    """
    A client's connection that is copied to a backend and back. Its transport is a L{Stream}, with TLS or without.

    The client is not read before the backend is connected. Without a route or
    a backend its connection is closed. Where a side is cut off (a reset, TLS
    without C{close_notify}) the other is reset too, never ended in good order.
    """

    transport: Stream

    def __init__(
        self,
        downstream: Downstream,
        gateway: TCPGateway,
        origin: object | None = None,
        connected: tuple[Stream, EndpointState] | None = None,
    ) -> None:
        """
        @param origin: Of the route, if it was chosen already.
        @param connected: The backend, if it is connected already.
        """
        self.downstream = downstream
        self._end = RelayEnd(downstream, origin=origin)
        self._connected_before = connected
        self._gateway = gateway
        self._state = RelayState()
        self._dial = Dial(gateway.connect, self._connected, self._unconnected, downstream)
        self._deadline = Deadline(gateway.wheel, self._expired)
        self._endpoint: EndpointState | None = None
        self._upstream: Stream | None = None

    def connectionMade(self) -> None:
        """Choose a route and connect."""
        self._gateway.relays.add(self)
        self.transport.pauseProducing()
        if self._connected_before is not None:
            self._connected(*self._connected_before)
            return
        route = route_of(self.downstream)
        if route is None:
            self._unconnected(NO_ROUTE)
        else:
            self._end.origin = route.origin
            self._dial.start(self._gateway.clusters, route.destinations)

    def abort(self) -> None:
        """Reset both connections."""
        self._perform(self._state.abort(None))

    def dataReceived(self, data: bytes) -> None:
        """Copy to the backend."""
        upstream = self._upstream
        if upstream is not None:
            self._end.received += len(data)
            self._deadline.start(self._gateway.idle_timeout)
            upstream.write(data)

    def upstream_received(self, data: bytes) -> None:
        """Copy to the client."""
        self._end.sent += len(data)
        self._deadline.start(self._gateway.idle_timeout)
        self.transport.write(data)

    def readConnectionLost(self) -> None:
        """The client ended its stream."""
        self._perform(self._state.read_finished(Side.DOWNSTREAM))

    def writeConnectionLost(self) -> None:
        """The client was told that the backend ended its stream."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The client is gone."""
        self.side_lost(Side.DOWNSTREAM, reason)

    def upstream_finished(self) -> None:
        """The backend ended its stream."""
        self._perform(self._state.read_finished(Side.UPSTREAM))

    def side_lost(self, side: Side, reason: Failure) -> None:
        """A connection is no more."""
        cleanly = reason.check(ConnectionDone) is not None
        self._perform(self._state.connection_lost(side, cleanly))
        if self._state.ended:
            self._finish()

    def _connected(self, stream: Stream, endpoint: EndpointState) -> None:
        endpoint.active += 1
        self._endpoint = endpoint
        end = self._end
        end.cluster, end.upstream, end.upstream_local = endpoint.cluster, endpoint.address, stream.local
        self._upstream = stream
        self._deadline.start(self._gateway.idle_timeout)
        stream.start(_UpstreamProtocol(self))
        downstream = self.transport
        downstream.registerProducer(stream, True)
        stream.registerProducer(downstream, True)
        downstream.resumeProducing()
        if Side.DOWNSTREAM in self._state.finished:
            self._perform([FinishWriting(Side.UPSTREAM)])

    def _unconnected(self, fault: Fault) -> None:
        self._perform(self._state.connect_failed(fault))

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            stream = self.transport if action.side is Side.DOWNSTREAM else self._upstream
            if stream is None:
                self._perform_unconnected(action)
            elif isinstance(action, Abort):
                stream.abortConnection()
            else:
                # its producer has said all
                stream.unregisterProducer()
                if isinstance(action, FinishWriting):
                    stream.loseWriteConnection()
                else:
                    stream.loseConnection()
        if actions and self._state.closing:
            self._deadline.start(min(CLOSE_TIMEOUT, self._gateway.idle_timeout))

    def _perform_unconnected(self, action: Action) -> None:
        """Act upon an upstream that is not there yet: an end is passed on later, anything else means never."""
        if not isinstance(action, FinishWriting):
            self._dial.cancel()
            self._state.connection_lost(action.side, True)

    def _expired(self) -> None:
        self._perform(self._state.abort(STREAM_IDLE))

    def _finish(self) -> None:
        self._deadline.end()
        endpoint = self._endpoint
        if endpoint is not None:
            endpoint.active -= 1
        gateway = self._gateway
        gateway.relays.discard(self)
        self._upstream = None
        self._end.fault = self._state.fault
        gateway.observer.relay_ended(self._end)


@implementer(IHalfCloseableProtocol)
class _UpstreamProtocol(Protocol):
    """A backend's connection; everything is its relay's to decide."""

    def __init__(self, relay: RelayProtocol) -> None:
        self._relay = relay
        self.dataReceived = relay.upstream_received  # type: ignore[method-assign]

    def readConnectionLost(self) -> None:
        self._relay.upstream_finished()

    def writeConnectionLost(self) -> None:
        pass

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._relay.side_lost(Side.UPSTREAM, reason)
