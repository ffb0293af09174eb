# Hot path: asked for a cluster and an endpoint once per request.
"""
Everything about clusters that changes while the gateway runs: addresses, turns, idle connections, counters.

It is kept by cluster name, and within a cluster by address, so that a reload
which leaves a cluster or an address in the files leaves its connections and
counters alone as well.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from random import Random
from types import MappingProxyType
from typing import Any

from twisted.internet.interfaces import IReactorPluggableNameResolver
from twisted.logger import Logger

from edgegate.net.wheel import Deadline, TimerWheel
from edgegate.routing.snapshot import Address, Cluster, Discovery, TCPAddress, WeightedCluster
from edgegate.routing.tls import UpstreamTLS
from edgegate.tls.client_contexts import ClientContext
from edgegate.upstream.balancing import turns
from edgegate.upstream.budget import RetryBudget
from edgegate.upstream.contact import Contact, contact_of
from edgegate.upstream.dns import ResolvedName, Resolver, is_literal
from edgegate.upstream.pool import Pool

RESOLVE_TIMEOUT = 5.0
"""Seconds that a request waits for the first addresses of its cluster."""

NO_CONTEXTS: Mapping[UpstreamTLS, ClientContext] = MappingProxyType({})

log = Logger()


class EndpointState:
    """
    One address of a cluster.

    The counters are plain integers that whoever uses the endpoint changes:

    @ivar cluster: The name of the cluster that it belongs to.
    @ivar address: An IP literal with its port, or a UNIX path.
    @ivar weight: Its share of the turns, 1 or more.
    @ivar pool: Idle connections; of the kind that the cluster's protocol makes.
    @ivar active: Requests or relays under way: one more when one is begun on a connection to it, one less at its end.
    @ivar connections: Connections that were established, ever.
    @ivar connect_failures: Connects that failed, ever.
    @ivar requests: Requests that were sent to it, ever; a relay is none.
    """

    __slots__ = ("active", "address", "cluster", "connect_failures", "connections", "pool", "requests", "weight")

    def __init__(self, address: Address, pool: Pool[Any], weight: int = 1, cluster: str = "") -> None:
        self.address = address
        self.cluster = cluster
        self.weight = weight
        self.pool = pool
        self.active = 0
        self.connections = 0
        self.connect_failures = 0
        self.requests = 0

    def __repr__(self) -> str:
        return f"<EndpointState {self.address} active={self.active} {self.pool!r}>"


class ClusterState:
    """
    A backend and the endpoints that it has at present. Made by a L{ClusterRegistry}.

    It stays usable after its cluster left the files, for what began before.

    @ivar cluster: What the files say of it; its C{connect_timeout} is for those who connect.
    @ivar contact: How connections to its endpoints begin; L{None}: with nothing.
    @ivar endpoints: Every address once, in the order of the files; replaced whole, never changed in place.
    @ivar only: The endpoint where there is but one, else L{None}.
    @ivar retry_budget: What may still be tried again.
    """

    __slots__ = (
        "_names",
        "_patience",
        "_registry",
        "_retired",
        "_turn",
        "_waiting",
        "cluster",
        "contact",
        "endpoints",
        "name",
        "only",
        "retry_budget",
    )

    def __init__(self, registry: ClusterRegistry, cluster: Cluster) -> None:
        self._registry = registry
        self.name = cluster.name
        self.cluster = cluster
        self.contact: Contact | None = None
        self.endpoints: list[EndpointState] = []
        self.only: EndpointState | None = None
        self.retry_budget = RetryBudget()
        self._turn: Callable[[], int] | None = None
        self._names: dict[str, ResolvedName] = {}
        self._waiting: list[Callable[[], None]] = []
        self._retired = False
        self._patience = Deadline(registry.wheel, self._release)
        self._watch()
        self._rebuild()

    def next(self) -> EndpointState | None:
        """Return the endpoint whose turn it is, which uses up its turn; L{None} where the cluster has none."""
        only = self.only
        if only is not None:
            return only
        turn = self._turn
        return None if turn is None else self.endpoints[turn()]

    def others(self, tried: Collection[EndpointState]) -> Iterator[EndpointState]:
        """
        Yield the endpoints to try after those of C{tried} failed, which is in the order of trying.

        Nobody's turn is used up.
        """
        endpoints = self.endpoints
        start = 0
        for last in tried:
            if last in endpoints:
                start = endpoints.index(last) + 1
        for endpoint in endpoints[start:] + endpoints[:start]:
            if endpoint not in tried:
                yield endpoint

    def candidates(self, exclude: Collection[EndpointState] = ()) -> Iterator[EndpointState]:
        """Yield all endpoints but the excluded ones in the order to try: the one whose turn it is, then the others."""
        first = self.next()
        if first is None:
            return
        if first not in exclude:
            yield first
        for endpoint in self.others((first,)):
            if endpoint not in exclude:
                yield endpoint

    @property
    def resolved(self) -> bool:
        """Whether there is nothing to wait for: some address is known, or the first queries of all names have ended."""
        return bool(self.endpoints) or all(name.answered for name in self._names.values())

    def when_resolved(self, callback: Callable[[], None]) -> None:
        """
        Call back once the cluster can be asked for endpoints: at once, or when the first answer comes.

        It may have none even then: where no name resolves, or after
        L{RESOLVE_TIMEOUT}. That is C{NO_HEALTHY_UPSTREAM}. A caller that gave up
        in the meantime must bear the call.
        """
        if self.resolved:
            callback()
            return
        self._waiting.append(callback)
        if len(self._waiting) == 1:
            self._patience.start(RESOLVE_TIMEOUT)

    def replace(self, cluster: Cluster) -> None:
        """Go over to what new files say; addresses that stay keep their state."""
        before, self.cluster = self.cluster, cluster
        if (before.discovery, before.endpoints) == (cluster.discovery, cluster.endpoints):
            return
        self._watch()
        self._rebuild()
        self._release_if_resolved()

    def meet(self, contact: Contact | None) -> None:
        """
        Meet the endpoints in another way from now on.

        Connections that were made in the one before end with what is under way: requests no longer ask for their key.
        """
        before, self.contact = self.contact, contact
        if contact != before:
            for endpoint in self.endpoints:
                endpoint.pool.close_idle()

    def retire(self) -> None:
        """
        Keep no idle connections from now on, and no names resolved once nobody waits for them.

        What has begun may go on; the registry does not know this state any longer.
        """
        self._retired = True
        for endpoint in self.endpoints:
            endpoint.pool.close_all()
        if not self._waiting:
            self._unwatch()

    def stop(self) -> None:
        """Retire at once; who waits is called back and finds no endpoint."""
        self.retire()
        self._release()

    def _watch(self) -> None:
        """Watch the names that the cluster has now, and no others."""
        resolver = self._registry.resolver
        before = self._names
        wanted = set()
        if self.cluster.discovery is not Discovery.STATIC:
            addresses = [endpoint.address for endpoint in self.cluster.endpoints]
            wanted = {a.host for a in addresses if isinstance(a, TCPAddress) and not is_literal(a.host)}
        self._names = {
            name: before.get(name) or resolver.watch(name, self._resolution_changed) for name in sorted(wanted)
        }
        for name in before.keys() - wanted:
            resolver.unwatch(name, self._resolution_changed)

    def _unwatch(self) -> None:
        for name in self._names:
            self._registry.resolver.unwatch(name, self._resolution_changed)
        self._names = {}

    def _members(self) -> Iterator[tuple[Address, int]]:
        """Yield the addresses and weights; each address of a name has the weight of the name, as in Envoy."""
        for endpoint in self.cluster.endpoints:
            address = endpoint.address
            weight = endpoint.weight or 1
            name = self._names.get(address.host) if isinstance(address, TCPAddress) else None
            if isinstance(address, TCPAddress) and name is not None:
                for host in name.addresses:
                    yield TCPAddress(host, address.port), weight
            else:
                yield address, weight

    def _rebuild(self) -> None:
        """Work out the endpoints anew. An address named twice is one endpoint with both weights."""
        weights: dict[Address, int] = {}
        for address, weight in self._members():
            weights[address] = weights.get(address, 0) + weight
        before = {endpoint.address: endpoint for endpoint in self.endpoints}
        endpoints = []
        for address, weight in weights.items():
            endpoint = before.pop(address, None) or EndpointState(
                address, Pool(self._registry.wheel), cluster=self.name
            )
            endpoint.weight = weight
            if self._retired:
                endpoint.pool.close_all()
            endpoints.append(endpoint)
        self.endpoints = endpoints
        self.only = endpoints[0] if len(endpoints) == 1 else None
        self._turn = turns([endpoint.weight for endpoint in endpoints]).__next__ if endpoints else None
        for endpoint in before.values():
            endpoint.pool.close_all()

    def _resolution_changed(self) -> None:
        self._rebuild()
        self._release_if_resolved()

    def _release_if_resolved(self) -> None:
        if self._waiting and self.resolved:
            self._release()

    def _release(self) -> None:
        self._patience.stop()
        waiting, self._waiting = self._waiting, []
        if self._retired:
            self._unwatch()
        for callback in waiting:
            try:
                callback()
            except Exception:
                # each belongs to a connection of its own, which must not take the others with it
                log.failure("a connection that waited for {cluster} failed", cluster=self.name)

    def __repr__(self) -> str:
        return f"<ClusterState {self.name}: {', '.join(str(e.address) for e in self.endpoints) or 'no endpoint'}>"


class ClusterRegistry:
    """
    The clusters of the Snapshot in force, with their state.

    @ivar random: Picks among weighted destinations.
    """

    __slots__ = ("_states", "random", "resolver", "wheel")

    def __init__(self, reactor: IReactorPluggableNameResolver, wheel: TimerWheel, random: Random | None = None) -> None:
        """
        @param reactor: Its C{nameResolver} is asked for the names of DNS clusters.
        """
        self.wheel = wheel
        self.random = Random() if random is None else random
        self.resolver = Resolver(reactor, wheel, self.random)
        self._states: dict[str, ClusterState] = {}

    def update(
        self, clusters: Mapping[str, Cluster], contexts: Mapping[UpstreamTLS, ClientContext] = NO_CONTEXTS
    ) -> None:
        """
        Take over the clusters of a new Snapshot.

        A cluster that did not change is not touched. Of those that went, idle
        connections are closed, and those in use are when they are given back.

        @param contexts: Those of all the clusters that are spoken to with TLS.
        """
        before = self._states
        states: dict[str, ClusterState] = {}
        for name, cluster in clusters.items():
            state = before.get(name)
            if state is None:
                state = ClusterState(self, cluster)
            else:
                state.replace(cluster)
            state.meet(contact_of(cluster, contexts))
            states[name] = state
        self._states = states
        for name, state in before.items():
            if name not in states:
                state.retire()

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
        states, self._states = self._states, {}
        for state in states.values():
            state.stop()
        self.resolver.stop()

    def __iter__(self) -> Iterator[ClusterState]:
        """Yield the state of each cluster in force, for metrics and the admin pages."""
        return iter(self._states.values())

    def __len__(self) -> int:
        return len(self._states)
