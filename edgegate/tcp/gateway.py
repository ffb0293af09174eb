"""What all relays share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Protocol

from twisted.internet.interfaces import IReactorFDSet

from edgegate.access.state import GuardStates
from edgegate.errors import Fault
from edgegate.model.addresses import Address
from edgegate.model.guards.guard import Guard, Guards
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.connecting import Connecting, connect
from edgegate.net.connection_options import ConnectionOptions
from edgegate.net.stream import Stream
from edgegate.net.wheel import TimerWheel
from edgegate.observe.events import RelayEnd
from edgegate.observe.metrics.connection_metrics import count_bytes
from edgegate.observe.observers import Observers
from edgegate.tcp.dial import Reached
from edgegate.tcp.guards.interfaces import ConnectionEnvironment, ConnectionFilter, Decided
from edgegate.tcp.guards.iteration import ConnectionIteration
from edgegate.tcp.guards.registry import CONNECTION_GUARDS, MakeFilter, filters_of
from edgegate.upstream.registry import ClusterRegistry

IDLE_TIMEOUT = 3600.0
"""Seconds without a byte either way after which a relay ends (Envoy's C{TcpProxy.idle_timeout})."""


class Relay(Protocol):
    """
    A client's connection that is being relayed, or for which a backend is being connected.

    @ivar downstream: The connection.
    @ivar end: What is known so far of how it ends.
    """

    downstream: ConnectionInfo
    end: RelayEnd

    def abort(self) -> None:
        """Reset both connections."""

    def moved(self) -> tuple[int, int]:
        """Return how many bytes were carried so far: from the client, and to it."""


class TCPGateway:
    """
    What all relays share: where they connect, whom they tell, and the list of those that are under way.

    @ivar idle_timeout: In seconds.
    @ivar relays: Those under way. A drain waits until there are none.
    """

    def __init__(
        self,
        reactor: IReactorFDSet,
        wheel: TimerWheel,
        clusters: ClusterRegistry,
        observer: Observers,
        idle_timeout: float = IDLE_TIMEOUT,
        access: GuardStates | None = None,
        guards: Mapping[type[Guard], MakeFilter] = CONNECTION_GUARDS,
    ) -> None:
        """
        @param access: What guards keep, those of requests as well.
        @param guards: What makes the filters of those guards that act on connections.
        """
        self.reactor = reactor
        self.wheel = wheel
        self.clusters = clusters
        self.observer = observer
        self.idle_timeout = idle_timeout
        self.relays: set[Relay] = set()
        self._environment = ConnectionEnvironment(GuardStates() if access is None else access, clusters, wheel)
        self._kinds = guards
        # guards are known by the identity of their tuple, which is its own as long as it is kept here
        self._filters: dict[int, tuple[Guards, tuple[ConnectionFilter, ...]]] = {}

    def guarded(self, downstream: ConnectionInfo, decided: Decided) -> ConnectionIteration:
        """Return what has the guards of a connection's chain look at it, once it is started."""
        guards = downstream.chain.guards
        found = self._filters.get(id(guards))
        if found is None:
            found = self._filters[id(guards)] = guards, filters_of(guards, self._environment, self._kinds)
        return ConnectionIteration(found[1], downstream, decided)

    def forget_guards(self) -> None:
        """The files have changed: make the filters of guards anew, when a connection meets them."""
        self._filters.clear()

    def connect(
        self,
        address: Address,
        timeout: float,
        connected: Callable[[Stream], None],
        failed: Callable[[Fault], None],
        options: ConnectionOptions | None = None,
    ) -> Connecting:
        """Begin to connect to a backend, as L{edgegate.net.connecting.connect}."""
        return connect(self.reactor, self.wheel, address, timeout, connected, failed, options)

    def idle_timeout_of(self, reached: Reached) -> float:
        """Return the seconds without a byte after which a relay ends: the cluster's word counts, and its 0 is never."""
        if reached.idle_timeout is None:
            return self.idle_timeout
        return reached.idle_timeout or inf

    def count_all(self) -> None:
        """Count for metrics what the relays that are under way have carried so far."""
        for relay in self.relays:
            count_bytes(relay.end, *relay.moved())

    def abort_all(self) -> None:
        """Reset every connection that is relayed: the end of a drain."""
        for relay in tuple(self.relays):
            relay.abort()
