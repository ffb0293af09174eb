"""
Which of Istio's metrics there are, and which labels they have (C{pilot/pkg/model/telemetry.go}).

The last item that names providers says who counts; overrides are applied in order, those of later levels behind those
of earlier ones: see L{edgegate.istio.translate.telemetries}. Metrics are for Prometheus here, without a word of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from edgegate.config.document import Path
from edgegate.config.problems import Problems, Severity
from edgegate.config.values import show, suggestion
from edgegate.istio.kinds.mesh_config import DefaultProviders, MeshConfig
from edgegate.istio.kinds.telemetry import IstioMetric, MetricsOverride, Mode, Operation, TagOverride, Telemetry
from edgegate.istio.resources import Resource
from edgegate.model import codes
from edgegate.model.cel import Constant, parse
from edgegate.model.cel_tokens import BadExpression
from edgegate.model.metrics import REQUEST_METRICS, DeclaredMetrics, MetricOverride, MetricTag
from edgegate.model.origin import Origin

PROMETHEUS = "prometheus"

METRICS = {
    IstioMetric.REQUEST_COUNT: "istio_requests_total",
    IstioMetric.REQUEST_DURATION: "istio_request_duration_milliseconds",
    IstioMetric.REQUEST_SIZE: "istio_request_bytes",
    IstioMetric.RESPONSE_SIZE: "istio_response_bytes",
    IstioMetric.TCP_OPENED_CONNECTIONS: "istio_tcp_connections_opened_total",
    IstioMetric.TCP_CLOSED_CONNECTIONS: "istio_tcp_connections_closed_total",
    IstioMetric.TCP_SENT_BYTES: "istio_tcp_sent_bytes_total",
    IstioMetric.TCP_RECEIVED_BYTES: "istio_tcp_received_bytes_total",
    IstioMetric.GRPC_REQUEST_MESSAGES: "istio_request_messages_total",
    IstioMetric.GRPC_RESPONSE_MESSAGES: "istio_response_messages_total",
}
"""What each is called where it is read."""


@dataclass(slots=True)
class _Override:
    """What is otherwise of one metric, so far."""

    disabled: bool = False
    tags: dict[str, TagOverride] = field(default_factory=dict)


class MetricsCompiler:
    """Finds out what is otherwise of metrics, and reports what is wrong between documents."""

    def __init__(
        self, mesh: Resource[MeshConfig] | None, telemetries: Sequence[Resource[Telemetry]], problems: Problems
    ) -> None:
        """
        @param telemetries: Those that are for this gateway, in their order.
        """
        self._problems = problems
        self._telemetries = telemetries
        self._mesh = mesh
        spec = MeshConfig() if mesh is None else mesh.spec
        self._known = {PROMETHEUS, "stackdriver", "envoy", *(each.name.lower() for each in spec.extension_providers)}
        self._ours = {PROMETHEUS}
        self._ours.update(each.name.lower() for each in spec.extension_providers if each.prometheus is not None)
        self._default = (spec.default_providers or DefaultProviders()).metrics or (PROMETHEUS,)
        self._found: dict[str, _Override] = {}
        self._origin: Origin | None = None

    def metrics(self) -> DeclaredMetrics | None:
        """Return what is otherwise; L{None}: nothing."""
        scope = names = self._default
        if self._mesh is not None:
            for index, name in enumerate(names):
                self._check(self._mesh, ("spec", "defaultProviders", "metrics", index), name)
        items = [
            (resource, ("spec", "metrics", index), item)
            for resource in self._telemetries
            for index, item in enumerate(resource.spec.metrics)
        ]
        for _, _, item in items:
            scope = tuple(each.name for each in item.providers) or scope
        if not self._any_of_ours(scope):
            return self._nobody_counts(items)
        for resource, path, item in items:
            for index, provider in enumerate(item.providers):
                self._check(resource, (*path, "providers", index, "name"), provider.name)
            names = tuple(each.name for each in item.providers) or names
            if self._any_of_ours(names):
                for index, override in enumerate(item.overrides):
                    self._apply(resource, (*path, "overrides", index), override)
        overrides = tuple(
            each for metric in METRICS.values() if (each := self._value(metric)) is not None and each != _nothing(each)
        )
        return DeclaredMetrics(overrides, self._origin) if overrides else None

    def _any_of_ours(self, names: Sequence[str]) -> bool:
        return any(each.lower() in self._ours for each in names)

    def _nobody_counts(self, items: Sequence[tuple[Resource[Telemetry], Path, Any]]) -> DeclaredMetrics:
        """The providers that are named are not Prometheus: there are none of Istio's metrics."""
        path: Path = ("spec", "defaultProviders", "metrics")
        where: Resource[Any] | None = self._mesh
        for resource, at, item in items:
            if item.providers:
                where, path = resource, (*at, "providers")
        assert where is not None
        where.warning(
            self._problems, path, "no provider that is Prometheus is named: there are none of Istio's metrics here"
        )
        return DeclaredMetrics(tuple(MetricOverride(each, True) for each in METRICS.values()), where.origin_of(path))

    def _check(self, resource: Resource[Any], path: Path, name: str) -> None:
        if name.lower() not in self._known:
            hint = suggestion(name, self._known)
            message = f"{show(name)} is no provider of MeshConfig: left out{hint}"
            resource.warning(self._problems, path, message, code=codes.TELEMETRY_PROBLEM)

    def _apply(self, resource: Resource[Telemetry], path: Path, override: MetricsOverride) -> None:
        """Apply an override behind those before it."""
        match = override.match
        if match is not None and match.custom_metric is not None:
            return  # told with the document
        if match is not None and match.mode is Mode.SERVER:
            message = "changes nothing here: SERVER is for what workloads receive"
            resource.document.problem(self._problems, Severity.INFO, path, message, code=codes.TELEMETRY_PROBLEM)
            return
        metric = None if match is None else match.metric
        named = metric is not None and metric is not IstioMetric.ALL_METRICS
        metrics = [METRICS[metric]] if metric is not None and named else list(METRICS.values())
        for name in metrics:
            found = self._found.setdefault(name, _Override())
            if override.disabled is not None:
                found.disabled = override.disabled
            found.tags.update(override.tag_overrides)
        if named and metrics[0] not in REQUEST_METRICS:
            self._warn_of_values(resource, path, override)
        self._origin = self._origin or resource.origin_of(path)

    def _warn_of_values(self, resource: Resource[Telemetry], path: Path, override: MetricsOverride) -> None:
        """Report values that depend on what is counted, which only metrics of requests can have."""
        for name, tag in override.tag_overrides.items():
            found = _tag(name, tag)
            if found is not None and found.constant is None:
                message = "not honoured: only metrics of requests can have values that are not the same for all"
                resource.warning(self._problems, (*path, "tagOverrides", name), message, code=codes.TELEMETRY_PROBLEM)

    def _value(self, metric: str) -> MetricOverride | None:
        found = self._found.get(metric)
        if found is None:
            return None
        removed = tuple(sorted(name for name, tag in found.tags.items() if tag.operation is Operation.REMOVE))
        tags = tuple(each for name, tag in found.tags.items() if (each := _tag(name, tag)) is not None)
        return MetricOverride(metric, found.disabled, removed, tags)


def _nothing(override: MetricOverride) -> MetricOverride:
    return MetricOverride(override.metric)


def _tag(name: str, tag: TagOverride) -> MetricTag | None:
    """Return a label that is there; L{None}: it is not, or its value is told as an error."""
    if tag.operation is Operation.REMOVE or not tag.value:
        return None
    try:
        node = parse(tag.value)
    except BadExpression:
        return None
    same = node.value if isinstance(node, Constant) and isinstance(node.value, str) else None
    return MetricTag(name, tag.value, same)
