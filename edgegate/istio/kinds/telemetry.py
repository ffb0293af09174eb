"""Istio's C{Telemetry}: what is logged, counted and traced of what passes."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, ClassVar

from edgegate.istio.kinds.base import Note, OneOf, Spec

_NO_METRICS = Note("not honoured yet: nothing changes metrics").meta
_NO_TRACES = Note("not honoured: options ask for traces, such as --trace-otlp").meta


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


class Telemetry(OneOf, frozen=True, kw_only=True):
    """What is logged, counted and traced at some workloads."""

    one_of: ClassVar[tuple[str, ...]] = ("selector", "target_ref")

    selector: WorkloadSelector | None = None
    target_ref: TargetReference | None = None
    target_refs: tuple[TargetReference, ...] = ()
    access_logging: tuple[AccessLogging, ...] = ()
    metrics: Annotated[tuple[Any, ...], _NO_METRICS] = ()
    tracing: Annotated[tuple[Any, ...], _NO_TRACES] = ()
