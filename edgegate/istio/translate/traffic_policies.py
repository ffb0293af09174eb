"""What DestinationRules say of a cluster, as the values that the data plane runs on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from edgegate.istio.kinds import destination_rule as kind
from edgegate.istio.kinds.destination_rule import SimpleLB, TrafficPolicy
from edgegate.istio.translate.destination_rules import Said
from edgegate.model.clusters import (
    Balancing,
    ConsistentHash,
    HashSource,
    HTTPVersion,
    Keepalive,
    LoadBalancer,
    Localities,
    OutlierDetection,
    Ping,
    PoolLimits,
    ProxyHeader,
    RetryShare,
    Warmup,
)

CONNECT_TIMEOUT = 10.0
"""Seconds, as in Istio (C{MeshConfig.connectTimeout})."""

T = TypeVar("T")

_SIMPLE = {
    SimpleLB.RANDOM: Balancing.RANDOM,
    SimpleLB.ROUND_ROBIN: Balancing.ROUND_ROBIN,
    SimpleLB.PASSTHROUGH: Balancing.PASSTHROUGH,
}


@dataclass(frozen=True, slots=True)
class Effective:
    """The parts of a policy that count for one port of one subset."""

    load_balancer: Said[kind.LoadBalancerSettings] | None = None
    connection_pool: Said[kind.ConnectionPoolSettings] | None = None
    outlier_detection: Said[kind.OutlierDetection] | None = None
    tls: Said[kind.ClientTLSSettings] | None = None
    proxy_protocol: Said[kind.ProxyProtocol] | None = None
    retry_budget: Said[kind.RetryBudget] | None = None


def effective(policy: Said[TrafficPolicy] | None, subset: Said[TrafficPolicy] | None, port: int) -> Effective:
    """
    Merge the policies of a rule and of a subset for a port.

    Each part counts whole. What a port's settings leave out has its default, as
    they stand in place of all that is said for every port; a subset's parts stand
    in place of the rule's (Istio's C{MergeSubsetTrafficPolicy}).
    """
    top, _ = _of_port(policy, port)
    if subset is None:
        return top
    own, for_port = _of_port(subset, port)
    return Effective(
        own.load_balancer or (None if for_port else top.load_balancer),
        own.connection_pool or (None if for_port else top.connection_pool),
        own.outlier_detection or (None if for_port else top.outlier_detection),
        own.tls or (None if for_port else top.tls),
        own.proxy_protocol or top.proxy_protocol,
        own.retry_budget or top.retry_budget,
    )


def _of_port(policy: Said[TrafficPolicy] | None, port: int) -> tuple[Effective, bool]:
    """Return what a policy says of a port, and whether it has settings for just that port."""
    if policy is None:
        return Effective(), False
    settings: Said[Any] = policy
    for index, each in enumerate(policy.value.port_level_settings):
        if each.port is not None and each.port.number == port:
            settings = Said(each, policy.resource, (*policy.path, "portLevelSettings", index))
            break
    found = Effective(
        _part(settings, "loadBalancer", lambda value: value.load_balancer),
        _part(settings, "connectionPool", lambda value: value.connection_pool),
        _part(settings, "outlierDetection", lambda value: value.outlier_detection),
        _part(settings, "tls", lambda value: value.tls),
        _part(policy, "proxyProtocol", lambda value: value.proxy_protocol),
        _part(policy, "retryBudget", lambda value: value.retry_budget),
    )
    return found, settings is not policy


def _part(policy: Said[Any], name: str, part: Callable[[Any], T | None]) -> Said[T] | None:
    value = part(policy.value)
    return None if value is None else Said(value, policy.resource, (*policy.path, name))


# Values --------------------------------------------------------------------------------------------------------------


def load_balancer(settings: kind.LoadBalancerSettings) -> LoadBalancer:
    """Return how load is spread; what says nothing is C{LEAST_REQUEST}."""
    simple = Balancing.LEAST_REQUEST if settings.simple is None else _SIMPLE.get(settings.simple)
    warmup = settings.warmup
    warm: Warmup | None
    if warmup is not None:
        aggression = 1.0 if warmup.aggression is None else float(warmup.aggression)
        minimum = 0.1 if warmup.minimum_percent is None else warmup.minimum_percent / 100
        warm = Warmup(float(warmup.duration), aggression, minimum)
    else:
        seconds = settings.warmup_duration_secs
        warm = None if seconds is None else Warmup(float(seconds))
    return LoadBalancer(
        simple or Balancing.LEAST_REQUEST,
        None if settings.consistent_hash is None else _hash(settings.consistent_hash),
        warm,
        _localities(settings.locality_lb_setting),
    )


def _hash(settings: kind.ConsistentHashLB) -> ConsistentHash | None:
    """Return what is hashed by; L{None} where nothing is said, which was reported."""
    size: dict[str, Any] = {}
    if settings.maglev is not None:
        size = {"maglev": True, "size": settings.maglev.table_size or 65537}
    else:
        ring = settings.ring_hash.minimum_ring_size if settings.ring_hash is not None else settings.minimum_ring_size
        size = {"size": ring or 1024}
    cookie = settings.http_cookie
    if cookie is not None:
        return ConsistentHash(
            HashSource.COOKIE,
            cookie.name,
            None if cookie.ttl is None else float(cookie.ttl),
            cookie.path or "",
            tuple((attribute.name, attribute.value or "") for attribute in cookie.attributes),
            **size,
        )
    if settings.http_header_name:
        return ConsistentHash(HashSource.HEADER, settings.http_header_name.lower(), **size)
    if settings.http_query_parameter_name:
        return ConsistentHash(HashSource.QUERY_PARAMETER, settings.http_query_parameter_name, **size)
    return ConsistentHash(HashSource.SOURCE_IP, **size) if settings.use_source_ip else None


def _localities(settings: kind.LocalityLBSetting | None) -> Localities | None:
    if settings is None or settings.enabled is False:
        return None
    distribute = tuple((each.from_ or "", tuple(each.to.items())) for each in settings.distribute)
    failover = tuple((each.from_ or "", each.to or "") for each in settings.failover)
    return Localities(distribute, failover, () if distribute else settings.failover_priority)


def pool_limits(settings: kind.ConnectionPoolSettings) -> PoolLimits:
    """Return what a cluster can be asked for at one time; 0 limits nothing."""
    http, tcp = settings.http or kind.HTTPSettings(), settings.tcp or kind.TCPSettings()
    keepalive = tcp.tcp_keepalive
    return PoolLimits(
        connections=tcp.max_connections or None,
        pending=http.http1_max_pending_requests or None,
        requests=http.http2_max_requests or None,
        requests_per_connection=http.max_requests_per_connection or None,
        retries=http.max_retries or None,
        http_idle=_seconds(http.idle_timeout),
        tcp_idle=_seconds(tcp.idle_timeout),
        connection_duration=_seconds(tcp.max_connection_duration),
        keepalive=None
        if keepalive is None
        else Keepalive(keepalive.probes or None, _seconds(keepalive.time), _seconds(keepalive.interval)),
        streams=http.max_concurrent_streams or None,
        ping=_ping(http.http2_keep_alive),
    )


def http_version(settings: kind.ConnectionPoolSettings, declared: HTTPVersion) -> HTTPVersion:
    """
    Return by which version of HTTP requests are sent.

    @param declared: What the service's port says. C{DO_NOT_UPGRADE} is said of HTTP/1.1 alone, as in Istio.
    """
    http = settings.http
    if http is None:
        return declared
    if http.use_client_protocol:
        return HTTPVersion.CLIENTS
    return HTTPVersion.HTTP2 if http.h2_upgrade_policy is kind.H2UpgradePolicy.UPGRADE else declared


def _ping(settings: kind.HTTP2KeepAlive | None) -> Ping | None:
    """Return how dead connections are found: by default each answer may take as long as there is between two."""
    interval = None if settings is None else _seconds(settings.interval)
    if settings is None or interval is None:
        return None
    return Ping(interval, _seconds(settings.timeout) or interval)


def connect_timeout(settings: kind.ConnectionPoolSettings) -> float:
    """Return how long a connection may take to be made, in seconds."""
    return (_seconds(settings.tcp.connect_timeout) if settings.tcp is not None else None) or CONNECT_TIMEOUT


def outlier_detection(settings: kind.OutlierDetection) -> OutlierDetection:
    """
    Return when an endpoint is left out.

    As in Envoy, 5 answers of 5xx in a row are enough unless something else is
    said; C{consecutiveErrors} counts 502 to 504 only, as in those versions of
    Istio that had it.
    """
    fewest, gateway = settings.consecutive_5xx_errors, settings.consecutive_gateway_errors
    legacy = settings.consecutive_errors or 0
    if legacy > 0:
        gateway = legacy if gateway is None else gateway
        fewest = 0 if fewest is None else fewest
    split = bool(settings.split_external_local_origin_errors)
    return OutlierDetection(
        consecutive_5xx=5 if fewest is None else fewest,
        consecutive_gateway_errors=gateway or 0,
        consecutive_local_failures=settings.consecutive_local_origin_failures or 5,
        split=split,
        statuses=frozenset(settings.outlier_detection_http_error_codes),
        interval=_seconds(settings.interval) or 10.0,
        base_ejection=_seconds(settings.base_ejection_time) or 30.0,
        max_ejected=(settings.max_ejection_percent or 10) / 100,
        min_health=(settings.min_health_percent or 0) / 100,
    )


def retry_share(settings: kind.RetryBudget) -> RetryShare:
    """Return how many requests may be retries."""
    share = 0.2 if settings.percent is None else settings.percent / 100
    minimum = 3 if settings.min_retry_concurrency is None else settings.min_retry_concurrency
    return RetryShare(share, minimum)


def proxy_header(settings: kind.ProxyProtocol) -> ProxyHeader:
    """Return the version of the PROXY protocol."""
    return ProxyHeader.V2 if settings.version is kind.ProxyProtocolVersion.V2 else ProxyHeader.V1


def _seconds(duration: float | None) -> float | None:
    return float(duration) if duration else None
