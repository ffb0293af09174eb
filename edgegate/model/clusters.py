# Compiled: values that hot modules read.
"""
Clusters: what stands behind the gateway, and how it is spoken to (Istio's C{DestinationRule} and C{ServiceEntry}).

Times are in seconds. A limit that is L{None} is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType

from edgegate.model.addresses import Address
from edgegate.model.origin import Origin
from edgegate.model.picklable import Picklable
from edgegate.model.tls import UpstreamTLS


class Discovery(Enum):
    """How a cluster's endpoints become addresses; values are Envoy's."""

    STATIC = "STATIC"
    DNS = "STRICT_DNS"  # every address of a name is an endpoint
    LOGICAL_DNS = "LOGICAL_DNS"  # one address of a name at a time, the next one for each new connection
    DYNAMIC = "DYNAMIC_FORWARD_PROXY"  # the name is the request's own; the only endpoint's is the pattern that it fits


@dataclass(frozen=True, slots=True)
class Probe(Picklable):
    """
    An active check of an endpoint's health (Istio's C{ReadinessProbe}).

    Exactly one of C{http_path}, C{grpc_service} and C{tcp} says how.

    @ivar port: Where it is asked; the host is the endpoint's unless C{host} says another.
    @ivar http_path: Healthy is a status of 200 to 399.
    @ivar http2: Whether that is asked for by HTTP/2, if the endpoint agrees to it; gRPC always is.
    @ivar tls: Whether the endpoint is asked over TLS; whose certificate it shows does not matter.
    @ivar grpc_service: Of C{grpc.health.v1.Health/Check}; healthy is C{SERVING}.
    @ivar failures: In a row, after which a healthy endpoint is not; C{successes} likewise.
    """

    port: int
    http_path: str | None = None
    http2: bool = False
    http_headers: tuple[tuple[str, str], ...] = ()
    grpc_service: str | None = None
    tcp: bool = False
    tls: bool = False
    host: str = ""
    initial_delay: float = 0.0
    timeout: float = 1.0
    period: float = 10.0
    successes: int = 1
    failures: int = 3


@dataclass(frozen=True, slots=True)
class Endpoint(Picklable):
    """
    A member of a cluster (Istio's C{WorkloadEntry}); weight 0 counts as 1.

    @ivar locality: C{region/zone/subzone}, as much of it as is known.
    @ivar probe: How its health is asked for; L{None}: it is not.
    @ivar workload: The name of what runs there, for metrics, or empty.
    """

    address: Address
    weight: int = 1
    labels: tuple[tuple[str, str], ...] = ()
    locality: str = ""
    probe: Probe | None = None
    workload: str = ""


Endpoints = Mapping[str, tuple[Endpoint, ...]]
"""
The endpoints of clusters, by the clusters' names.

They change far more often than all else, and are no part of a Snapshot: one that comes or goes compiles nothing anew.
"""


NO_ENDPOINTS: Endpoints = MappingProxyType({})


class Balancing(Enum):
    """How an endpoint is chosen (Istio's C{LoadBalancerSettings.SimpleLB})."""

    LEAST_REQUEST = "LEAST_REQUEST"  # the one with fewer requests under way of two that are drawn
    ROUND_ROBIN = "ROUND_ROBIN"
    RANDOM = "RANDOM"
    PASSTHROUGH = "PASSTHROUGH"  # the address that the client connected to


class HashSource(Enum):
    """What of a request tells to which endpoint it belongs."""

    HEADER = "header"
    COOKIE = "cookie"
    SOURCE_IP = "source IP"
    QUERY_PARAMETER = "query parameter"


@dataclass(frozen=True, slots=True)
class ConsistentHash(Picklable):
    """
    Requests that are alike go to one endpoint as long as it is there.

    @ivar name: Of the header (in lower case), cookie or parameter.
    @ivar cookie_ttl: Seconds that a cookie which the gateway makes is kept; 0: as long as the browser runs; L{None}:
        the gateway makes none.
    @ivar cookie_attributes: Further ones, with their values or empty.
    @ivar maglev: Whether a Maglev table is used, or else a ring.
    @ivar size: Entries of the table, or at least of the ring.
    """

    source: HashSource
    name: str = ""
    cookie_ttl: float | None = None
    cookie_path: str = ""
    cookie_attributes: tuple[tuple[str, str], ...] = ()
    maglev: bool = False
    size: int = 1024


@dataclass(frozen=True, slots=True)
class Warmup(Picklable):
    """
    Endpoints that are new get their share bit by bit (Envoy's C{SlowStartConfig}).

    @ivar aggression: 1: evenly; more: faster at first.
    @ivar minimum: The share of a new endpoint's weight to begin with, between 0 and 1.
    """

    duration: float
    aggression: float = 1.0
    minimum: float = 0.1


@dataclass(frozen=True, slots=True)
class Localities(Picklable):
    """
    Which endpoints are near, and who takes over from them (Istio's C{LocalityLoadBalancerSetting}).

    @ivar distribute: Weights by locality pattern, for clients in a locality pattern (C{region/zone/*}).
    @ivar failover: From one region to another.
    @ivar priorities: Labels, C{key} or C{key=value}, of which more in a row are better.
    """

    distribute: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = ()
    failover: tuple[tuple[str, str], ...] = ()
    priorities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadBalancer(Picklable):
    """How load is spread over the endpoints of a cluster; where C{hash} is given, by that."""

    simple: Balancing = Balancing.LEAST_REQUEST
    hash: ConsistentHash | None = None
    warmup: Warmup | None = None
    localities: Localities | None = None


@dataclass(frozen=True, slots=True)
class Keepalive(Picklable):
    """TCP's own probes on connections to endpoints; what is L{None} is the system's default."""

    probes: int | None = None
    time: float | None = None
    interval: float | None = None


@dataclass(frozen=True, slots=True)
class Ping(Picklable):
    """
    HTTP/2's own probes (Istio's C{HTTP2KeepAlive}).

    @ivar interval: Seconds from one PING to the next.
    @ivar timeout: Seconds after which a connection is dead that has not answered one.
    """

    interval: float
    timeout: float


@dataclass(frozen=True, slots=True)
class PoolLimits(Picklable):
    """
    What a cluster can be asked for at one time (Istio's C{ConnectionPoolSettings}, Envoy's circuit breakers).

    @ivar connections: To all endpoints together.
    @ivar pending: Requests that wait for a connection.
    @ivar requests: Requests under way, those that wait included.
    @ivar requests_per_connection: After which a connection is closed.
    @ivar retries: Requests that are being tried again.
    @ivar streams: Requests under way on one connection of HTTP/2.
    @ivar ping: How connections of HTTP/2 are tried that may be dead; L{None}: not at all.
    @ivar http_idle: Seconds after which an idle connection of the pool is closed.
    @ivar tcp_idle: Seconds without a byte after which a relay ends.
    @ivar connection_duration: Seconds after which a connection takes no further request.
    """

    connections: int | None = None
    pending: int | None = None
    requests: int | None = None
    requests_per_connection: int | None = None
    retries: int | None = None
    http_idle: float | None = None
    tcp_idle: float | None = None
    connection_duration: float | None = None
    keepalive: Keepalive | None = None
    streams: int | None = None
    ping: Ping | None = None

    def divided(self, processes: int) -> PoolLimits:
        """
        Return what each of several processes may ask for, so that all together ask for no less than one would, and for
        one more each at most.
        """
        if processes == 1:
            return self
        return replace(
            self,
            connections=_share(self.connections, processes),
            pending=_share(self.pending, processes),
            requests=_share(self.requests, processes),
            retries=_share(self.retries, processes),
        )


def _share(limit: int | None, processes: int) -> int | None:
    return None if limit is None else -(-limit // processes)


@dataclass(frozen=True, slots=True)
class RetryShare(Picklable):
    """
    How many requests of a cluster may be retries at one time (Istio's C{TrafficPolicy.retryBudget}).

    @ivar share: Of all that are under way, between 0 and 1.
    @ivar minimum: That many always may.
    """

    share: float = 0.2
    minimum: int = 3

    def divided(self, processes: int) -> RetryShare:
        """Return what each of several processes may retry."""
        return self if processes == 1 else replace(self, minimum=-(-self.minimum // processes))


@dataclass(frozen=True, slots=True)
class OutlierDetection(Picklable):
    """
    When an endpoint that fails gets no requests for a while (Istio's C{OutlierDetection}); 0 turns a count off.

    @ivar consecutive_5xx: Answers of 500 to 599 in a row, local failures included unless they are counted apart.
    @ivar consecutive_gateway_errors: Answers of 502 to 504 in a row, likewise.
    @ivar consecutive_local_failures: Connects that failed and the like in a row; only if C{split}.
    @ivar split: Whether local failures are counted apart.
    @ivar statuses: What counts as an error in place of 500 to 599; empty: those.
    @ivar interval: Seconds between two looks at who may come back.
    @ivar base_ejection: Seconds, times the number of ejections.
    @ivar max_ejected: Share of all endpoints, between 0 and 1; one may always be.
    @ivar min_health: Share of healthy endpoints below which all are taken for healthy; 0: never.
    """

    consecutive_5xx: int = 5
    consecutive_gateway_errors: int = 0
    consecutive_local_failures: int = 5
    split: bool = False
    statuses: frozenset[int] = frozenset()
    interval: float = 10.0
    base_ejection: float = 30.0
    max_ejected: float = 0.1
    min_health: float = 0.0


class HTTPVersion(Enum):
    """What requests are sent to a cluster by. An upgrade is always asked for by HTTP/1.1."""

    HTTP1 = "HTTP/1.1"
    HTTP2 = "HTTP/2"
    CLIENTS = "the client's"


class ProxyHeader(Enum):
    """The version of the PROXY protocol that a backend is told the client's address in."""

    V1 = 1
    V2 = 2


@dataclass(frozen=True, slots=True)
class Cluster(Picklable):
    """
    A backend: one port of one service, or one subset of it. Its endpoints come by another way: see L{Endpoints}.

    @ivar name: C{outbound|80|v1|webapp.default.svc.cluster.local}, as Istio names it; the key for everything mutable.
    @ivar connect_timeout: In seconds.
    @ivar tls: L{None}: in the clear.
    @ivar outliers: L{None}: nothing is ejected.
    @ivar retry_share: L{None}: the gateway's own budget counts.
    @ivar http: By which version of HTTP requests are sent there.
    @ivar grpc_web: Whether its port is for gRPC-Web: of such requests gRPC is made, which its endpoints speak.
    @ivar rule: Where the DestinationRule is that says so, if there is one.
    """

    name: str
    discovery: Discovery
    origin: Origin = field(compare=False)
    connect_timeout: float = 10.0
    balancer: LoadBalancer = LoadBalancer()
    limits: PoolLimits = PoolLimits()
    outliers: OutlierDetection | None = None
    retry_share: RetryShare | None = None
    tls: UpstreamTLS | None = None
    proxy_header: ProxyHeader | None = None
    http: HTTPVersion = HTTPVersion.HTTP1
    grpc_web: bool = False
    rule: Origin | None = field(default=None, compare=False)
