"""Istio's C{MeshConfig}, as far as it concerns a gateway; the rest is known by name (istio/api mesh/v1alpha1)."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, ClassVar

from msgspec import field

from edgegate.istio.kinds.authorization_providers import GRPCAuthorization, HTTPAuthorization
from edgegate.istio.kinds.base import NOT_YET, Note, OneOf, Spec
from edgegate.istio.kinds.proxy_config import ProxyConfig
from edgegate.istio.kinds.tracing_providers import OpenTelemetryTracing, ZipkinTracing

_MESH = Note("not honoured: it is for a mesh").meta
_NO_TRACES = Note("not honoured: traces go out by OpenTelemetry over HTTP, or to Zipkin").meta
_OWN_FORMAT = Note(remark="honoured with a `logFormat` of your own: a default format has all its values").meta
_GRPC_LOG = Note(
    "not honoured: Envoy's access log services by gRPC are not spoken; name a file, or a collector by envoyOtelAls"
).meta
_BY_HTTP = Note(remark="honoured by HTTP, not by gRPC: name the port that takes OTLP over HTTP, 4318 as a rule").meta


class Encoding(Enum):
    """How lines are written."""

    TEXT = "TEXT"
    JSON = "JSON"


class Normalization(Enum):
    """A form of paths."""

    DEFAULT = "DEFAULT"
    NONE = "NONE"
    BASE = "BASE"
    MERGE_SLASHES = "MERGE_SLASHES"
    DECODE_AND_MERGE_SLASHES = "DECODE_AND_MERGE_SLASHES"


class PathNormalization(Spec, frozen=True, kw_only=True):
    """In which form paths are matched and sent on."""

    normalization: Normalization | None = None


class FileLogFormat(OneOf, frozen=True, kw_only=True):
    """Text or JSON; C{labels: {}} is the default JSON."""

    one_of: ClassVar[tuple[str, ...]] = ("text", "labels")

    text: str | None = None
    labels: dict[str, Any] | None = None


class FileLog(Spec, frozen=True, kw_only=True):
    """A log in a file."""

    path: str | None = None
    log_format: FileLogFormat | None = None
    omit_empty_values: Annotated[bool | None, _OWN_FORMAT] = None


class CollectorLogFormat(Spec, frozen=True, kw_only=True):
    """The text of a record, and what it says besides; other than of a file there may be both."""

    text: str | None = None
    labels: dict[str, Any] | None = None


class CollectorLog(Spec, frozen=True, kw_only=True):
    """A log that goes to a collector of OpenTelemetry's (Istio's C{EnvoyOpenTelemetryLogProvider})."""

    service: str
    port: Annotated[int, _BY_HTTP]
    log_name: str | None = None
    log_format: CollectorLogFormat | None = None


_PROVIDERS = (
    *("envoy_ext_authz_http", "envoy_ext_authz_grpc", "zipkin", "lightstep", "datadog", "stackdriver", "opencensus"),
    *("skywalking", "opentelemetry", "prometheus", "envoy_file_access_log", "envoy_http_als", "envoy_tcp_als"),
    "envoy_otel_als",
)


class ExtensionProvider(OneOf, frozen=True, kw_only=True):
    """Who may be named in Telemetry and elsewhere: a log, a collector of traces, an authorizer."""

    one_of: ClassVar[tuple[str, ...]] = _PROVIDERS

    name: str
    envoy_ext_authz_http: HTTPAuthorization | None = None
    envoy_ext_authz_grpc: GRPCAuthorization | None = None
    zipkin: ZipkinTracing | None = None
    lightstep: Annotated[dict[str, Any] | None, _NO_TRACES] = None
    datadog: Annotated[dict[str, Any] | None, _NO_TRACES] = None
    stackdriver: Annotated[dict[str, Any] | None, Note("not honoured").meta] = None
    opencensus: Annotated[dict[str, Any] | None, _NO_TRACES] = None
    skywalking: Annotated[dict[str, Any] | None, _NO_TRACES] = None
    opentelemetry: OpenTelemetryTracing | None = None
    prometheus: dict[str, Any] | None = None
    envoy_file_access_log: FileLog | None = None
    envoy_http_als: Annotated[dict[str, Any] | None, _GRPC_LOG] = None
    envoy_tcp_als: Annotated[dict[str, Any] | None, _GRPC_LOG] = None
    envoy_otel_als: CollectorLog | None = None


class DefaultProviders(Spec, frozen=True, kw_only=True):
    """Who is meant where Telemetry names nobody."""

    tracing: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    access_logging: tuple[str, ...] = ()


class MeshConfig(Spec, frozen=True, kw_only=True):
    """What holds for all of a mesh: here, for the gateway."""

    access_log_file: str | None = None
    access_log_format: str | None = None
    access_log_encoding: Encoding | None = None
    disable_envoy_listener_log: bool | None = None
    extension_providers: tuple[ExtensionProvider, ...] = ()
    default_providers: DefaultProviders | None = None
    root_namespace: str | None = None
    path_normalization: PathNormalization | None = None
    enable_tracing: bool | None = None
    default_config: ProxyConfig | None = None
    enable_envoy_access_log_service: Annotated[bool | None, _GRPC_LOG] = None
    connect_timeout: Annotated[Any, NOT_YET] = None
    tcp_keepalive: Annotated[Any, NOT_YET] = None
    default_http_retry_policy: Annotated[Any, NOT_YET] = None
    locality_lb_setting: Annotated[Any, NOT_YET] = None
    tls_defaults: Annotated[Any, NOT_YET] = None
    h2_upgrade_policy: Annotated[Any, NOT_YET] = None
    outbound_cluster_stat_name: Annotated[str | None, NOT_YET] = None
    default_service_export_to: Annotated[tuple[str, ...], NOT_YET] = ()
    default_virtual_service_export_to: Annotated[tuple[str, ...], NOT_YET] = ()
    default_destination_rule_export_to: Annotated[tuple[str, ...], NOT_YET] = ()
    dns_refresh_rate: Annotated[Any, NOT_YET] = None
    verify_certificate_at_client: Annotated[bool | None, NOT_YET] = None
    compliance_policy: Annotated[str | None, NOT_YET] = None
    trust_domain: str | None = None
    trust_domain_aliases: tuple[str, ...] = ()
    proxy_listen_port: Annotated[int | None, _MESH] = None
    proxy_inbound_listen_port: Annotated[int | None, _MESH] = None
    proxy_http_port: Annotated[int | None, _MESH] = None
    protocol_detection_timeout: Annotated[Any, _MESH] = None
    ingress_class: Annotated[str | None, _MESH] = None
    ingress_service: Annotated[str | None, _MESH] = None
    ingress_controller_mode: Annotated[str | None, _MESH] = None
    ingress_selector: Annotated[str | None, _MESH] = None
    outbound_traffic_policy: Annotated[Any, _MESH] = None
    inbound_traffic_policy: Annotated[Any, _MESH] = None
    config_sources: Annotated[tuple[Any, ...], _MESH] = ()
    enable_auto_mtls: Annotated[bool | None, _MESH] = None
    ca_certificates: Annotated[tuple[Any, ...], _MESH] = ()
    inbound_cluster_stat_name: Annotated[str | None, _MESH] = None
    certificates: Annotated[tuple[Any, ...], _MESH] = ()
    service_settings: Annotated[tuple[Any, ...], _MESH] = ()
    service_scope_configs: Annotated[tuple[Any, ...], _MESH] = ()
    enable_prometheus_merge: Annotated[bool | None, _MESH] = None
    ca: Annotated[Any, _MESH] = None
    discovery_selectors: Annotated[tuple[Any, ...], _MESH] = ()
    mesh_mtls: Annotated[Any, _MESH] = field(default=None, name="meshMTLS")
