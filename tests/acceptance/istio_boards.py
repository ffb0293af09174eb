"""
What Istio's published boards ask of a gateway (mesh, performance, service and workload; August 2026).

For each series: the sets of labels that queries select and group by. What needs a sidecar behind the gateway, or
another exporter, is left out.
"""

from __future__ import annotations

Labels = tuple[str, ...]

_SERVICE: Labels = ("destination_service",)
_NAMESPACE: Labels = ("destination_workload_namespace",)
_WORKLOAD: Labels = ("destination_workload", *_NAMESPACE)
_SOURCE: Labels = ("source_workload", "source_workload_namespace")
_REPORTER: Labels = ("reporter",)
_SECURED: Labels = ("connection_security_policy",)
_CODE: Labels = ("response_code",)

_BY_EITHER = ((*_SECURED, *_SERVICE, *_REPORTER, *_SOURCE), (*_SECURED, *_WORKLOAD, *_REPORTER, *_SOURCE))
"""Those of panels that are there for the service and for its workloads."""

_BUCKETS = tuple((*labels, "le") for labels in _BY_EITHER)

_RATES = (
    _SERVICE,
    (*_SERVICE, *_WORKLOAD, *_REPORTER),
    (*_SERVICE, *_REPORTER),
    (*_SERVICE, *_REPORTER, "source_cluster"),
    (*_SERVICE, *_REPORTER, *_SOURCE),
    (*_SERVICE, *_REPORTER, "source_workload_namespace"),
    (*_WORKLOAD, *_REPORTER),
    (*_WORKLOAD, *_REPORTER, *_SOURCE),
    (*_WORKLOAD, *_REPORTER, "source_workload_namespace"),
    (*_WORKLOAD, *_SOURCE),
    _NAMESPACE,
)
"""Those of what is shown of requests and of relays."""

QUERIES: dict[str, tuple[Labels, ...]] = {
    "istio_build": (("component", "tag"),),
    "istio_request_bytes_bucket": _BUCKETS,
    "istio_request_bytes_sum": ((*_REPORTER, "source_workload_namespace"),),
    "istio_request_duration_milliseconds_bucket": (
        *_BUCKETS,
        (*_SERVICE, "le", *_REPORTER),
        (*_WORKLOAD, "le", *_REPORTER),
    ),
    "istio_requests_total": (
        *_RATES,
        *((*labels, *_CODE) for labels in _BY_EITHER),
        ("destination_principal", *_SERVICE, *_REPORTER, *_CODE, *_SOURCE),
        (*_SERVICE, *_REPORTER, *_CODE),
        (*_WORKLOAD, *_REPORTER, *_CODE),
        _REPORTER,
        (*_REPORTER, *_CODE),
    ),
    "istio_response_bytes_bucket": _BUCKETS,
    "istio_response_bytes_sum": ((*_REPORTER, "source_workload"), (*_REPORTER, "source_workload_namespace")),
    "istio_tcp_received_bytes_total": (
        *_BY_EITHER,
        (*_SERVICE, *_WORKLOAD, *_REPORTER),
        (*_SERVICE, *_REPORTER),
        (*_WORKLOAD, *_REPORTER),
        (*_REPORTER, *_SOURCE),
    ),
    "istio_tcp_sent_bytes_total": (*_RATES, *_BY_EITHER, (*_REPORTER, *_SOURCE)),
}

ENVOY = (
    "envoy_cluster_membership_degraded",
    "envoy_cluster_membership_excluded",
    "envoy_cluster_membership_healthy",
    "envoy_cluster_membership_total",
    "envoy_cluster_outlier_detection_ejections_active",
    "envoy_cluster_upstream_cx_active",
    "envoy_cluster_upstream_cx_rx_bytes_total",
    "envoy_cluster_upstream_cx_total",
    "envoy_cluster_upstream_cx_tx_bytes_total",
    "envoy_cluster_upstream_rq_time",
    "envoy_cluster_upstream_rq_total",
    "envoy_cluster_upstream_rq_xx",
    "envoy_http_downstream_cx_rx_bytes_total",
    "envoy_http_downstream_cx_total",
    "envoy_http_downstream_cx_tx_bytes_total",
    "envoy_http_downstream_rq_time",
    "envoy_http_downstream_rq_total",
    "envoy_listener_downstream_cx_active",
    "envoy_listener_ssl_certificate_expiration_unix_time_seconds",
    "envoy_server_live",
    "envoy_server_memory_allocated",
    "envoy_server_memory_heap_size",
    "envoy_server_uptime",
    "envoy_tcp_downstream_cx_rx_bytes_total",
    "envoy_tcp_downstream_cx_total",
    "envoy_tcp_downstream_cx_tx_bytes_total",
)
"""What Envoy Gateway's boards (Grafana 11021 and 11022) ask for."""
