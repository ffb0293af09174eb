# Compiled: values that hot modules read.
"""How requests are traced: Istio's tracing providers, C{Telemetry.tracing} and C{ProxyConfig.tracing} as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from edgegate.model.origin import Origin
from edgegate.model.picklable import Picklable


class SpanFormat(Enum):
    """What a collector takes."""

    OTLP = "otlp"  # OpenTelemetry's protocol over HTTP, in protobuf
    ZIPKIN = "zipkin"  # JSON, version 2


COLLECTOR_PATHS: Final = {SpanFormat.OTLP: "/v1/traces", SpanFormat.ZIPKIN: "/api/v2/spans"}
"""Where collectors take spans, unless somebody says otherwise."""

COLLECTOR_TIMEOUTS: Final = {SpanFormat.OTLP: 10.0, SpanFormat.ZIPKIN: 5.0}
"""Seconds that they have for a batch, likewise; Istio's."""


class Propagation(Enum):
    """In which headers a trace goes from one hop to the next."""

    W3C = "w3c"  # traceparent and tracestate
    B3 = "b3"  # read as one header or as several, written as several
    B3_W3C = "b3-w3c"  # B3 is read first, then traceparent; both are written


class TagSource(Enum):
    """Where the value of a tag comes from (Istio's C{Telemetry.tracing.customTags})."""

    LITERAL = "literal"
    ENVIRONMENT = "environment"
    HEADER = "header"


@dataclass(frozen=True, slots=True)
class CustomTag(Picklable):
    """
    A tag that spans get beside Istio's.

    @ivar value: The text itself, the name of the variable, or that of the request's header in lower case.
    @ivar default: Of a variable or header that is not there; empty: there is no such tag then.
    """

    name: str
    source: TagSource
    value: str
    default: str = ""


@dataclass(frozen=True, slots=True)
class TracingProvider(Picklable):
    """
    Where spans go (Istio's C{MeshConfig.extensionProviders}: C{opentelemetry.http}, C{zipkin}).

    @ivar url: Of the collector, with the path that takes spans.
    @ivar timeout: Seconds that the collector has for each batch.
    @ivar headers: That it gets beside those of HTTP.
    @ivar environment_headers: Likewise, each with the variable of the gateway's environment that has its value, which
        so is in no file; one that is not there is not sent.
    """

    format: SpanFormat
    url: str
    propagation: Propagation = Propagation.W3C
    timeout: float = 10.0
    headers: tuple[tuple[str, str], ...] = ()
    environment_headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredTracing(Picklable):
    """
    What files say of traces. What they leave open is L{None}.

    @ivar provider: L{None}: they name none that spans can go to.
    @ivar disabled: Whether nothing is to be traced.
    @ivar istio_tags: Whether spans have L{ISTIO_TAGS}.
    @ivar origin: Where they say so.
    """

    provider: TracingProvider | None = None
    disabled: bool = False
    sampling: float | None = None
    by_request_id: bool = True
    propagates: bool = True
    tag_length: int | None = None
    tags: tuple[CustomTag, ...] = ()
    istio_tags: bool = True
    origin: Origin | None = field(default=None, compare=False)


ISTIO_TAGS: Final = (
    ("istio.canonical_service", "unknown"),
    ("istio.canonical_revision", "latest"),
    ("istio.mesh_id", "unknown"),
    ("istio.namespace", "default"),
    ("istio.cluster_id", "unknown"),
)
"""Istio's C{enableIstioTags}, as a proxy sets them that no cluster has told what it is."""

SERVICE: Final = "istio-ingressgateway.istio-system"
"""The name of the service that spans are of, as Istio's own gateway has it."""

SAMPLING: Final = 1.0
"""Percent of requests that are traced where nobody says otherwise (Istio's C{PILOT_TRACE_SAMPLING})."""

TAG_LENGTH: Final = 256
"""Bytes of what clients and backends sent that a tag shows (Istio's C{maxPathTagLength}, which is of paths alone)."""


@dataclass(frozen=True, slots=True)
class Tracing(Picklable):
    """
    How requests are traced.

    @ivar sampling: Percent of the requests that come without a decision, 0 to 100.
    @ivar by_request_id: Whether the request's id decides and tells (C{useRequestIdForTraceSampling}).
    @ivar propagates: Whether backends are told (not C{disableContextPropagation}).
    @ivar service: The name of the service that spans are of.
    @ivar tag_length: Bytes that a tag shows at most of each thing that a client or a backend sent.
    @ivar node: What tells this gateway from others; empty: nothing does.
    @ivar zone: Where it is; empty: nobody said.
    @ivar tags: Those that the files add.
    @ivar istio_tags: Names and values that all spans have.
    """

    provider: TracingProvider
    sampling: float = SAMPLING
    by_request_id: bool = True
    propagates: bool = True
    service: str = SERVICE
    tag_length: int = TAG_LENGTH
    node: str = ""
    zone: str = ""
    tags: tuple[CustomTag, ...] = ()
    istio_tags: tuple[tuple[str, str], ...] = ISTIO_TAGS
