"""What whoever starts a gateway decides of its metrics."""

from __future__ import annotations

from dataclasses import dataclass

from edgegate.observe.metrics.label_bounds import MOST_CLUSTERS
from edgegate.observe.metrics.labels import SourceLabels


@dataclass(frozen=True, slots=True)
class MetricsOptions:
    """
    How metrics are counted and written.

    @ivar clusters: How many clusters are told apart, with the workloads behind them.
    @ivar source: Who the gateway is.
    @ivar istio_tags: Whether Envoy's metrics have the labels that Istio's bootstrap gives them, C{cluster_name}, or
        Envoy's own, C{envoy_cluster_name}.
    """

    clusters: int = MOST_CLUSTERS
    source: SourceLabels = SourceLabels()  # noqa: RUF009 (frozen)
    istio_tags: bool = False
