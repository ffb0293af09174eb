# Hot path: looked through by requests to a cluster whose connections are all in use.
"""
The endpoints of a cluster with their connections.

They are kept by address, so that a reload or an answer of DNS which leaves an
address there leaves its connections, counters and health alone as well.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from edgegate.model.addresses import Address
from edgegate.model.clusters import Cluster, Endpoint
from edgegate.net.wheel import TimerWheel
from edgegate.observe.metrics.labels import destination_of
from edgegate.observe.metrics.meters import Meters
from edgegate.upstream.cluster_limits import ClusterLimits
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.pool import Pool
from edgegate.upstream.pooled_stream import PooledStream


class EndpointSet:
    """
    One state for each address.

    @ivar endpoints: In the order of the files; replaced whole, never changed in place.
    """

    __slots__ = ("_closed", "_cluster", "_limits", "_meters", "_wheel", "endpoints")

    def __init__(self, cluster: Cluster, wheel: TimerWheel, limits: ClusterLimits, meters: Meters) -> None:
        """
        @param cluster: Whose they are; only its name counts, and where it is in the files.
        @param limits: Told to every endpoint.
        @param meters: Has what counts for each.
        """
        self._cluster = cluster
        self._meters = meters
        self._wheel = wheel
        self._limits = limits
        self._closed = False
        self.endpoints: list[EndpointState] = []

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return any(endpoint.active for endpoint in self.endpoints)

    def replace(self, members: Iterable[tuple[Address, Endpoint]], pool: Pool | None = None) -> None:
        """
        Have these from now on. An address named twice is one endpoint with both weights.

        @param pool: That of the address which the only one takes the place of: its connections go on being used, as
            those of Envoy's C{LOGICAL_DNS} do.
        """
        wheel = self._wheel
        said: dict[Address, Endpoint] = {}
        weights: dict[Address, int] = {}
        for address, member in members:
            said.setdefault(address, member)
            weights[address] = weights.get(address, 0) + (member.weight or 1)
        before = {endpoint.address: endpoint for endpoint in self.endpoints}
        now = wheel.clock.seconds()
        endpoints = []
        for address, member in said.items():
            endpoint = before.pop(address, None)
            if endpoint is None:
                endpoint = EndpointState(address, Pool(wheel) if pool is None else pool, cluster=self._cluster.name)
                endpoint.since = now
                self._limits.bound(endpoint)
            endpoint.said, endpoint.weight = member, weights[address]
            endpoint.meter = self._meters.meter(self._cluster.name, destination_of(self._cluster, member))
            if self._closed:
                endpoint.pool.close_all()
            endpoints.append(endpoint)
        self.endpoints = endpoints
        for endpoint in before.values():
            if endpoint.pool is not pool:
                endpoint.pool.close_all()

    def rebound(self) -> None:
        """The limits have changed."""
        for endpoint in self.endpoints:
            self._limits.bound(endpoint)

    def close_idle(self) -> None:
        """Close the connections that are idle now; others are kept when they are given back."""
        for endpoint in self.endpoints:
            endpoint.pool.close_idle()

    def close(self) -> None:
        """Keep no idle connection from now on, also of endpoints that still come."""
        self._closed = True
        for endpoint in self.endpoints:
            endpoint.pool.close_all()

    def free_one(self, key: Hashable, shared: bool = False) -> PooledStream | None:
        """
        Return an idle connection of whatever endpoint for a request that can't have one of its own; L{None}: there is
        none of its key, and one of another key is closed, if there is any, so that there will be room.
        """
        for endpoint in self.endpoints:
            if not endpoint.fit:
                continue
            connection = endpoint.pool.sharing().take(key) if shared else endpoint.pool.take(key)
            if connection is not None:
                return connection
        any(endpoint.pool.evict() for endpoint in self.endpoints)
        return None
