# Compiled: values that hot modules read.
"""
Every metric by name, in tables: what it means, its labels, and where its numbers are.

A L{Kind} is a row of numbers with labels, and its L{Family}s say what each
number is. Names and labels are Envoy's where they begin with C{envoy_},
Istio's where they begin with C{istio_}, and those of Prometheus' client
libraries where they begin with C{process_}.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from edgegate.observe.metrics.buckets import COUNT


class Type(Enum):
    """What Prometheus calls it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Merge(Enum):
    """What the numbers of several processes make together."""

    SUM = "sum"
    MOST = "most"
    LEAST = "least"


CLASSES: Final = ("1", "2", "3", "4", "5")
"""Statuses by their hundreds."""

HISTOGRAM: Final = COUNT + 1
"""Numbers of a histogram: the sum, and then one for each bucket, in which those of the buckets below are not."""


@dataclass(frozen=True, slots=True)
class Family:
    """
    One metric.

    @ivar help: What it counts, and in which unit.
    @ivar thousandths: Whether its number has thousandths of what it tells: seconds are counted in milliseconds.
    @ivar split: The values of a further label, C{envoy_response_code_class}: one number for each; empty: it has none.
    @ivar offset: Where its first number is in those of its kind.
    @ivar exemplars: Whether its series' exemplars are of it, a histogram.
    """

    name: str
    help: str
    type: Type = Type.COUNTER
    split: tuple[str, ...] = ()
    merge: Merge = Merge.SUM
    offset: int = 0
    thousandths: bool = False
    exemplars: bool = False

    @property
    def width(self) -> int:
        """How many numbers it has."""
        return HISTOGRAM if self.type is Type.HISTOGRAM else len(self.split) or 1


@dataclass(frozen=True, slots=True)
class Kind:
    """
    Metrics that have the same labels.

    @ivar labels: Their names, in the order of a series' values.
    @ivar peers: Whether they are Istio's: with C{reporter} and C{source_*} before those.
    @ivar secured: Whether C{connection_security_policy} comes behind them.
    @ivar most: Values of the first label where of several processes the most is shown, whatever the families say.
    """

    name: str
    labels: tuple[str, ...]
    families: tuple[Family, ...]
    peers: bool = False
    secured: bool = False
    width: int = field(default=0)
    most: tuple[str, ...] = ()


def _kind(
    name: str,
    labels: tuple[str, ...],
    *families: Family,
    peers: bool = False,
    secured: bool = False,
    most: tuple[str, ...] = (),
) -> Kind:
    """Return a kind whose families have their numbers one behind the other."""
    placed = []
    offset = 0
    for each in families:
        placed.append(replace(each, offset=offset))
        offset += each.width
    return Kind(name, labels, tuple(placed), peers, secured, offset, most)


def _gauge(name: str, text: str, merge: Merge = Merge.SUM) -> Family:
    return Family(name, text, Type.GAUGE, (), merge)


def _histogram(name: str, text: str) -> Family:
    return Family(name, text, Type.HISTOGRAM)


def _by_class(name: str) -> Family:
    return Family(name, "Requests by the hundreds of their status.", split=CLASSES)


DESTINATION: Final = (
    "destination_workload",
    "destination_workload_namespace",
    "destination_principal",
    "destination_app",
    "destination_version",
    "destination_service",
    "destination_canonical_service",
    "destination_canonical_revision",
    "destination_service_name",
    "destination_service_namespace",
    "destination_cluster",
)
"""The labels of whom a request or a relay was for."""

_CLUSTER: Final = ("envoy_cluster_name",)
_LISTENER: Final = ("envoy_listener_address",)
_LIMIT: Final = ("limit",)

REQUESTS: Final = _kind(
    "requests",
    (*DESTINATION, "request_protocol", "response_code", "grpc_response_status", "response_flags"),
    Family("istio_requests_total", "Requests that ended, whoever answered them."),
    Family(
        "istio_request_duration_milliseconds",
        "Whole milliseconds from a request's head to the end of its response.",
        Type.HISTOGRAM,
        exemplars=True,
    ),
    _histogram("istio_request_bytes", "Bytes of a request's body."),
    _histogram("istio_response_bytes", "Bytes of a response's body."),
    peers=True,
    secured=True,
)
MESSAGES: Final = _kind(
    "messages",
    DESTINATION,
    Family("istio_request_messages_total", "Messages of gRPC from clients."),
    Family("istio_response_messages_total", "Messages of gRPC to clients."),
    peers=True,
)
RELAYS: Final = _kind(
    "relays",
    (*DESTINATION, "request_protocol", "response_flags"),
    Family("istio_tcp_connections_opened_total", "Relayed connections that began."),
    Family("istio_tcp_connections_closed_total", "Relayed connections that ended."),
    Family("istio_tcp_sent_bytes_total", "Bytes of relays to clients."),
    Family("istio_tcp_received_bytes_total", "Bytes of relays from clients."),
    peers=True,
    secured=True,
)
CLUSTERS: Final = _kind(
    "clusters",
    _CLUSTER,
    Family("envoy_cluster_upstream_rq_total", "Requests sent to endpoints, each try of its own."),
    Family("envoy_cluster_upstream_rq_retry", "Tries after the first."),
    Family("envoy_cluster_upstream_rq_retry_success", "Requests that were answered well after another try."),
    Family("envoy_cluster_upstream_rq_retry_limit_exceeded", "Requests whose retries were used up (URX)."),
    Family("envoy_cluster_upstream_rq_timeout", "Requests whose response took too long (UT)."),
    Family("envoy_cluster_upstream_rq_rx_reset", "Requests that the endpoint reset (UR)."),
    Family("envoy_cluster_upstream_rq_cancelled", "Requests whose client left before the end (DC)."),
    Family("envoy_cluster_upstream_rq_pending_overflow", "Requests refused by the cluster's limits (UO)."),
    Family("envoy_cluster_upstream_cx_none_healthy", "Requests for which no endpoint was fit (UH)."),
    Family(
        "envoy_cluster_upstream_cx_destroy_remote_with_active_rq",
        "Connections that the endpoint closed before the end of a response (UC).",
    ),
    Family("envoy_cluster_upstream_cx_total", "Connections to endpoints that were made."),
    Family("envoy_cluster_upstream_cx_connect_fail", "Connections to endpoints that could not be made."),
    Family("envoy_cluster_upstream_cx_connect_timeout", "Those of them that took too long."),
    Family("envoy_cluster_upstream_cx_rx_bytes_total", "Bytes of bodies and relays from endpoints."),
    Family("envoy_cluster_upstream_cx_tx_bytes_total", "Bytes of bodies and relays to endpoints."),
    _by_class("envoy_cluster_upstream_rq_xx"),
    _histogram(
        "envoy_cluster_upstream_rq_time", "Whole milliseconds from a request's departure to the begin of the response."
    ),
)
CLUSTER_GAUGES: Final = _kind(
    "cluster gauges",
    _CLUSTER,
    _gauge("envoy_cluster_membership_total", "Endpoints.", Merge.MOST),
    _gauge("envoy_cluster_membership_healthy", "Endpoints that may be chosen.", Merge.LEAST),
    _gauge("envoy_cluster_membership_degraded", "Endpoints that are degraded: there are none.", Merge.MOST),
    _gauge(
        "envoy_cluster_membership_excluded", "Endpoints that are left out of all counts: there are none.", Merge.MOST
    ),
    _gauge("envoy_cluster_outlier_detection_ejections_active", "Endpoints that are ejected.", Merge.MOST),
    _gauge("envoy_cluster_upstream_cx_active", "Connections to endpoints that are open."),
    _gauge("envoy_cluster_upstream_rq_active", "Requests and relays under way."),
    _gauge("envoy_cluster_upstream_rq_pending_active", "Requests that wait for a connection."),
    _gauge(
        "envoy_cluster_circuit_breakers_default_cx_open", "1: there is no room for one more connection.", Merge.MOST
    ),
    _gauge("envoy_cluster_circuit_breakers_default_rq_pending_open", "1: no more requests may wait.", Merge.MOST),
    _gauge("envoy_cluster_circuit_breakers_default_rq_open", "1: no more requests may be under way.", Merge.MOST),
)
LISTENERS: Final = _kind(
    "listeners",
    _LISTENER,
    Family("envoy_listener_downstream_cx_total", "Clients' connections that were taken."),
    Family("envoy_listener_downstream_cx_overflow", "Connections closed at once: there were too many."),
    Family("envoy_listener_ssl_handshake", "Handshakes of TLS that ended here and were complete."),
)
LISTENER_GAUGES: Final = _kind(
    "listener gauges",
    _LISTENER,
    _gauge("envoy_listener_downstream_cx_active", "Clients' connections that are open."),
)
TCP: Final = _kind(
    "tcp",
    ("envoy_tcp_prefix",),
    Family("envoy_tcp_downstream_cx_total", "Relayed connections that got a backend, by its cluster."),
    Family("envoy_tcp_downstream_cx_rx_bytes_total", "Bytes of relays from clients."),
    Family("envoy_tcp_downstream_cx_tx_bytes_total", "Bytes of relays to clients."),
    Family("envoy_tcp_idle_timeout", "Relays that ended since nothing had passed for too long (SI)."),
)
CERTIFICATES: Final = _kind(
    "certificates",
    (*_LISTENER, "envoy_tls_certificate"),
    _gauge(
        "envoy_listener_ssl_certificate_expiration_unix_time_seconds",
        "When a certificate that is shown there, or the first of its chain, ends.",
        Merge.LEAST,
    ),
)
MANAGED: Final = _kind(
    "managed certificates",
    ("issuer", "state"),
    _gauge("edgegate_managed_certificates", "Certificates that an issuer has issued or is to issue.", Merge.MOST),
)
MANAGED_TIMES: Final = _kind(
    "times of managed certificates",
    ("issuer",),
    _gauge(
        "edgegate_managed_certificate_expiration_timestamp_seconds",
        "When the first certificate of an issuer ends, in seconds since the epoch.",
        Merge.LEAST,
    ),
    _gauge(
        "edgegate_managed_certificate_renewal_timestamp_seconds",
        "When the next one is issued or renewed, in seconds since the epoch; in the past: it is due.",
        Merge.LEAST,
    ),
    _gauge(
        "edgegate_managed_certificate_last_success_timestamp_seconds",
        "When one was issued last, in seconds since the epoch.",
        Merge.MOST,
    ),
)
ISSUING: Final = _kind(
    "issuing",
    ("issuer", "outcome"),
    Family("edgegate_certificate_orders_total", "Tries to have a certificate issued, by what came of them."),
)
CHALLENGES: Final = _kind(
    "challenges",
    ("challenge",),
    Family("edgegate_acme_challenges_answered_total", "Challenges of authorities that were answered, by their kind."),
)
HTTP: Final = _kind(
    "http",
    ("envoy_http_conn_manager_prefix",),
    Family("envoy_http_downstream_cx_total", "Connections that carried HTTP."),
    Family("envoy_http_downstream_rq_total", "Requests that ended."),
    Family("envoy_http_downstream_rq_rx_reset", "Requests whose client left before the end (DC)."),
    Family("envoy_http_downstream_rq_too_large", "Requests with a body that is too large."),
    Family("envoy_http_no_route", "Requests for which there is no route (NR)."),
    Family("envoy_http_downstream_cx_rx_bytes_total", "Bytes of requests' bodies."),
    Family("envoy_http_downstream_cx_tx_bytes_total", "Bytes of responses' bodies."),
    _by_class("envoy_http_downstream_rq_xx"),
    _histogram("envoy_http_downstream_rq_time", "Whole milliseconds from a request's head to the end of its response."),
)
AUTHORIZATION: Final = _kind(
    "authorization",
    ("envoy_http_conn_manager_prefix",),
    Family("envoy_http_rbac_allowed", "Requests that the policies of one action let pass."),
    Family("envoy_http_rbac_denied", "Requests that they refused."),
    *(
        Family(f"envoy_http_rbac_istio_dry_run_{action}_shadow_{verdict}", f"Those that would have been {verdict}.")
        for action in ("allow", "deny")
        for verdict in ("allowed", "denied")
    ),
)
SERVER: Final = _kind(
    "server",
    (),
    _gauge("envoy_server_live", "1: requests are served; 0: the gateway ends.", Merge.LEAST),
    _gauge("envoy_server_state", "0: live, 1: draining, 3: the first certificates are awaited.", Merge.MOST),
    _gauge("envoy_server_uptime", "Seconds since the gateway's start.", Merge.MOST),
    _gauge("envoy_server_concurrency", "Processes that serve."),
    _gauge("envoy_server_memory_allocated", "Bytes of memory that the gateway's processes have for themselves."),
    _gauge("envoy_server_memory_heap_size", "The same."),
    _gauge(
        "envoy_server_memory_physical_size", "Bytes of memory that they have, with what they share counted each time."
    ),
    _gauge("envoy_server_total_connections", "Clients' connections that are open."),
    _gauge("envoy_server_days_until_first_cert_expiring", "Whole days until the first certificate ends.", Merge.LEAST),
    _gauge("envoy_cluster_manager_active_clusters", "Clusters of the files.", Merge.MOST),
    _gauge("envoy_listener_manager_total_listeners_active", "Ports that are open.", Merge.MOST),
    _gauge("edgegate_requests_active", "Requests under way."),
    _gauge("edgegate_loop_lag_seconds", "The longest turn of the loop in the last 30 to 60 seconds.", Merge.MOST),
    _gauge("edgegate_buffered_bytes", "Bytes that wait because clients or backends don't keep up."),
    _gauge("process_open_fds", "Descriptors that are open, of the process that has most.", Merge.MOST),
    _gauge("process_max_fds", "Descriptors that a process may have.", Merge.LEAST),
)
LIMITS: Final = _kind(
    "limits",
    _LIMIT,
    Family("edgegate_limit_reached_total", "How often somebody waited or was refused because of a limit."),
)
LIMIT_GAUGES: Final = _kind(
    "limit gauges",
    _LIMIT,
    _gauge("edgegate_limit_used", "How much there is of what is limited.", Merge.SUM),
    _gauge("edgegate_limit", "How much there may be; absent: as much as there is.", Merge.SUM),
    # that of one client here and of another one there make no sum
    most=("connections of a client", "requests of a client"),
)
REJECTED: Final = _kind(
    "rejected",
    ("reason",),
    Family(
        "edgegate_connections_rejected_total",
        "Connections that ended before anything was served on them, failed handshakes among them.",
    ),
)
FAULTS: Final = _kind(
    "faults",
    ("reason", "response_flags"),
    Family("edgegate_request_faults_total", "Requests that went wrong, by the reason that the access log has."),
)
FILTERS: Final = _kind(
    "filters",
    ("filter", "verdict"),
    Family("edgegate_http_filter_verdicts_total", "Requests that an HTTP filter did not just let pass."),
)
TOKENS: Final = _kind(
    "tokens",
    (),
    Family("envoy_http_jwt_authn_allowed", "Requests that have passed the rules for tokens, with one or without."),
    Family("envoy_http_jwt_authn_denied", "Requests whose tokens were refused."),
    Family("envoy_http_jwt_authn_cors_preflight_bypassed", "Preflights of CORS, which need no token."),
    Family("envoy_http_jwt_authn_jwks_fetch_success", "Key sets that were fetched."),
    Family("envoy_http_jwt_authn_jwks_fetch_failed", "Tries to fetch a key set that have failed."),
    Family("envoy_http_jwt_authn_jwt_cache_hit", "Tokens that were known, and not verified again."),
    Family("envoy_http_jwt_authn_jwt_cache_miss", "Tokens that had to be verified, or were refused."),
)
RATE_LIMITS: Final = _kind(
    "rate limits",
    ("policy", "limit", "verdict"),
    Family("edgegate_rate_limit_requests_total", "Requests that a rate limit has counted, by what became of them."),
)
RATE_LIMIT_REDIS: Final = _kind(
    "rate limit redis",
    ("policy",),
    _histogram("edgegate_rate_limit_redis_milliseconds", "Whole milliseconds until Redis told whether one may pass."),
)
CONCURRENCY: Final = _kind(
    "concurrency",
    ("policy", "limit", "verdict"),
    Family("edgegate_concurrency_requests_total", "Requests that a limit of concurrency has counted, by its verdict."),
)
CONCURRENCY_GAUGES: Final = _kind(
    "concurrency gauges",
    ("policy", "limit"),
    _gauge(
        "edgegate_concurrency_requests_active", "Requests that a limit of concurrency counts and that are under way."
    ),
)
EXTERNAL_AUTHORIZATION: Final = _kind(
    "external authorization",
    ("envoy_http_conn_manager_prefix", "provider"),
    Family("envoy_http_ext_authz_ok", "Requests that a provider has let pass."),
    Family("envoy_http_ext_authz_denied", "Requests that a provider has refused."),
    Family("envoy_http_ext_authz_error", "Requests of which a provider has said nothing."),
    Family("envoy_http_ext_authz_failure_mode_allowed", "Those of them that have passed all the same (failOpen)."),
)
OWN: Final = _kind(
    "own",
    (),
    Family("edgegate_access_log_dropped_total", "Lines of the access log that could not be written."),
    Family("edgegate_worker_restarts_total", "Workers that ended by themselves; another one takes the place of each."),
)
SPANS: Final = _kind(
    "spans",
    ("outcome",),
    Family("edgegate_spans_total", "Spans of traces that the collector has taken, has not taken, or never got."),
)
RELOADS: Final = _kind(
    "reloads",
    ("outcome",),
    Family("edgegate_reloads_total", "Readings of the files; the first is that of the start."),
    Family("edgegate_reload_seconds_total", "Seconds that they took.", thousandths=True),
)
CONFIGURATION: Final = _kind(
    "configuration",
    (),
    _gauge("edgegate_last_reload_successful", "0: the files that were read last were refused, and others are served."),
    _gauge("edgegate_last_reload_timestamp_seconds", "When they were read, in seconds since the epoch.", Merge.MOST),
    _gauge("edgegate_last_reload_duration_seconds", "How long that took.", Merge.MOST),
    _gauge("edgegate_config_age_seconds", "Seconds since files were put into force.", Merge.LEAST),
)
BUILD: Final = _kind("build", ("component", "tag"), _gauge("istio_build", "1, with the version as label.", Merge.MOST))

COUNTED: Final = (
    REQUESTS,
    MESSAGES,
    RELAYS,
    CLUSTERS,
    LISTENERS,
    TCP,
    HTTP,
    AUTHORIZATION,
    LIMITS,
    REJECTED,
    FAULTS,
    FILTERS,
    TOKENS,
    RATE_LIMITS,
    RATE_LIMIT_REDIS,
    CONCURRENCY,
    EXTERNAL_AUTHORIZATION,
    OWN,
    SPANS,
    RELOADS,
    ISSUING,
    CHALLENGES,
)
"""The kinds whose numbers only grow; L{edgegate.observe.metrics.meters.Meters} has them."""

READ: Final = (
    BUILD,
    SERVER,
    CLUSTER_GAUGES,
    LISTENER_GAUGES,
    CONCURRENCY_GAUGES,
    CERTIFICATES,
    MANAGED,
    MANAGED_TIMES,
    LIMIT_GAUGES,
    CONFIGURATION,
)
"""The kinds that are looked at when somebody asks."""
