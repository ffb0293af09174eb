"""What all relays share: where they connect, whom they tell, and the list of those that are under way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IReactorFDSet

from edgegate.errors import Fault
from edgegate.net.connecting import Connecting, connect
from edgegate.net.stream import Stream
from edgegate.net.wheel import TimerWheel
from edgegate.observe.events import Observer
from edgegate.routing.snapshot import Address
from edgegate.upstream.registry import ClusterRegistry

IDLE_TIMEOUT = 3600.0
"""Seconds without a byte either way after which a relay ends (Envoy's C{TcpProxy.idle_timeout})."""


class Relay(Protocol):
    """A client's connection that is being relayed, or for which a backend is being connected."""

    def abort(self) -> None:
        """Reset both connections."""


class TCPGateway:
    """
    The reactor, wheel, clusters and observer of relays.

    @ivar idle_timeout: In seconds.
    @ivar relays: Those under way. A drain waits until there are none.
    """

    def __init__(
        self,
        reactor: IReactorFDSet,
        wheel: TimerWheel,
        clusters: ClusterRegistry,
        observer: Observer,
        idle_timeout: float = IDLE_TIMEOUT,
    ) -> None:
        self.reactor = reactor
        self.wheel = wheel
        self.clusters = clusters
        self.observer = observer
        self.idle_timeout = idle_timeout
        self.relays: set[Relay] = set()

    def connect(
        self, address: Address, timeout: float, connected: Callable[[Stream], None], failed: Callable[[Fault], None]
    ) -> Connecting:
        """Begin to connect to a backend, as L{edgegate.net.connecting.connect}."""
        return connect(self.reactor, self.wheel, address, timeout, connected, failed)

    def abort_all(self) -> None:
        """Reset every connection that is relayed: the end of a drain."""
        for relay in tuple(self.relays):
            relay.abort()
