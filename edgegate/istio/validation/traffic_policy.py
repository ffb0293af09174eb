"""Istio's rules for C{TrafficPolicy}, of a rule, of a subset and of a port."""

from __future__ import annotations

from edgegate.config.document import Path
from edgegate.config.values import show
from edgegate.istio.kinds.destination_rule import (
    ConnectionPoolSettings,
    H2UpgradePolicy,
    HTTPSettings,
    OutlierDetection,
    PortTrafficPolicy,
    TCPSettings,
    TrafficPolicy,
    TunnelSettings,
)
from edgegate.istio.validation.client_tls import check_client_tls
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.load_balancer import check_load_balancer, check_percent
from edgegate.istio.validation.names import check_port, host_fault, is_address
from edgegate.model import codes

_HTTP_COUNTS = {
    "http1MaxPendingRequests": "http1_max_pending_requests",
    "http2MaxRequests": "http2_max_requests",
    "maxRequestsPerConnection": "max_requests_per_connection",
    "maxRetries": "max_retries",
    "maxConcurrentStreams": "max_concurrent_streams",
}
_TUNNELS = ("", "CONNECT", "POST")


def check_traffic_policy(findings: Findings, path: Path, policy: TrafficPolicy) -> None:
    """A policy says something, and each of its parts follows its rules."""
    parts = (policy.tunnel, policy.proxy_protocol, policy.retry_budget, policy.port_level_settings or None)
    if _is_empty(policy) and all(part is None for part in parts):
        findings.error(path, "says nothing: give at least one field, or leave it out")
    if policy.tunnel is not None:
        _check_tunnel(findings, (*path, "tunnel"), policy.tunnel)
        if policy.proxy_protocol is not None:
            findings.error((*path, "proxyProtocol"), "goes with no tunnel")
    _check_parts(findings, path, policy)
    if policy.retry_budget is not None:
        check_percent(findings, (*path, "retryBudget", "percent"), policy.retry_budget.percent)
    ports: dict[int, int] = {}
    for index, settings in enumerate(policy.port_level_settings):
        place: Path = (*path, "portLevelSettings", index)
        number = settings.port.number if settings.port is not None else None
        if number is None:
            findings.error((*place, "port"), "missing: port.number says for which port the settings are")
        else:
            check_port(findings, (*place, "port", "number"), number)
            first = ports.setdefault(number, index)
            if first != index:
                findings.error((*place, "port", "number"), f"{number} is the port of portLevelSettings[{first}] too")
        if _is_empty(settings):
            findings.error(place, "says nothing: give at least one field beside port")
        _check_parts(findings, place, settings)


def _is_empty(policy: TrafficPolicy | PortTrafficPolicy) -> bool:
    parts = (policy.load_balancer, policy.connection_pool, policy.outlier_detection, policy.tls)
    return all(part is None for part in parts)


def _check_parts(findings: Findings, path: Path, policy: TrafficPolicy | PortTrafficPolicy) -> None:
    if policy.load_balancer is not None:
        check_load_balancer(findings, (*path, "loadBalancer"), policy.load_balancer, policy.outlier_detection)
    if policy.connection_pool is not None:
        _check_pool(findings, (*path, "connectionPool"), policy.connection_pool)
    if policy.outlier_detection is not None:
        _check_outliers(findings, (*path, "outlierDetection"), policy.outlier_detection)
    if policy.tls is not None:
        check_client_tls(findings, (*path, "tls"), policy.tls)


def _check_pool(findings: Findings, path: Path, pool: ConnectionPoolSettings) -> None:
    if pool.http is None and pool.tcp is None:
        findings.error(path, "says nothing: give http or tcp, or leave it out")
    if pool.http is not None:
        _check_http(findings, (*path, "http"), pool.http)
    if pool.tcp is not None:
        _check_tcp(findings, (*path, "tcp"), pool.tcp)


def _check_http(findings: Findings, path: Path, settings: HTTPSettings) -> None:
    for name, attribute in _HTTP_COUNTS.items():
        count = getattr(settings, attribute)
        if count is not None and count < 0:
            findings.error((*path, name), f"{count} is less than 0")
    if settings.use_client_protocol and settings.h2_upgrade_policy is H2UpgradePolicy.UPGRADE:
        findings.error((*path, "useClientProtocol"), "goes with no h2UpgradePolicy UPGRADE")


def _check_tcp(findings: Findings, path: Path, settings: TCPSettings) -> None:
    if settings.max_connections is not None and settings.max_connections < 0:
        findings.error((*path, "maxConnections"), f"{settings.max_connections} is less than 0")
    if settings.idle_timeout and round(settings.idle_timeout * 1e9) % 1_000_000:
        findings.error((*path, "idleTimeout"), "a duration is a whole number of milliseconds")


def _check_outliers(findings: Findings, path: Path, outliers: OutlierDetection) -> None:
    if outliers.consecutive_errors:
        message = "deprecated: it counts as consecutiveGatewayErrors; use that, or consecutive5xxErrors"
        findings.warning((*path, "consecutiveErrors"), message, codes.SCHEMA_WARNING)
    if outliers.consecutive_errors is not None and outliers.consecutive_errors < 0:
        findings.error((*path, "consecutiveErrors"), f"{outliers.consecutive_errors} is less than 0")
    if outliers.consecutive_local_origin_failures and not outliers.split_external_local_origin_errors:
        message = "needs splitExternalLocalOriginErrors: true, which counts them apart"
        findings.error((*path, "consecutiveLocalOriginFailures"), message)
    check_percent(findings, (*path, "maxEjectionPercent"), outliers.max_ejection_percent)
    check_percent(findings, (*path, "minHealthPercent"), outliers.min_health_percent)
    for index, code in enumerate(outliers.outlier_detection_http_error_codes):
        if not 100 <= code <= 599:
            findings.error((*path, "outlierDetectionHttpErrorCodes", index), f"{code} is no status: 100 to 599")


def _check_tunnel(findings: Findings, path: Path, tunnel: TunnelSettings) -> None:
    if (tunnel.protocol or "") not in _TUNNELS:
        findings.error((*path, "protocol"), f"{show(tunnel.protocol)} is neither CONNECT nor POST")
    fault = None if is_address(tunnel.target_host) else host_fault(tunnel.target_host, wildcard=False)
    if fault is not None:
        findings.error((*path, "targetHost"), fault)
    check_port(findings, (*path, "targetPort"), tunnel.target_port)
