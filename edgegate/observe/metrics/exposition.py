# Compiled: writes millions of lines.
"""
The text that Prometheus reads, of version 0.0.4 or of OpenMetrics 1.0.0.

It comes in pieces that take some ten microseconds each, so that whoever writes
them out can stop between any two. Numbers of one series are of one moment; those
of different ones need not be.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic, time
from typing import Final

from edgegate.model.metrics import DeclaredMetrics
from edgegate.observe.metrics.buckets import BOUNDS, CANONICAL_BOUNDS
from edgegate.observe.metrics.families import Family, Kind, Type
from edgegate.observe.metrics.gauges import Numbers
from edgegate.observe.metrics.labels import SourceLabels
from edgegate.observe.metrics.meters import Exemplar, Exemplars, Series
from edgegate.observe.metrics.options import MetricsOptions
from edgegate.observe.metrics.overridden_labels import OverriddenLabels, escaped, label_text

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_AT_ONCE: Final = 20
"""Series of a histogram in a piece: more would not stay in the processor's cache."""

_NONE: Final[Exemplars] = {}

_ENVOY: Final = "envoy_"
_CLASS: Final = "response_code_class"


def source_labels(source: SourceLabels) -> tuple[tuple[str, str], ...]:
    """Return the labels that all of Istio's metrics begin with; a gateway reports as C{source} alone."""
    return (
        ("reporter", "source"),
        ("source_workload", source.workload),
        ("source_canonical_service", source.workload),
        ("source_canonical_revision", "latest"),
        ("source_workload_namespace", source.namespace),
        ("source_principal", "unknown"),
        ("source_app", source.workload),
        ("source_version", "unknown"),
        ("source_cluster", source.cluster),
    )


class Exposition:
    """Writes series; their labels are made once for each, and kept with it."""

    __slots__ = ("_ahead", "_bounds", "_declared", "_open_metrics", "_options", "_source")

    def __init__(
        self, options: MetricsOptions, open_metrics: bool = False, declared: DeclaredMetrics | None = None
    ) -> None:
        """
        @param declared: What files say of Istio's metrics.
        """
        self._options = options
        self._declared = declared
        self._open_metrics = open_metrics
        self._bounds: tuple[str, ...] = CANONICAL_BOUNDS if open_metrics else BOUNDS
        self._source = label_text(source_labels(options.source))
        # of the same moment by both clocks
        self._ahead = time() - monotonic()

    def labels(self, kind: Kind, values: tuple[str, ...]) -> str:
        """Return the labels of a series, without braces."""
        named = [f'{self._spelt(name)}="{escaped(value)}"' for name, value in zip(kind.labels, values, strict=True)]
        if kind.peers:
            named.insert(0, self._source)
        if kind.secured:
            # to the backend's side alone it is known
            named.append('connection_security_policy="unknown"')
        return ",".join(named)

    def write(self, kind: Kind, series: list[Series]) -> Iterator[str]:
        """Yield the text of all metrics of a kind, in pieces; of one without series nothing."""
        if not series:
            return
        tagged = kind.peers and any(len(each.labels) > len(kind.labels) for each in series)
        for family in kind.families:
            override = None if self._declared is None else self._declared.of(family.name)
            if override is not None and override.disabled:
                continue
            yield self._head(family)
            if override is None and not tagged:
                yield from self._written(kind, family, series)
                continue
            labels = OverriddenLabels(kind, source_labels(self._options.source), override)
            merged: dict[str, Series] = {}
            for place, each in enumerate(series):
                labels.merge(family, each, merged)
                if place % _AT_ONCE == 0:
                    yield ""
            yield from self._written(kind, family, list(merged.values()))

    def _written(self, kind: Kind, family: Family, series: list[Series]) -> Iterator[str]:
        """Yield the lines of one metric, in pieces."""
        if family.type is Type.HISTOGRAM:
            for first in range(0, len(series), _AT_ONCE):
                yield "".join([self._histogram(kind, family, each) for each in series[first : first + _AT_ONCE]])
        else:
            for first in range(0, len(series), _AT_ONCE * 5):
                yield "".join([self._plain(kind, family, each) for each in series[first : first + _AT_ONCE * 5]])

    def write_gauges(self, kind: Kind, rows: list[tuple[tuple[str, ...], Numbers]]) -> Iterator[str]:
        """Yield the text of all gauges of a kind, in pieces; what is L{None} is left out."""
        for family in kind.families:
            pieces: list[str] = []
            named = False
            for labels, numbers in rows:
                value = numbers[family.offset]
                if value is not None:
                    if not named:
                        named = True
                        pieces.append(self._head(family))
                    text = self.labels(kind, labels)
                    pieces.append(f"{family.name}{{{text}}} {value}\n" if text else f"{family.name} {value}\n")
                if len(pieces) >= _AT_ONCE * 5:
                    yield "".join(pieces)
                    pieces = []
            yield "".join(pieces)

    def end(self) -> str:
        """Return what comes last."""
        return "# EOF\n" if self._open_metrics else ""

    def _spelt(self, name: str) -> str:
        return name[len(_ENVOY) :] if self._options.istio_tags and name.startswith(_ENVOY) else name

    def _name(self, family: Family) -> str:
        name = family.name
        if family.split and self._options.istio_tags:
            name = name.removesuffix("_xx")
        return name

    def _head(self, family: Family) -> str:
        name, what = self._name(family), family.type.value
        if self._open_metrics and family.type is Type.COUNTER:
            if name.startswith(_ENVOY):
                # few of Envoy's end with _total, as those of OpenMetrics have to
                what = "unknown"
            else:
                name = name.removesuffix("_total")
        return f"# HELP {name} {escaped(family.help)}\n# TYPE {name} {what}\n"

    def _plain(self, kind: Kind, family: Family, series: Series) -> str:
        text = series.text or self._text(kind, series)
        name = self._name(family)
        numbers = series.numbers
        if not family.split:
            number = numbers[family.offset]
            value = f"{number // 1000}.{number % 1000:03}" if family.thousandths else str(number)
            return f"{name}{{{text}}} {value}\n" if text else f"{name} {value}\n"
        istio = self._options.istio_tags
        label = _CLASS if istio else f"{_ENVOY}{_CLASS}"
        lines = []
        for place, each in enumerate(family.split):
            shown = f"{each}xx" if istio else each
            lines.append(f'{name}{{{text},{label}="{shown}"}} {numbers[family.offset + place]}\n')
        return "".join(lines)

    def _histogram(self, kind: Kind, family: Family, series: Series) -> str:
        text = series.text or self._text(kind, series)
        name = family.name
        numbers = series.numbers
        place = family.offset
        begin = f'{name}_bucket{{{text},le="'
        # the text before OpenMetrics has no place for them
        exemplars = series.exemplars if self._open_metrics and family.exemplars else _NONE
        parts = []
        total = 0
        for bound in self._bounds:
            place += 1
            total += numbers[place]
            parts.append(begin)
            parts.append(bound)
            parts.append('"} ')
            parts.append(str(total))
            if exemplars:
                parts.append(self._exemplar(exemplars.get(place - family.offset - 1)))
            parts.append("\n")
        parts.append(f"{name}_sum{{{text}}} {numbers[family.offset]}\n{name}_count{{{text}}} {total}\n")
        return "".join(parts)

    def _exemplar(self, exemplar: Exemplar | None) -> str:
        """Return what stands behind the number of a bucket."""
        if exemplar is None:
            return ""
        trace_id, value, at = exemplar
        return f' # {{trace_id="{trace_id.decode("ascii")}"}} {value} {at + self._ahead:.3f}'

    def _text(self, kind: Kind, series: Series) -> str:
        found = series.text = self.labels(kind, series.labels)
        return found
