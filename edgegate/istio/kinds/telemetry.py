"""Istio's C{Telemetry}: what is logged, counted and traced of what passes."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, ClassVar

from edgegate.istio.kinds.base import Note, OneOf, Spec

_NO_METRICS = Note("not honoured yet: nothing changes metrics").meta
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


class Telemetry(OneOf, frozen=True, kw_only=True):
    """What is logged, counted and traced at some workloads."""

    one_of: ClassVar[tuple[str, ...]] = ("selector", "target_ref")

    selector: WorkloadSelector | None = None
    target_ref: TargetReference | None = None
    target_refs: tuple[TargetReference, ...] = ()
    access_logging: tuple[AccessLogging, ...] = ()
    metrics: Annotated[tuple[Any, ...], _NO_METRICS] = ()
    tracing: tuple[Tracing, ...] = ()
