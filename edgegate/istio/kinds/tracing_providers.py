"""Collectors of traces as C{MeshConfig.extensionProviders} names them."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, ClassVar

from edgegate.istio.kinds.base import NOT_YET, Duration, Note, OneOf, Spec, UInt32

_GRPC = Note("not honoured: OpenTelemetry's protocol is spoken over HTTP only; say `http`, and the port for it").meta
_LONG_IDS = Note("not honoured: ids of traces that begin here have 128 bits").meta


class HTTPHeader(OneOf, frozen=True, kw_only=True):
    """A header that a collector gets."""

    one_of: ClassVar[tuple[str, ...]] = ("value", "env_name")

    name: str
    value: str | None = None
    env_name: str | None = None


class HTTPService(Spec, frozen=True, kw_only=True):
    """How a collector is spoken to over HTTP."""

    path: str | None = None
    timeout: Duration | None = None
    headers: tuple[HTTPHeader, ...] = ()


class OpenTelemetryTracing(Spec, frozen=True, kw_only=True):
    """A collector of OpenTelemetry."""

    service: str
    port: UInt32
    max_tag_length: UInt32 | None = None
    http: HTTPService | None = None
    grpc: Annotated[dict[str, Any] | None, _GRPC] = None
    resource_detectors: Annotated[dict[str, Any] | None, NOT_YET] = None
    dynatrace_sampler: Annotated[dict[str, Any] | None, NOT_YET] = None
    service_attribute_enrichment: Annotated[Any, NOT_YET] = None
    disable_context_propagation: bool | None = None


class TraceContextOption(Enum):
    """By which headers traces go on."""

    USE_B3 = "USE_B3"
    USE_B3_WITH_W3C_PROPAGATION = "USE_B3_WITH_W3C_PROPAGATION"


class ZipkinTracing(Spec, frozen=True, kw_only=True):
    """A collector of Zipkin."""

    service: str
    port: UInt32
    max_tag_length: UInt32 | None = None
    enable64bit_trace_id: Annotated[bool | None, _LONG_IDS] = None
    path: str | None = None
    timeout: Duration | None = None
    headers: tuple[HTTPHeader, ...] = ()
    trace_context_option: TraceContextOption | None = None
    disable_context_propagation: bool | None = None
