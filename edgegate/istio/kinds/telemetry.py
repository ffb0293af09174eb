"""Istio's C{Telemetry}: what is logged, counted and traced of what passes."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, ClassVar

from edgegate.istio.kinds.base import Duration, Note, OneOf, Spec

_INTERVAL = Note(
    "not honoured: relays are counted whenever metrics are asked for, messages of gRPC when a call ends"
).meta
_CUSTOM = Note("not honoured: it names none of Istio's metrics").meta
_FORMATTER = Note("not honoured yet: say a literal, an environment or a header").meta


class Mode(Enum):
    """Which side of a workload is meant; a gateway is a client."""

    CLIENT_AND_SERVER = "CLIENT_AND_SERVER"
    CLIENT = "CLIENT"
    SERVER = "SERVER"


class WorkloadSelector(Spec, frozen=True, kw_only=True):
    """The labels of who is meant."""

    match_labels: dict[str, str] = {}


class TargetReference(Spec, frozen=True, kw_only=True):
    """An object of the Gateway API that is meant in place of labels."""

    group: str | None = None
    kind: str
    name: str
    namespace: str | None = None


class ProviderRef(Spec, frozen=True, kw_only=True):
    """A provider of MeshConfig, by its name."""

    name: str


class LogSelector(Spec, frozen=True, kw_only=True):
    """Which lines are meant."""

    mode: Mode | None = None


class Filter(Spec, frozen=True, kw_only=True):
    """A condition in CEL."""

    expression: str | None = None


class AccessLogging(Spec, frozen=True, kw_only=True):
    """Where lines go, or do not."""

    match: LogSelector | None = None
    providers: tuple[ProviderRef, ...] = ()
    disabled: bool | None = None
    filter: Filter | None = None


class Literal(Spec, frozen=True, kw_only=True):
    """A text."""

    value: str = ""


class Environment(Spec, frozen=True, kw_only=True):
    """A variable of the gateway's environment."""

    name: str = ""
    default_value: str | None = None


class RequestHeader(Spec, frozen=True, kw_only=True):
    """A header of the request."""

    name: str = ""
    default_value: str | None = None


class Formatter(Spec, frozen=True, kw_only=True):
    """A text with Envoy's command operators."""

    value: str = ""


class CustomTag(OneOf, frozen=True, kw_only=True):
    """Where the value of a tag of spans comes from."""

    one_of: ClassVar[tuple[str, ...]] = ("literal", "environment", "header", "formatter")

    literal: Literal | None = None
    environment: Environment | None = None
    header: RequestHeader | None = None
    formatter: Annotated[Formatter | None, _FORMATTER] = None


class TracingSelector(Spec, frozen=True, kw_only=True):
    """Which side traces."""

    mode: Mode | None = None


class Tracing(Spec, frozen=True, kw_only=True):
    """Which requests are traced, and what their spans say."""

    match: TracingSelector | None = None
    providers: tuple[ProviderRef, ...] = ()
    random_sampling_percentage: float | None = None
    disable_span_reporting: bool | None = None
    custom_tags: dict[str, CustomTag] = {}
    use_request_id_for_trace_sampling: bool | None = None
    enable_istio_tags: bool | None = None


class IstioMetric(Enum):
    """Metrics by the names that this API has for them."""

    ALL_METRICS = "ALL_METRICS"
    REQUEST_COUNT = "REQUEST_COUNT"
    REQUEST_DURATION = "REQUEST_DURATION"
    REQUEST_SIZE = "REQUEST_SIZE"
    RESPONSE_SIZE = "RESPONSE_SIZE"
    TCP_OPENED_CONNECTIONS = "TCP_OPENED_CONNECTIONS"
    TCP_CLOSED_CONNECTIONS = "TCP_CLOSED_CONNECTIONS"
    TCP_SENT_BYTES = "TCP_SENT_BYTES"
    TCP_RECEIVED_BYTES = "TCP_RECEIVED_BYTES"
    GRPC_REQUEST_MESSAGES = "GRPC_REQUEST_MESSAGES"
    GRPC_RESPONSE_MESSAGES = "GRPC_RESPONSE_MESSAGES"


class MetricSelector(OneOf, frozen=True, kw_only=True):
    """Which metrics are meant, on which side."""

    one_of: ClassVar[tuple[str, ...]] = ("metric", "custom_metric")

    metric: IstioMetric | None = None
    custom_metric: Annotated[str | None, _CUSTOM] = None
    mode: Mode | None = None


class Operation(Enum):
    """What becomes of a label."""

    UPSERT = "UPSERT"
    REMOVE = "REMOVE"


class TagOverride(Spec, frozen=True, kw_only=True):
    """A label that is there with a value, or is not there."""

    operation: Operation | None = None
    value: str | None = None


class MetricsOverride(Spec, frozen=True, kw_only=True):
    """What is otherwise of some metrics."""

    match: MetricSelector | None = None
    disabled: bool | None = None
    tag_overrides: dict[str, TagOverride] = {}


class Metrics(Spec, frozen=True, kw_only=True):
    """What is counted, and by which labels it is told apart."""

    providers: tuple[ProviderRef, ...] = ()
    overrides: tuple[MetricsOverride, ...] = ()
    reporting_interval: Annotated[Duration | None, _INTERVAL] = None


class Telemetry(OneOf, frozen=True, kw_only=True):
    """What is logged, counted and traced at some workloads."""

    one_of: ClassVar[tuple[str, ...]] = ("selector", "target_ref")

    selector: WorkloadSelector | None = None
    target_ref: TargetReference | None = None
    target_refs: tuple[TargetReference, ...] = ()
    access_logging: tuple[AccessLogging, ...] = ()
    metrics: tuple[Metrics, ...] = ()
    tracing: tuple[Tracing, ...] = ()
