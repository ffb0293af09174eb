"""Istio's C{ProxyConfig} as C{MeshConfig.defaultConfig} has it (istio/api mesh/v1alpha1)."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, ClassVar

from edgegate.istio.kinds.base import NOT_YET, Note, OneOf, Spec, UInt32
from edgegate.istio.kinds.telemetry import CustomTag

_ENVOY = Note("not honoured: it is for Envoy and its agent").meta
_NO_TRACES = Note("not honoured: traces go out by OpenTelemetry over HTTP, or to Zipkin").meta
_ALWAYS_SET = "not honoured: x-forwarded-client-cert is made anew after mutual TLS, and anyone's own is dropped"
_DETAILS = Note(
    values=tuple((each, _ALWAYS_SET) for each in ("SANITIZE", "FORWARD_ONLY", "APPEND_FORWARD", "ALWAYS_FORWARD_ONLY"))
).meta
_PROXY_PROTOCOL = Note(
    "not honoured: --proxy-protocol and --proxy-protocol-from say on which ports, and who is believed"
).meta
_OWN_LIMITS = Note("not honoured: the gateway has limits of its own").meta
_ESCAPED = Note(values=(("REJECT_REQUEST", "not honoured yet"),)).meta
_SERVICE = Note("not honoured: --trace-service says the name that traces show").meta
_COLLECTOR_TLS = Note("not honoured: an https URL of --trace-otlp or --trace-zipkin asks for TLS").meta
_WORKERS = Note("not honoured: --workers says it").meta
_DRAIN = Note("not honoured: --drain-timeout and --drain-delay say it").meta
_GRPC_LOG = Note("not honoured: Envoy's access log services by gRPC are not spoken; name a file").meta
_ALL_STATS = Note("not honoured: all statistics that there are can be had").meta


class ZipkinTracer(Spec, frozen=True, kw_only=True):
    """Where Zipkin is."""

    address: str | None = None


class ProxyTracing(OneOf, frozen=True, kw_only=True):
    """How requests are traced, in the old way: where C{Telemetry} and C{extensionProviders} say nothing."""

    one_of: ClassVar[tuple[str, ...]] = ("zipkin", "lightstep", "datadog", "stackdriver", "open_census_agent")

    zipkin: ZipkinTracer | None = None
    lightstep: Annotated[Any, _NO_TRACES] = None
    datadog: Annotated[Any, _NO_TRACES] = None
    stackdriver: Annotated[Any, _NO_TRACES] = None
    open_census_agent: Annotated[Any, _NO_TRACES] = None
    custom_tags: dict[str, CustomTag] = {}
    max_path_tag_length: UInt32 | None = None
    sampling: float | None = None
    tls_settings: Annotated[Any, _COLLECTOR_TLS] = None
    enable_istio_tags: bool | None = None


class ForwardClientCertDetails(Enum):
    """What becomes of x-forwarded-client-cert."""

    UNDEFINED = "UNDEFINED"
    SANITIZE = "SANITIZE"
    FORWARD_ONLY = "FORWARD_ONLY"
    APPEND_FORWARD = "APPEND_FORWARD"
    SANITIZE_SET = "SANITIZE_SET"
    ALWAYS_FORWARD_ONLY = "ALWAYS_FORWARD_ONLY"


class ProxyProtocol(Spec, frozen=True, kw_only=True):
    """That connections begin with a PROXY header."""


class GatewayTopology(Spec, frozen=True, kw_only=True):
    """What is in front of a gateway."""

    num_trusted_proxies: UInt32 | None = None
    forward_client_cert_details: Annotated[ForwardClientCertDetails | None, _DETAILS] = None
    proxy_protocol: Annotated[ProxyProtocol | None, _PROXY_PROTOCOL] = None


class Profile(Enum):
    """Whom a proxy has to do with."""

    SIDECAR = "SIDECAR"
    EDGE = "EDGE"


class UnderscoresAction(Enum):
    """What becomes of requests' headers with underscores in their names."""

    ALLOW = "ALLOW"
    REJECT_REQUEST = "REJECT_REQUEST"
    DROP_HEADER = "DROP_HEADER"


class EscapedSlashesAction(Enum):
    """What becomes of slashes that are escaped in a path."""

    KEEP_UNCHANGED = "KEEP_UNCHANGED"
    REJECT_REQUEST = "REJECT_REQUEST"
    UNESCAPE_AND_REDIRECT = "UNESCAPE_AND_REDIRECT"
    UNESCAPE_AND_FORWARD = "UNESCAPE_AND_FORWARD"


class ConnectionSettings(Spec, frozen=True, kw_only=True):
    """How clients are dealt with that nobody knows (Istio 1.31)."""

    profile: Profile | None = None
    http_headers_with_underscores_action: UnderscoresAction | None = None
    http_merge_slashes: bool | None = None
    http_path_with_escaped_slashes_action: Annotated[EscapedSlashesAction | None, _ESCAPED] = None
    listener_per_connection_buffer_limit_bytes: Annotated[int | None, _OWN_LIMITS] = None
    cluster_per_connection_buffer_limit_bytes: Annotated[int | None, _OWN_LIMITS] = None
    http_idle_timeout: Annotated[Any, _OWN_LIMITS] = None
    http_request_timeout: Annotated[Any, _OWN_LIMITS] = None
    http_stream_idle_timeout: Annotated[Any, _OWN_LIMITS] = None
    http_request_headers_timeout: Annotated[Any, _OWN_LIMITS] = None
    http_max_concurrent_streams: Annotated[int | None, _OWN_LIMITS] = None
    http2_initial_stream_window_size: Annotated[int | None, _OWN_LIMITS] = None
    http2_initial_connection_window_size: Annotated[int | None, _OWN_LIMITS] = None


class ProxyConfig(Spec, frozen=True, kw_only=True):
    """What holds for a proxy as a whole."""

    tracing: ProxyTracing | None = None
    gateway_topology: GatewayTopology | None = None
    connection_settings: ConnectionSettings | None = None
    service_cluster: Annotated[str | None, _SERVICE] = None
    tracing_service_name: Annotated[str | None, _SERVICE] = None
    zipkin_address: Annotated[str | None, _NO_TRACES] = None
    concurrency: Annotated[int | None, _WORKERS] = None
    drain_duration: Annotated[Any, _DRAIN] = None
    parent_shutdown_duration: Annotated[Any, _DRAIN] = None
    termination_drain_duration: Annotated[Any, _DRAIN] = None
    envoy_access_log_service: Annotated[Any, _GRPC_LOG] = None
    proxy_stats_matcher: Annotated[Any, _ALL_STATS] = None
    extra_stat_tags: Annotated[tuple[str, ...], _ALL_STATS] = ()
    stats_compression: Annotated[bool | None, NOT_YET] = None
    proxy_headers: Annotated[Any, NOT_YET] = None
    private_key_provider: Annotated[Any, NOT_YET] = None
    mesh_id: Annotated[str | None, NOT_YET] = None
    ca_certificates_pem: Annotated[tuple[str, ...], NOT_YET] = ()
    file_flush_interval: Annotated[Any, NOT_YET] = None
    file_flush_min_size_kb: Annotated[Any, NOT_YET] = None
    config_path: Annotated[str | None, _ENVOY] = None
    binary_path: Annotated[str | None, _ENVOY] = None
    discovery_address: Annotated[str | None, _ENVOY] = None
    discovery_refresh_delay: Annotated[Any, _ENVOY] = None
    statsd_udp_address: Annotated[str | None, _ENVOY] = None
    envoy_metrics_service_address: Annotated[str | None, _ENVOY] = None
    envoy_metrics_service: Annotated[Any, _ENVOY] = None
    proxy_admin_port: Annotated[int | None, _ENVOY] = None
    availability_zone: Annotated[str | None, _ENVOY] = None
    control_plane_auth_policy: Annotated[str | None, _ENVOY] = None
    custom_config_file: Annotated[str | None, _ENVOY] = None
    stat_name_length: Annotated[int | None, _ENVOY] = None
    proxy_bootstrap_template_path: Annotated[str | None, _ENVOY] = None
    interception_mode: Annotated[str | None, _ENVOY] = None
    sds: Annotated[Any, _ENVOY] = None
    proxy_metadata: Annotated[dict[str, str], _ENVOY] = {}
    runtime_values: Annotated[dict[str, str], _ENVOY] = {}
    status_port: Annotated[int | None, _ENVOY] = None
    readiness_probe: Annotated[Any, _ENVOY] = None
    hold_application_until_proxy_starts: Annotated[bool | None, _ENVOY] = None
    image: Annotated[Any, _ENVOY] = None
