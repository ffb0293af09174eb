"""All that there is to be shown of a gateway's metrics at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgegate.model.metrics import DeclaredMetrics
from edgegate.observe.metrics.exposition import Exposition
from edgegate.observe.metrics.families import COUNTED, READ
from edgegate.observe.metrics.gauges import Gauges
from edgegate.observe.metrics.meters import Meters
from edgegate.observe.metrics.options import MetricsOptions


@dataclass(frozen=True, slots=True)
class Measured:
    """
    What was counted, and what was read.

    @ivar meters: Of all processes together; they go on counting.
    @ivar gauges: As they were when somebody asked.
    @ivar options: How they are written.
    @ivar declared: What files say of Istio's; L{None}: nothing.
    """

    meters: Meters
    gauges: Gauges
    options: MetricsOptions
    declared: DeclaredMetrics | None = None

    def text(self, open_metrics: bool = False) -> Iterator[str]:
        """Yield the text, in pieces; see L{edgegate.observe.metrics.exposition}."""
        exposition = Exposition(self.options, open_metrics, self.declared)
        for kind in READ:
            yield from exposition.write_gauges(kind, self.gauges.of(kind))
        for kind in COUNTED:
            yield from exposition.write(kind, self.meters.of(kind))
        yield exposition.end()
