# Hot path: asked for an endpoint once per request.
"""
One backend: who asks for it sees this, and each of its parts has a state of its own.

Which addresses it has is the L{edgegate.upstream.membership}, what is kept for each
of them the L{edgegate.upstream.endpoint_set}, who is fit and whose turn it is the
L{edgegate.upstream.load_balancer}, what it may be asked for the
L{edgegate.upstream.cluster_limits}, and who waits for its first addresses the
L{edgegate.upstream.pending_resolution}. None of the parts knows this module.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Iterator

from edgegate.errors import Fault
from edgegate.model.clusters import Cluster, Discovery, Endpoint, HTTPVersion
from edgegate.observe.metrics.labels import destination_of
from edgegate.observe.metrics.meters import Meter
from edgegate.upstream.circuit_breaker import CircuitBreaker
from edgegate.upstream.cluster_limits import ClusterLimits
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.endpoint_set import EndpointSet
from edgegate.upstream.environment import ClusterEnvironment
from edgegate.upstream.load_balancer import ClusterLoadBalancer, keyed
from edgegate.upstream.membership import Membership
from edgegate.upstream.pending_resolution import PendingResolution
from edgegate.upstream.pool import Pool
from edgegate.upstream.pooled_stream import PooledStream
from edgegate.upstream.transport_socket import TransportSocket


class NamedHosts(ABC):
    """What a cluster stands for that has no endpoints itself: whatever names its clients ask for."""

    __slots__ = ()

    @abstractmethod
    def of(self, name: str) -> ClusterState | Fault:
        """
        Return the state of a name that a client asks for, or why it has none.

        @param name: In normal form; empty for a client that says none.
        """

    @abstractmethod
    def endpoints(self) -> Iterator[EndpointState]:
        """Yield the addresses of all names, for the admin pages."""

    @abstractmethod
    def follow(self) -> None:
        """Go over to what new files say of the cluster: where that differs, every name begins anew."""

    @abstractmethod
    def retire(self) -> None:
        """Forget all names; what has begun may go on."""

    @abstractmethod
    def stop(self) -> None:
        """Forget all names at once; who waits is called back and finds no endpoint."""


class ClusterState:
    """
    A backend and the endpoints that it has at present. Made by a L{edgegate.upstream.registry.ClusterRegistry}.

    It stays usable after its cluster left the files, for what began before.

    @ivar cluster: What the files say of it; its C{connect_timeout} is for those who connect.
    @ivar assigned: Its endpoints by the files, in which names may stand for their addresses.
    @ivar transport_socket: How connections to its endpoints begin; L{None}: with nothing.
    @ivar keyed: Whether who asks for an endpoint should bring a key.
    @ivar outliers: Watches the responses, where the files want that. Only then L{answered}, L{failed} and L{connected}
        need to be called.
    @ivar retry_budget: What may still be tried again.
    @ivar circuit_breaker: What it may be asked for at one time; L{None}: as much as anybody wants.
    @ivar meter: Counts what went to none of its endpoints; each of those has its own.
    @ivar hosts: Where it stands for whatever names clients ask for: these. It has no endpoints itself then.
    """

    # keyed, outliers, retry_budget and circuit_breaker belong to its parts; they are here as well, so that no request
    # need go through those
    __slots__ = (
        "_balancer",
        "_endpoints",
        "_environment",
        "_limits",
        "_membership",
        "_pending",
        "_retired",
        "assigned",
        "circuit_breaker",
        "cluster",
        "hosts",
        "keyed",
        "meter",
        "name",
        "outliers",
        "retry_budget",
        "transport_socket",
    )

    def __init__(
        self,
        environment: ClusterEnvironment,
        cluster: Cluster,
        assigned: tuple[Endpoint, ...] = (),
        whole: ClusterState | None = None,
    ) -> None:
        """
        @param whole: Of which this is one host, that a client has named: its limits are those of both.
        """
        self._environment = environment
        self.name = cluster.name
        self.cluster = cluster
        self.assigned = assigned
        self.transport_socket: TransportSocket | None = None
        self.hosts: NamedHosts | None = None
        self._limits = limits = ClusterLimits(
            cluster, None if whole is None else whole.circuit_breaker, environment.processes
        )
        self.retry_budget = limits.retry_budget
        self.circuit_breaker: CircuitBreaker | None = limits.circuit_breaker
        self._membership = Membership(environment.resolver, quiet=whole is not None)
        self._endpoints = EndpointSet(cluster, environment.wheel, limits, environment.meters)
        self.meter: Meter = environment.meters.meter(cluster.name, destination_of(cluster))
        self._balancer = ClusterLoadBalancer(cluster.name, environment, self._prepare_if_awaited)
        self._pending = PendingResolution(cluster.name, environment.wheel)
        self._retired = False
        self.keyed = False
        self.outliers = self._balancer.health.outliers
        self._watch()
        self._rebuild()

    def next(self, key: int | None = None) -> EndpointState | None:
        """
        Return the endpoint whose turn it is, which uses up its turn; L{None} where the cluster has none that is fit.

        @param key: What the request is told apart by, where the cluster is C{keyed}; L{None}: nothing.
        """
        balancer = self._balancer
        only = balancer.only
        if only is not None:
            return only
        chooser = balancer.chooser
        return None if chooser is None else chooser.choose(key)

    def shares(self, by_http2: bool) -> bool:
        """
        Whether a request is sent by HTTP/2, beside others on one connection; one for another protocol never is.

        @param by_http2: Whether its client has sent it so.
        """
        version = self.cluster.http
        return version is HTTPVersion.HTTP2 or (by_http2 and version is HTTPVersion.CLIENTS)

    def others(self, tried: Collection[EndpointState], key: int | None = None) -> Iterator[EndpointState]:
        """
        Yield the fit endpoints to try after those of C{tried} failed, which is in the order of trying.

        Nobody's turn is used up.
        """
        selection = self._balancer.selection
        return iter(()) if selection is None else selection.others(tried, key)

    def free_one(self, key: Hashable, shared: bool = False) -> PooledStream | None:
        """As L{EndpointSet.free_one}."""
        return self._endpoints.free_one(key, shared)

    # How endpoints do -------------------------------------------------------------------------------------------------

    def answered(self, endpoint: EndpointState, status: int) -> None:
        """An endpoint's answer has begun."""
        self._balancer.health.answered(endpoint, status)

    def failed(self, endpoint: EndpointState) -> None:
        """An endpoint could not be connected to, broke a connection off without an answer, or took too long."""
        self._balancer.health.failed(endpoint)

    def connected(self, endpoint: EndpointState) -> None:
        """An endpoint was connected to for a relay, and that is all that will be known of how it does."""
        self._balancer.health.connected(endpoint)

    @property
    def endpoints(self) -> list[EndpointState]:
        """Every address once, in the order of the files; a change makes another list."""
        return self._endpoints.endpoints

    @property
    def only(self) -> EndpointState | None:
        """The endpoint where there is but one that can be chosen, else L{None}."""
        return self._balancer.only

    @property
    def busy(self) -> bool:
        """Whether something is under way, or waits for an address."""
        return self._pending.any or self._endpoints.busy

    # Waiting for addresses --------------------------------------------------------------------------------------------

    @property
    def resolved(self) -> bool:
        """
        Whether there is nothing to wait for: some address is known, and what endpoints are chosen by is made, or the
        first queries of all names have ended.
        """
        return not self._balancer.unprepared if self._endpoints.endpoints else self._membership.answered

    def when_resolved(self, callback: Callable[[], None]) -> None:
        """
        Call back once the cluster can be asked for endpoints: at once, or when the first answer comes.

        It may have none even then: where no name resolves, or after
        L{edgegate.upstream.pending_resolution.RESOLVE_TIMEOUT}. That is
        C{NO_HEALTHY_UPSTREAM}. A caller that gave up in the meantime must bear the
        call.
        """
        if self._retired and not self._endpoints.endpoints and not self._membership.watches:
            self._watch_again()
        if self.resolved:
            callback()
        elif self._pending.add(callback, self._release):
            self._balancer.prepare(self._prepared)

    def _watch_again(self) -> None:
        """A request that was held back while this was retired is the first to need its addresses: find them for it."""
        if self._environment.stopped:
            return
        self._watch()
        self._rebuild()
        if self.resolved:
            self._membership.stop()

    def _prepare_if_awaited(self) -> None:
        if self._pending.any:
            self._balancer.prepare(self._prepared)

    def _prepared(self) -> None:
        self._balancer.refit()
        self._prepare_if_awaited()
        self._release_if_resolved()

    def _release_if_resolved(self) -> None:
        if self._pending.any and self.resolved:
            self._release()

    def _release(self) -> None:
        if self._retired:
            self._membership.stop()
        self._pending.release()

    # Changes ----------------------------------------------------------------------------------------------------------

    def replace(self, cluster: Cluster, assigned: tuple[Endpoint, ...]) -> None:
        """Go over to what new files say; addresses that stay keep their state."""
        before, self.cluster = self.cluster, cluster
        same, self.assigned = self.assigned == assigned, assigned
        if (before.limits, before.retry_share) != (cluster.limits, cluster.retry_share):
            self._limits.replace(cluster)
            self.circuit_breaker = self._limits.circuit_breaker
            self._endpoints.rebound()
        if same and _choice(before) == _choice(cluster):
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
            self._endpoints.close_idle()

    def retire(self) -> None:
        """
        Keep no idle connections from now on, and no names resolved once nobody waits for them.

        What has begun may go on; the registry does not know this state any longer.
        """
        self._retired = True
        self._endpoints.close()
        # nothing of it is to point back at it any more, so that it is freed with the last request that knows it
        self._balancer.stop()
        if not self._pending.any:
            self._membership.stop()

    def stop(self) -> None:
        """Retire at once; who waits is called back and finds no endpoint."""
        self.retire()
        self._release()

    def _watch(self) -> None:
        self._membership.watch(self.cluster.discovery, self.assigned, self._resolution_changed)

    def _resolution_changed(self) -> None:
        # an answer that begins with another address alone is nothing to a cluster that uses all of them
        if self._membership.work_out():
            endpoints = self._endpoints.endpoints
            logical = self.cluster.discovery is Discovery.LOGICAL_DNS and endpoints
            self._take_members(endpoints[0].pool if logical else None)
        self._release_if_resolved()

    def _rebuild(self) -> None:
        """Work out the endpoints anew, and how they are chosen."""
        self._membership.work_out()
        self._take_members(None)

    def _take_members(self, pool: Pool | None) -> None:
        cluster, balancer, endpoints = self.cluster, self._balancer, self._endpoints
        endpoints.replace(self._membership.members, pool)
        self.retry_budget.endpoints = endpoints.endpoints
        self.keyed = keyed(cluster)
        balancer.follow(cluster, endpoints.endpoints)
        self.outliers = balancer.health.outliers
        self._prepare_if_awaited()

    def __repr__(self) -> str:
        return f"<ClusterState {self.name}: {', '.join(str(e.address) for e in self.endpoints) or 'no endpoint'}>"


def _choice(cluster: Cluster) -> object:
    """Return what tells how the endpoints of a cluster are found and chosen."""
    return cluster.discovery, cluster.balancer, cluster.outliers
