# Hot path: asked for a cluster once per request.
"""
Everything about clusters that changes while the gateway runs: addresses, turns, health, idle connections, counters.

It is kept by cluster name, and within a cluster by address, so that a reload
which leaves a cluster or an address in the files leaves all that alone as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from types import MappingProxyType

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorPluggableNameResolver

from edgegate.model.addresses import Address
from edgegate.model.clusters import NO_ENDPOINTS, Cluster, Discovery, Endpoints, Probe
from edgegate.model.routes import WeightedCluster
from edgegate.model.tls import UpstreamTLS
from edgegate.net.wheel import TimerWheel
from edgegate.observe.metrics.meters import Meters
from edgegate.tls.client_contexts import ClientContext
from edgegate.upstream.balancing.stepping import Steps
from edgegate.upstream.cluster import ClusterState
from edgegate.upstream.dns.lookups import Lookups, SystemLookups
from edgegate.upstream.dns.resolutions import Resolver
from edgegate.upstream.dynamic_hosts import DynamicHosts
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.environment import ClusterEnvironment
from edgegate.upstream.health.active import ActiveHealthChecks, Ask
from edgegate.upstream.locality import Place
from edgegate.upstream.transport_socket import transport_socket_of

__all__ = ["ClusterRegistry", "ClusterState", "EndpointState"]

NO_CONTEXTS: Mapping[UpstreamTLS, ClientContext] = MappingProxyType({})


def _nobody(address: Address, probe: Probe) -> Deferred[None]:
    """Stand for a checker where no endpoint is to have a probe: one that has is unhealthy."""
    return fail(RuntimeError("there is nobody to ask it"))


class ClusterRegistry:
    """
    The clusters of the Snapshot in force, with their state.

    @ivar environment: What they share.
    @ivar random: Picks among weighted destinations.
    """

    __slots__ = ("_states", "environment", "random")

    def __init__(
        self,
        reactor: IReactorPluggableNameResolver,
        wheel: TimerWheel,
        random: Random | None = None,
        place: Place = Place(),  # noqa: B008 (frozen)
        ask: Ask = _nobody,
        lookups: Lookups | None = None,
        processes: int = 1,
        meters: Meters | None = None,
    ) -> None:
        """
        @param processes: See L{ClusterEnvironment}.
        @param ask: Asks an endpoint for its health (L{edgegate.http.health.health_checker}).
        @param meters: Count what clusters are asked for; by default some of its own.
        @param lookups: Finds the names of DNS clusters and probes; by default the reactor's C{nameResolver} does.
        """
        found = SystemLookups(reactor) if lookups is None else lookups
        self.random = Random() if random is None else random
        self.environment = ClusterEnvironment(
            wheel,
            self.random,
            place,
            ActiveHealthChecks(wheel.clock, ask),
            Resolver(found, wheel, self.random),
            Steps(wheel.clock),
            Meters() if meters is None else meters,
            processes,
        )
        self._states: dict[str, ClusterState] = {}

    def update(
        self,
        clusters: Mapping[str, Cluster],
        endpoints: Endpoints = NO_ENDPOINTS,
        contexts: Mapping[UpstreamTLS, ClientContext] = NO_CONTEXTS,
    ) -> None:
        """
        Take over the clusters of a new Snapshot, and their endpoints.

        A cluster that did not change is not touched. Of those that went, idle
        connections are closed, and those in use are when they are given back.

        @param endpoints: Of all the clusters; one that is not among them has none.
        @param contexts: Those of all the clusters that are spoken to with TLS.
        @raise Exception: Something is wrong with us; all clusters are as they were.
        """
        self.environment.meters.serve(clusters)
        before = self._states
        kept = [(state, state.cluster, state.assigned, state.transport_socket) for state in before.values()]
        states: dict[str, ClusterState] = {}
        try:
            for name, cluster in clusters.items():
                state = before.get(name)
                if state is None:
                    state = states[name] = ClusterState(self.environment, cluster, endpoints.get(name, ()))
                else:
                    state.replace(cluster, endpoints.get(name, ()))
                    states[name] = state
                state.meet(transport_socket_of(cluster, contexts))
                self._name_hosts(state)
        except Exception:
            self.environment.meters.serve(before)
            for state, cluster, assigned, transport_socket in kept:
                state.replace(cluster, assigned)
                state.meet(transport_socket)
                self._name_hosts(state)
            for name, state in states.items():
                if name not in before:
                    if state.hosts is not None:
                        state.hosts.stop()
                    state.stop()
            raise
        self._states = states
        for name, state in before.items():
            if name not in states:
                if state.hosts is not None:
                    state.hosts.retire()
                state.retire()

    def assign(self, endpoints: Endpoints) -> None:
        """
        Take over endpoints alone: of the clusters that are named and in force. All others keep theirs.

        For whoever hears of a backend that comes or goes: nothing is compiled anew, and no other cluster is touched.
        """
        for name, assigned in endpoints.items():
            state = self._states.get(name)
            if state is not None:
                state.replace(state.cluster, assigned)
                self._name_hosts(state)

    @property
    def in_force(self) -> Mapping[str, ClusterState]:
        """The clusters by their names; a change replaces it, so that who holds it can go on with what it began with."""
        return self._states

    def get(self, name: str) -> ClusterState | None:
        """Return the state of a cluster, or L{None} where no such cluster is in force: C{NO_CLUSTER}."""
        return self._states.get(name)

    def pick(self, destinations: tuple[WeightedCluster, ...]) -> WeightedCluster | None:
        """
        Choose a destination of a route at random by weight; the only one is chosen without drawing.

        @return: L{None} where all weights are 0: C{NO_CLUSTER}.
        """
        if len(destinations) == 1:
            return destinations[0]
        total = 0
        for destination in destinations:
            total += destination.weight
        # rounding may make it the total itself: then the last destination with a weight is taken
        point = int(self.random.random() * total)
        chosen: WeightedCluster | None = None
        for destination in destinations:
            if destination.weight > 0:
                chosen = destination
                point -= destination.weight
                if point < 0:
                    break
        return chosen

    def stop(self) -> None:
        """Close all idle connections, resolve no more, and leave no timer behind. Who waits is called back."""
        self.environment.stopped = True
        states, self._states = self._states, {}
        for state in states.values():
            if state.hosts is not None:
                state.hosts.stop()
            state.stop()
        self.environment.stop()

    def _name_hosts(self, state: ClusterState) -> None:
        """Let a cluster stand for the names that clients ask for, or no longer, as its files say."""
        hosts = state.hosts
        if state.cluster.discovery is not Discovery.DYNAMIC:
            if hosts is not None:
                hosts.retire()
            state.hosts = None
        elif hosts is None:
            state.hosts = DynamicHosts(self.environment, state)
        else:
            hosts.follow()

    def __iter__(self) -> Iterator[ClusterState]:
        """Yield the state of each cluster in force, for metrics and the admin pages."""
        return iter(self._states.values())

    def __len__(self) -> int:
        return len(self._states)
