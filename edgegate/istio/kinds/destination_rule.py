"""Istio's C{DestinationRule}: how the gateway speaks to a service, and its subsets."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from msgspec import Meta, field

from edgegate.istio.kinds.base import Duration, DurationOrNone, Int32, Note, OneOf, Spec, UInt32

_NO_MESH = "not honoured: its certificates are a mesh's; connections are in the clear"


class SimpleLB(Enum):
    """How an endpoint is chosen. C{LEAST_CONN} is an old name of C{LEAST_REQUEST}."""

    UNSPECIFIED = "UNSPECIFIED"
    LEAST_CONN = "LEAST_CONN"
    RANDOM = "RANDOM"
    PASSTHROUGH = "PASSTHROUGH"
    ROUND_ROBIN = "ROUND_ROBIN"
    LEAST_REQUEST = "LEAST_REQUEST"


class CookieAttribute(Spec, frozen=True, kw_only=True):
    """A further attribute of a cookie."""

    name: str
    value: str | None = None


class HTTPCookie(Spec, frozen=True, kw_only=True):
    """A cookie to hash by; with a C{ttl} it is made where there is none."""

    name: str
    path: str | None = None
    ttl: DurationOrNone | None = None
    attributes: tuple[CookieAttribute, ...] = ()


class RingHash(Spec, frozen=True, kw_only=True):
    """A ring of hashes."""

    minimum_ring_size: UInt32 | None = None


class Maglev(Spec, frozen=True, kw_only=True):
    """A table of hashes."""

    table_size: UInt32 | None = None


class ConsistentHashLB(OneOf, frozen=True, kw_only=True):
    """Requests that are alike go to one endpoint."""

    one_of = ("http_header_name", "http_cookie", "use_source_ip", "http_query_parameter_name")

    http_header_name: str | None = None
    http_cookie: HTTPCookie | None = None
    use_source_ip: bool | None = None
    http_query_parameter_name: str | None = None
    ring_hash: RingHash | None = None
    maglev: Maglev | None = None
    minimum_ring_size: UInt32 | None = None


class Distribute(Spec, frozen=True, kw_only=True):
    """Where requests of clients in a locality go; locality patterns with weights in percent."""

    from_: str | None = field(name="from", default=None)
    to: dict[str, UInt32] = {}


class Failover(Spec, frozen=True, kw_only=True):
    """The region that takes over from another."""

    from_: str | None = field(name="from", default=None)
    to: str | None = None


class LocalityLBSetting(Spec, frozen=True, kw_only=True):
    """Which endpoints are near."""

    distribute: tuple[Distribute, ...] = ()
    failover: tuple[Failover, ...] = ()
    failover_priority: tuple[str, ...] = ()
    enabled: bool | None = None


class ZoneAwareLBSetting(Spec, frozen=True, kw_only=True):
    """Keeps requests within a zone."""

    enabled: bool | None = None
    failover: tuple[Failover, ...] = ()
    failover_priority: tuple[str, ...] = ()
    min_cluster_size: Annotated[int, Meta(ge=1, le=4294967295)] | None = None


class Warmup(Spec, frozen=True, kw_only=True):
    """New endpoints get their share bit by bit."""

    duration: Duration
    aggression: float | None = None
    minimum_percent: float | None = None


class LoadBalancerSettings(OneOf, frozen=True, kw_only=True):
    """How requests are spread."""

    one_of = ("simple", "consistent_hash")

    simple: SimpleLB | None = None
    consistent_hash: ConsistentHashLB | None = None
    locality_lb_setting: LocalityLBSetting | None = None
    zone_aware_lb_setting: Annotated[
        ZoneAwareLBSetting | None, Note("not honoured: use localityLbSetting, which is").meta
    ] = None
    warmup: Warmup | None = None
    warmup_duration_secs: Duration | None = None


class H2UpgradePolicy(Enum):
    """Whether HTTP/1.1 becomes HTTP/2."""

    DEFAULT = "DEFAULT"
    DO_NOT_UPGRADE = "DO_NOT_UPGRADE"
    UPGRADE = "UPGRADE"


class HTTP2KeepAlive(Spec, frozen=True, kw_only=True):
    """PING frames."""

    interval: Duration | None = None
    timeout: Duration | None = None


class HTTPSettings(Spec, frozen=True, kw_only=True):
    """Limits of HTTP. What is 0 is not limited."""

    http1_max_pending_requests: Int32 | None = field(name="http1MaxPendingRequests", default=None)
    http2_max_requests: Int32 | None = field(name="http2MaxRequests", default=None)
    max_requests_per_connection: Int32 | None = None
    max_retries: Int32 | None = None
    idle_timeout: Duration | None = None
    h2_upgrade_policy: H2UpgradePolicy | None = field(name="h2UpgradePolicy", default=None)
    use_client_protocol: bool | None = None
    max_concurrent_streams: Int32 | None = None
    http2_keep_alive: HTTP2KeepAlive | None = field(name="http2KeepAlive", default=None)


class TCPKeepalive(Spec, frozen=True, kw_only=True):
    """TCP's own probes."""

    probes: UInt32 | None = None
    time: Duration | None = None
    interval: Duration | None = None


class TCPSettings(Spec, frozen=True, kw_only=True):
    """Limits of connections. What is 0 is not limited."""

    max_connections: Int32 | None = None
    connect_timeout: Duration | None = None
    tcp_keepalive: TCPKeepalive | None = None
    max_connection_duration: Duration | None = None
    idle_timeout: DurationOrNone | None = None


class ConnectionPoolSettings(Spec, frozen=True, kw_only=True):
    """What a service can be asked for at one time."""

    tcp: TCPSettings | None = None
    http: HTTPSettings | None = None


class OutlierDetection(Spec, frozen=True, kw_only=True):
    """When an endpoint that fails is left out for a while. C{consecutiveErrors} is what Istio had at first."""

    consecutive_errors: Int32 | None = None
    split_external_local_origin_errors: bool | None = None
    consecutive_local_origin_failures: UInt32 | None = None
    consecutive_gateway_errors: UInt32 | None = None
    consecutive_5xx_errors: UInt32 | None = field(name="consecutive5xxErrors", default=None)
    interval: Duration | None = None
    base_ejection_time: Duration | None = None
    max_ejection_percent: Int32 | None = None
    min_health_percent: Int32 | None = None
    outlier_detection_http_error_codes: tuple[UInt32, ...] = ()


class ClientTLSMode(Enum):
    """Whether the gateway talks TLS, and whether it shows a certificate."""

    DISABLE = "DISABLE"
    SIMPLE = "SIMPLE"
    MUTUAL = "MUTUAL"
    ISTIO_MUTUAL = "ISTIO_MUTUAL"


class ClientTLSSettings(Spec, frozen=True, kw_only=True):
    """TLS with endpoints. Without a mode it is C{DISABLE}."""

    mode: Annotated[ClientTLSMode | None, Note(values=(("ISTIO_MUTUAL", _NO_MESH),)).meta] = None
    client_certificate: str | None = None
    private_key: str | None = None
    ca_certificates: str | None = None
    credential_name: str | None = None
    subject_alt_names: tuple[str, ...] = ()
    sni: str | None = None
    insecure_skip_verify: bool | None = None
    ca_crl: str | None = None


class PolicyPort(Spec, frozen=True, kw_only=True):
    """The port that settings are for."""

    number: UInt32 | None = None


class PortTrafficPolicy(Spec, frozen=True, kw_only=True):
    """The settings of one port."""

    port: PolicyPort | None = None
    load_balancer: LoadBalancerSettings | None = None
    connection_pool: ConnectionPoolSettings | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTLSSettings | None = None


class TunnelSettings(Spec, frozen=True, kw_only=True):
    """Connections within others."""

    target_host: str
    target_port: UInt32
    protocol: str | None = None


class ProxyProtocolVersion(Enum):
    """The version of the PROXY protocol."""

    V1 = "V1"
    V2 = "V2"


class ProxyProtocol(Spec, frozen=True, kw_only=True):
    """Endpoints are told the client's address. Without a version it is C{V1}."""

    version: ProxyProtocolVersion | None = None


class RetryBudget(Spec, frozen=True, kw_only=True):
    """How many requests may be retries."""

    percent: float | None = None
    budget_interval: Annotated[
        DurationOrNone | None, Note("not honoured: requests that are under way count, however long").meta
    ] = None
    min_retry_concurrency: UInt32 | None = None


class TrafficPolicy(Spec, frozen=True, kw_only=True):
    """How the gateway speaks to a service."""

    load_balancer: LoadBalancerSettings | None = None
    connection_pool: ConnectionPoolSettings | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTLSSettings | None = None
    port_level_settings: tuple[PortTrafficPolicy, ...] = ()
    tunnel: Annotated[TunnelSettings | None, Note("not honoured: connections are not tunnelled").meta] = None
    proxy_protocol: ProxyProtocol | None = None
    retry_budget: RetryBudget | None = None


class Subset(Spec, frozen=True, kw_only=True):
    """Some of a service's endpoints, by their labels."""

    name: str | None = None
    labels: dict[str, str] = {}
    traffic_policy: TrafficPolicy | None = None


class RuleSelector(Spec, frozen=True, kw_only=True):
    """Which workloads' own connections a rule is for."""

    match_labels: dict[str, str] = {}


class DestinationRule(Spec, frozen=True, kw_only=True):
    """The C{spec} of a DestinationRule."""

    host: str = ""
    traffic_policy: TrafficPolicy | None = None
    subsets: tuple[Subset, ...] = ()
    export_to: tuple[str, ...] = ()
    workload_selector: Annotated[
        RuleSelector | None, Note("not honoured: the rule is for workloads of a mesh, and is left out").meta
    ] = None
