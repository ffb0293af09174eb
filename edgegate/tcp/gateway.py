"""What all relays share."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Protocol

from twisted.internet.interfaces import IReactorFDSet

from edgegate.errors import Fault
from edgegate.model.addresses import Address
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.connecting import Connecting, connect
from edgegate.net.connection_options import ConnectionOptions
from edgegate.net.stream import Stream
from edgegate.net.wheel import TimerWheel
from edgegate.observe.events import RelayEnd
from edgegate.observe.metrics.connection_metrics import count_bytes
from edgegate.observe.observers import Observers
from edgegate.tcp.dial import Reached
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
    ) -> None:
        self.reactor = reactor
        self.wheel = wheel
        self.clusters = clusters
        self.observer = observer
        self.idle_timeout = idle_timeout
        self.relays: set[Relay] = set()

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
