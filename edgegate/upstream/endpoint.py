# Hot path: one of them is chosen for each request.
"""What is known of one address of a cluster."""

from __future__ import annotations

from typing import Final

from edgegate.errors import CONNECT_TIMEOUT, Fault
from edgegate.model.addresses import Address
from edgegate.model.clusters import Endpoint, PoolLimits
from edgegate.observe.metrics.meters import Meter
from edgegate.upstream.circuit_breaker import CircuitBreaker
from edgegate.upstream.health.outlier_detection import Record
from edgegate.upstream.pool import Pool

CONNECTED: Final = 10
NOT_CONNECTED: Final = 11
TOO_SLOW: Final = 12
"""Numbers of L{edgegate.observe.metrics.families.CLUSTERS}; tests compare them with the table."""


class EndpointState:
    """
    One address of a cluster.

    The counters are plain integers that whoever uses the endpoint changes:

    @ivar cluster: The name of the cluster that it belongs to.
    @ivar address: An IP literal with its port, or a UNIX path.
    @ivar weight: Its share of the turns, 1 or more.
    @ivar said: What the files say of it; of an address that is named twice, the first time.
    @ivar pool: Idle connections; of the kind that the cluster's protocol makes.
    @ivar active: Requests or relays under way: one more when one is begun on a connection to it, one less at its end.
    @ivar connections: Connections that were established, ever.
    @ivar connect_failures: Connects that failed, ever.
    @ivar requests: Requests that were sent to it, ever; a relay is none.
    @ivar ejected: Whether it failed too often of late (L{edgegate.upstream.health.outlier_detection}).
    @ivar unhealthy: Whether it answers its probes badly (L{edgegate.upstream.health.active}).
    @ivar meter: Counts what is asked of it and of others like it; L{None}: nothing does.
    @ivar circuit_breaker: The limits of its cluster; L{None}: there are none.
    @ivar limits: Those of its cluster.
    @ivar record: How it answered of late.
    @ivar since: The clock's seconds when it came, or came to be fit again.
    """

    __slots__ = (
        "active",
        "address",
        "circuit_breaker",
        "cluster",
        "connect_failures",
        "connections",
        "ejected",
        "limits",
        "meter",
        "pool",
        "record",
        "requests",
        "said",
        "since",
        "unhealthy",
        "weight",
    )

    def __init__(
        self, address: Address, pool: Pool, weight: int = 1, cluster: str = "", said: Endpoint | None = None
    ) -> None:
        self.address = address
        self.cluster = cluster
        self.weight = weight
        self.said = Endpoint(address) if said is None else said
        self.pool = pool
        self.active = 0
        self.connections = 0
        self.connect_failures = 0
        self.requests = 0
        self.ejected = self.unhealthy = False
        self.circuit_breaker: CircuitBreaker | None = None
        self.meter: Meter | None = None
        self.limits = PoolLimits()
        self.record = Record()
        self.since = 0.0

    def connected(self) -> None:
        """A connection to it was made."""
        self.connections += 1
        if self.meter is not None:
            self.meter.count_cluster(CONNECTED)

    def not_connected(self, fault: Fault) -> None:
        """One could not be made."""
        self.connect_failures += 1
        if self.meter is not None:
            self.meter.count_cluster(NOT_CONNECTED)
            if fault is CONNECT_TIMEOUT:
                self.meter.count_cluster(TOO_SLOW)

    @property
    def open_connections(self) -> int:
        """Connections to it that are there: those that carry requests one at a time or a relay, and the shared ones."""
        shared, streams = self.pool.shared_connections()
        return max(len(self.pool) + self.active - streams, 0) + shared

    @property
    def fit(self) -> bool:
        """Whether requests should go there."""
        return not (self.ejected or self.unhealthy)

    @property
    def locality(self) -> str:
        """Where it is: C{region/zone/subzone}, or less of it."""
        return self.said.locality

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """Its labels."""
        return self.said.labels

    def __repr__(self) -> str:
        return f"<EndpointState {self.address} active={self.active} {self.pool!r}>"
