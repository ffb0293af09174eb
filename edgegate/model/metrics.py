# Compiled: values that hot modules read.
"""What files say of Istio's metrics (C{Telemetry.metrics}): which there are, and which labels they have."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgegate.model.origin import Origin
from edgegate.model.picklable import Picklable

REQUEST_METRICS = frozenset(
    ("istio_requests_total", "istio_request_duration_milliseconds", "istio_request_bytes", "istio_response_bytes")
)
"""Those of requests: labels of theirs may have any value that an expression has."""


@dataclass(frozen=True, slots=True)
class MetricTag(Picklable):
    """
    A label that a metric has besides, or with another value.

    @ivar expression: What its value is, in CEL (L{edgegate.model.cel}).
    @ivar constant: Its value where that is the same for all; L{None}: it is not.
    """

    name: str
    expression: str
    constant: str | None = None


@dataclass(frozen=True, slots=True)
class MetricOverride(Picklable):
    """
    What is otherwise of one metric.

    @ivar metric: Its name, such as C{istio_requests_total}.
    @ivar disabled: Whether there is none.
    @ivar removed: The labels that it does not have.
    """

    metric: str
    disabled: bool = False
    removed: tuple[str, ...] = ()
    tags: tuple[MetricTag, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredMetrics(Picklable):
    """
    What is otherwise of all metrics.

    @ivar origin: Where the files say so.
    """

    overrides: tuple[MetricOverride, ...]
    origin: Origin | None = field(default=None, compare=False)

    def of(self, metric: str) -> MetricOverride | None:
        """Return what is otherwise of a metric, if anything is."""
        for override in self.overrides:
            if override.metric == metric:
                return override
        return None

    @property
    def expressions(self) -> tuple[str, ...]:
        """All that is asked of each request."""
        found: dict[str, None] = {}
        for override in self.overrides:
            if override.metric in REQUEST_METRICS and not override.disabled:
                for tag in override.tags:
                    if tag.constant is None:
                        found[tag.expression] = None
        return tuple(found)
