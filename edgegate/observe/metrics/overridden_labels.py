# Compiled: it is asked for each series that is written where files say something of metrics.
"""
Labels of Istio's metrics as files have them (C{Telemetry.metrics}): others are there, or some are not, so that several
series may become one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from edgegate.model.metrics import REQUEST_METRICS, MetricOverride
from edgegate.observe.metrics.families import Family, Kind
from edgegate.observe.metrics.label_bounds import UNKNOWN
from edgegate.observe.metrics.meters import Series, keep_newest

SECURITY: Final = ("connection_security_policy", UNKNOWN)
"""What only the backend's side knows."""


def escaped(value: str) -> str:
    """Return a label's value as it stands between quotes."""
    if "\\" in value or '"' in value or "\n" in value:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return value


def label_text(pairs: Iterable[tuple[str, str]]) -> str:
    """Return labels as they stand between braces."""
    return ",".join([f'{name}="{escaped(value)}"' for name, value in pairs])


class OverriddenLabels:
    """Makes the labels of one metric."""

    __slots__ = ("_kind", "_removed", "_source", "_tags")

    def __init__(self, kind: Kind, source: tuple[tuple[str, str], ...], override: MetricOverride | None) -> None:
        """
        @param source: The labels that come first.
        @param override: What is otherwise; L{None}: nothing, but of other metrics of the kind something is.
        """
        self._kind = kind
        self._source = source
        self._removed = frozenset() if override is None else frozenset(override.removed)
        tags = () if override is None else override.tags
        # of what is no request there is nothing that an expression could ask
        asked = override is not None and override.metric in REQUEST_METRICS
        # new ones come last, in the order of their names
        self._tags = sorted([(tag.name, tag) for tag in tags if asked or tag.constant is not None])

    def merge(self, family: Family, series: Series, merged: dict[str, Series]) -> None:
        """Add the numbers of a series, and its exemplars, to those with the same labels."""
        text = self._text(series.labels)
        found = merged.get(text)
        if found is None:
            found = merged[text] = Series((), self._kind.width)
            found.text = text
        numbers, own = series.numbers, found.numbers
        for place in range(family.offset, family.offset + family.width):
            own[place] += numbers[place]
        if family.exemplars and series.exemplars:
            keep_newest(found, series.exemplars)

    def _text(self, values: tuple[str, ...]) -> str:
        kind = self._kind
        usual = len(kind.labels)
        pairs: dict[str, str] = dict(self._source)
        for place, name in enumerate(kind.labels):
            pairs[name] = values[place]
        if kind.secured:
            pairs[SECURITY[0]] = SECURITY[1]
        asked = dict(zip(values[usual::2], values[usual + 1 :: 2], strict=True))
        for name, tag in self._tags:
            pairs[name] = tag.constant if tag.constant is not None else asked.get(tag.expression, UNKNOWN)
        for name in self._removed:
            pairs.pop(name, None)
        return label_text(pairs.items())
