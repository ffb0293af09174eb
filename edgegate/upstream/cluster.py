# Hot path: asked for an endpoint once per request.
"""
One backend: the addresses that it has at present, who of them is fit, and whose turn it is.

Everything is kept by address, so that a reload or a response of DNS which leaves
an address there leaves its connections, counters and health alone as well.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

from edgegate.model.addresses import Address, TCPAddress, is_ip_address
from edgegate.model.clusters import Balancing, Cluster, Discovery, Endpoint
from edgegate.net.wheel import Deadline
from edgegate.upstream.balancing import Chooser, Only
from edgegate.upstream.circuit_breaker import CircuitBreaker, limited
from edgegate.upstream.dns.resolutions import ResolvedName
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.health.host_health import HostHealth
from edgegate.upstream.health.outlier_detection import OutlierDetector
from edgegate.upstream.pool import IDLE_LIFETIME, Pool
from edgegate.upstream.retry_budget import RetryBudget
from edgegate.upstream.selection import Selection
from edgegate.upstream.transport_socket import TransportSocket

if TYPE_CHECKING:
    from edgegate.upstream.dynamic_hosts import DynamicHosts
    from edgegate.upstream.registry import ClusterRegistry

RESOLVE_TIMEOUT = 5.0
"""Seconds that a request waits for the first addresses of its cluster."""

log = Logger(namespace=__name__)


class ClusterState:
    """
    A backend and the endpoints that it has at present. Made by a L{ClusterRegistry}.

    It stays usable after its cluster left the files, for what began before.

    @ivar cluster: What the files say of it; its C{connect_timeout} is for those who connect.
    @ivar transport_socket: How connections to its endpoints begin; L{None}: with nothing.
    @ivar endpoints: Every address once, in the order of the files; replaced whole, never changed in place.
    @ivar only: The endpoint where there is but one that can be chosen, else L{None}.
    @ivar keyed: Whether who asks for an endpoint should bring a key.
    @ivar outliers: Watches the responses, where the files want that. Only then L{answered}, L{failed} and L{connected}
        need to be called.
    @ivar retry_budget: What may still be tried again.
    @ivar circuit_breaker: What it may be asked for at one time; L{None}: as much as anybody wants.
    @ivar hosts: Where it stands for whatever names clients ask for: these. It has no endpoints itself then.
    """

    __slots__ = (
        "_built",
        "_chooser",
        "_host_health",
        "_names",
        "_quiet",
        "_registry",
        "_retired",
        "_selection",
        "_timeouts",
        "_unprepared",
        "_waiting",
        "_warm",
        "circuit_breaker",
        "cluster",
        "endpoints",
        "hosts",
        "keyed",
        "name",
        "only",
        "outliers",
        "retry_budget",
        "transport_socket",
    )

    def __init__(self, registry: ClusterRegistry, cluster: Cluster, whole: ClusterState | None = None) -> None:
        """
        @param whole: Of which this is one host, that a client has named: its limits are those of both.
        """
        self._registry = registry
        self.name = cluster.name
        self.cluster = cluster
        self.transport_socket: TransportSocket | None = None
        self.endpoints: list[EndpointState] = []
        self.only: EndpointState | None = None
        self.retry_budget = RetryBudget(cluster.limits.retries, cluster.retry_share)
        self.circuit_breaker = CircuitBreaker(cluster.limits) if limited(cluster.limits) else None
        if whole is not None and whole.circuit_breaker is not None:
            self.circuit_breaker = whole.circuit_breaker
        self.hosts: DynamicHosts | None = None
        self._quiet = whole is not None
        self.keyed = False
        self.outliers: OutlierDetector | None = None
        self._selection: Selection | None = None
        self._chooser: Chooser | None = None
        self._host_health = HostHealth(cluster.name, registry.wheel, registry.probing, self._refit)
        self._warm = Deadline(registry.wheel, self._refit)
        self._names: dict[str, ResolvedName] = {}
        self._built: list[tuple[Address, Endpoint]] = []
        self._waiting: list[Callable[[], None]] = []
        self._retired = self._unprepared = False
        self._timeouts = Deadline(registry.wheel, self._release)
        self._watch()
        self._rebuild()

    def next(self, key: int | None = None) -> EndpointState | None:
        """
        Return the endpoint whose turn it is, which uses up its turn; L{None} where the cluster has none that is fit.

        @param key: What the request is told apart by, where the cluster is C{keyed}; L{None}: nothing.
        """
        only = self.only
        if only is not None:
            return only
        chooser = self._chooser
        return None if chooser is None else chooser.choose(key)

    def others(self, tried: Collection[EndpointState], key: int | None = None) -> Iterator[EndpointState]:
        """
        Yield the fit endpoints to try after those of C{tried} failed, which is in the order of trying.

        Nobody's turn is used up.
        """
        selection = self._selection
        return iter(()) if selection is None else selection.others(tried, key)

    # How endpoints do -------------------------------------------------------------------------------------------------

    def answered(self, endpoint: EndpointState, status: int) -> None:
        """An endpoint's answer has begun."""
        self._host_health.answered(endpoint, status)

    def failed(self, endpoint: EndpointState) -> None:
        """An endpoint could not be connected to, broke a connection off without a response, or took too long."""
        self._host_health.failed(endpoint)

    def connected(self, endpoint: EndpointState) -> None:
        """An endpoint was connected to for a relay, and that is all that will be known of how it does."""
        self._host_health.connected(endpoint)

    @property
    def busy(self) -> bool:
        """Whether something is under way, or waits for an address."""
        return bool(self._waiting) or any(endpoint.active for endpoint in self.endpoints)

    # Addresses --------------------------------------------------------------------------------------------------------

    @property
    def resolved(self) -> bool:
        """
        Whether there is nothing to wait for: some address is known, and what endpoints are chosen by is made, or the
        first queries of all names have ended.
        """
        return not self._unprepared if self.endpoints else all(name.answered for name in self._names.values())

    def when_resolved(self, callback: Callable[[], None]) -> None:
        """
        Call back once the cluster can be asked for endpoints: at once, or when the first response comes.

        It may have none even then: where no name resolves, or after
        L{RESOLVE_TIMEOUT}. That is C{NO_HEALTHY_UPSTREAM}. A caller that gave up
        in the meantime must bear the call.
        """
        if self._retired and not self.endpoints and not self._names:
            self._watch_again()
        if self.resolved:
            callback()
            return
        self._waiting.append(callback)
        if len(self._waiting) == 1:
            self._timeouts.start(RESOLVE_TIMEOUT)
            self._prepare()

    def _watch_again(self) -> None:
        """A request that was held back while this was retired is the first to need its addresses: find them for it."""
        if self._registry.stopped:
            return
        self._timeouts = Deadline(self._registry.wheel, self._release)
        self._watch()
        self._rebuild()
        if self.resolved:
            self._let_go()

    def replace(self, cluster: Cluster) -> None:
        """Go over to what new files say; addresses that stay keep their state."""
        before, self.cluster = self.cluster, cluster
        if (before.limits, before.retry_share) != (cluster.limits, cluster.retry_share):
            self._limit()
        if _membership(before) == _membership(cluster):
            return
        self._watch()
        self._rebuild()
        self._release_if_resolved()

    def meet(self, transport_socket: TransportSocket | None) -> None:
        """
        Meet the endpoints in another way from now on.

        Connections that were made in the one before end with what is under way: requests no longer ask for their key.
        """
        before, self.transport_socket = self.transport_socket, transport_socket
        if transport_socket != before:
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
        # nothing of it is to point back at it any more, so that it is freed with the last request that knows it
        self._host_health.stop()
        self._warm.end()
        if not self._waiting:
            self._let_go()

    def stop(self) -> None:
        """Retire at once; who waits is called back and finds no endpoint."""
        self.retire()
        self._release()

    def _watch(self) -> None:
        """Watch the names that the cluster has now, and no others."""
        resolver = self._registry.resolver
        before = self._names
        wanted = set()
        if self.cluster.discovery not in (Discovery.STATIC, Discovery.DYNAMIC):
            addresses = [endpoint.address for endpoint in self.cluster.endpoints]
            wanted = {a.host for a in addresses if isinstance(a, TCPAddress) and not is_ip_address(a.host)}
        self._names = {
            name: before.get(name) or resolver.watch(name, self._resolution_changed, self._quiet)
            for name in sorted(wanted)
        }
        for name in before.keys() - wanted:
            resolver.unwatch(name, self._resolution_changed)

    def _let_go(self) -> None:
        """Nobody waits, and nobody will."""
        self._timeouts.end()
        for name in self._names:
            self._registry.resolver.unwatch(name, self._resolution_changed)
        self._names = {}

    def _members(self) -> Iterator[tuple[Address, Endpoint]]:
        """Yield the addresses and what is said of them; each address of a name is all that the name is, as in Envoy."""
        for endpoint in () if self.cluster.discovery is Discovery.DYNAMIC else self.cluster.endpoints:
            address = endpoint.address
            name = self._names.get(address.host) if isinstance(address, TCPAddress) else None
            if isinstance(address, TCPAddress) and name is not None:
                for host in self._hosts(name):
                    yield TCPAddress(host, address.port), endpoint
            else:
                yield address, endpoint

    def _hosts(self, name: ResolvedName) -> tuple[str, ...]:
        """Return the addresses of a name that are used."""
        if self.cluster.discovery is Discovery.LOGICAL_DNS:
            return (name.first,) if name.first else ()
        return name.addresses

    def _rebuild(self, pool: Pool[Any] | None = None) -> None:
        """
        Work out the endpoints anew. An address named twice is one endpoint with both weights.

        @param pool: That of the address which the only one takes the place of: its connections go on being used, as
            those of Envoy's C{LOGICAL_DNS} do.
        """
        wheel = self._registry.wheel
        said: dict[Address, Endpoint] = {}
        weights: dict[Address, int] = {}
        self._built = list(self._members())
        for address, member in self._built:
            said.setdefault(address, member)
            weights[address] = weights.get(address, 0) + (member.weight or 1)
        before = {endpoint.address: endpoint for endpoint in self.endpoints}
        now = wheel.clock.seconds()
        endpoints = []
        for address, member in said.items():
            endpoint = before.pop(address, None)
            if endpoint is None:
                endpoint = EndpointState(address, Pool(wheel) if pool is None else pool, cluster=self.name)
                endpoint.since = now
                self._bound(endpoint)
            endpoint.said, endpoint.weight = member, weights[address]
            if self._retired:
                endpoint.pool.close_all()
            endpoints.append(endpoint)
        self.endpoints = self.retry_budget.endpoints = endpoints
        for endpoint in before.values():
            if endpoint.pool is not pool:
                endpoint.pool.close_all()
        self._select()

    # Limits -----------------------------------------------------------------------------------------------------------

    def free_one(self, key: Hashable) -> Any:
        """
        Return an idle connection of whatever endpoint for a request that can't have one of its own; L{None}: there is
        none of its key, and one of another key is closed, if there is any, so that there will be room.
        """
        for endpoint in self.endpoints:
            connection = endpoint.pool.take(key) if endpoint.fit else None
            if connection is not None:
                return connection
        any(endpoint.pool.evict() for endpoint in self.endpoints)
        return None

    def _limit(self) -> None:
        """Take over new limits; what is counted stays counted."""
        limits = self.cluster.limits
        self.retry_budget.limit, self.retry_budget.share = limits.retries, self.cluster.retry_share
        if self.circuit_breaker is not None:
            self.circuit_breaker.replace(limits)
        elif limited(limits):
            self.circuit_breaker = CircuitBreaker(limits)
        for endpoint in self.endpoints:
            self._bound(endpoint)

    def _bound(self, endpoint: EndpointState) -> None:
        endpoint.circuit_breaker, endpoint.limits = self.circuit_breaker, self.cluster.limits
        endpoint.pool.lifetime = endpoint.limits.http_idle or IDLE_LIFETIME

    # Who is fit -------------------------------------------------------------------------------------------------------

    def _select(self) -> None:
        """Begin to choose anew: the endpoints or the rules have changed."""
        cluster, registry = self.cluster, self._registry
        balancer, rules = cluster.balancer, cluster.outliers
        self.keyed = balancer.hash is not None or balancer.simple is Balancing.PASSTHROUGH
        before, self._selection = self._selection, None
        if not self._retired:
            self._host_health.watch(self.endpoints, rules)
        self.outliers = self._host_health.outliers
        min_health = rules.min_health if rules is not None else 0.0 if self._host_health.probed else None
        seconds = registry.wheel.clock.seconds
        self._selection = Selection(
            balancer, self.endpoints, registry.place, min_health, registry.random, seconds, registry.steps, before
        )
        self._refit()

    def _refit(self) -> None:
        """It has changed which endpoints are fit, or what they weigh."""
        selection = self._selection
        if selection is None:
            return
        self._chooser = chooser = selection.refit()
        self.only = chooser.endpoint if isinstance(chooser, Only) else None
        self._unprepared = selection.wanting
        if self._waiting:
            self._prepare()
        warming = selection.warming()
        if warming and not self._retired:
            self._warm.start(warming)

    def _prepare(self) -> None:
        """Somebody waits: have the tables made that are wanting."""
        selection = self._selection
        if selection is not None and self._unprepared:
            selection.prepare(self._prepared)

    def _prepared(self) -> None:
        self._refit()
        self._release_if_resolved()

    # Waiting ----------------------------------------------------------------------------------------------------------

    def _resolution_changed(self) -> None:
        # a response that begins with another address alone is nothing to a cluster that uses all of them
        if list(self._members()) != self._built:
            logical = self.cluster.discovery is Discovery.LOGICAL_DNS and self.endpoints
            self._rebuild(self.endpoints[0].pool if logical else None)
        self._release_if_resolved()

    def _release_if_resolved(self) -> None:
        if self._waiting and self.resolved:
            self._release()

    def _release(self) -> None:
        self._timeouts.stop()
        waiting, self._waiting = self._waiting, []
        if self._retired:
            self._let_go()
        for callback in waiting:
            try:
                callback()
            except Exception:
                # each belongs to a connection of its own, which must not take the others with it
                log.failure("a connection that waited for {cluster} failed", cluster=self.name)

    def __repr__(self) -> str:
        return f"<ClusterState {self.name}: {', '.join(str(e.address) for e in self.endpoints) or 'no endpoint'}>"


def _membership(cluster: Cluster) -> object:
    """Return what tells the endpoints of a cluster and how they are chosen."""
    return cluster.discovery, cluster.endpoints, cluster.balancer, cluster.outliers
