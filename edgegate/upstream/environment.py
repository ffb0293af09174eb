"""What all clusters of a gateway share, and know nothing of each other by."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from edgegate.net.wheel import TimerWheel
from edgegate.observe.metrics.meters import Meters
from edgegate.upstream.balancing.stepping import Steps
from edgegate.upstream.dns.resolutions import Resolver
from edgegate.upstream.health.active import ActiveHealthChecks
from edgegate.upstream.locality import Place


@dataclass(slots=True)
class ClusterEnvironment:
    """
    Made once, by the L{edgegate.upstream.registry}, which also ends it.

    @ivar wheel: Has their deadlines.
    @ivar random: Picks among weighted destinations and endpoints.
    @ivar place: Where the gateway is.
    @ivar probing: Asks endpoints for their health.
    @ivar resolver: Keeps names resolved.
    @ivar steps: Makes tables to hash by.
    @ivar processes: How many have these clusters: what each cluster may be asked for is divided among them.
    @ivar meters: Count what is asked of them, whatever becomes of the clusters.
    @ivar stopped: Whether nothing is to be looked up any more: set before the clusters stop, who call others back.
    """

    wheel: TimerWheel
    random: Random
    place: Place
    probing: ActiveHealthChecks
    resolver: Resolver
    steps: Steps
    meters: Meters
    processes: int = 1
    stopped: bool = False

    def stop(self) -> None:
        """Resolve no more, ask nobody, and leave no timer behind. All clusters have stopped before."""
        self.steps.stop()
        self.probing.stop()
        self.resolver.stop()
