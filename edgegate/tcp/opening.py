"""The way from a client's connection to its backend: past the guards of its chain, by its route."""

from __future__ import annotations

from collections.abc import Callable

from edgegate.errors import NO_ROUTE, Fault
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.containment import contained
from edgegate.observe.events import RelayEnd
from edgegate.tcp.dial import Dial, Reached
from edgegate.tcp.gateway import TCPGateway
from edgegate.tcp.guards.iteration import ConnectionIteration
from edgegate.tcp.routes import route_of


class Opening(Dial):
    """A L{Dial} that finds out first whether the connection may pass, and where it goes."""

    __slots__ = ("_end", "_gateway", "_guards")

    def __init__(
        self,
        gateway: TCPGateway,
        downstream: ConnectionInfo,
        end: RelayEnd,
        connected: Callable[[Reached], None],
        failed: Callable[[Fault], None],
    ) -> None:
        """
        @param end: Is told the route.
        """
        Dial.__init__(self, gateway.connect, connected, failed, downstream)
        self._gateway = gateway
        self._end = end
        self._guards: ConnectionIteration | None = None

    def open(self) -> None:
        """Begin; C{connected} or C{failed} may be called before this returns."""
        if self._downstream.chain.guards:
            self._guards = guards = self._gateway.guarded(self._downstream, self._judged)
            guards.start()
        else:
            self._choose()

    def cancel(self) -> None:
        """See L{Dial.cancel}."""
        guards, self._guards = self._guards, None
        if guards is not None:
            guards.cancel()
        Dial.cancel(self)

    @contained
    def _judged(self, fault: Fault | None) -> None:
        """The guards have let it pass, or refused it."""
        self._guards = None
        if fault is None:
            self._choose()
        else:
            self._fail(fault)

    def _choose(self) -> None:
        route = route_of(self._downstream)
        if route is None:
            self._fail(NO_ROUTE)
        else:
            self._end.origin = route.origin
            self.start(self._gateway.clusters, route.destinations)
