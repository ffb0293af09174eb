"""The options of C{twistd edgegate} that concern metrics."""

from __future__ import annotations

import re
from collections.abc import Mapping

from edgegate.observe.metrics.label_bounds import MOST_CLUSTERS
from edgegate.observe.metrics.labels import SourceLabels
from edgegate.observe.metrics.options import MetricsOptions

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,251}[A-Za-z0-9])?", re.ASCII)

PARAMETERS = [
    [
        "metrics-listen",
        None,
        "none",
        "A further address for metrics alone, which anybody who reaches it may see: HOST:PORT such as 0.0.0.0:15090, "
        "the path of a UNIX socket, or none.",
    ],
    [
        "metrics-hosts",
        None,
        str(MOST_CLUSTERS),
        "How many clusters have metrics of their own: ports and subsets of services. What is more is counted as one, "
        "other.",
    ],
    [
        "metrics-tags",
        None,
        "envoy",
        "The labels of Envoy's metrics: envoy (envoy_cluster_name), which Envoy's boards ask for, or istio "
        "(cluster_name), as Istio's gateways have them.",
    ],
    [
        "metrics-workload",
        None,
        SourceLabels().workload,
        "What Istio's metrics call this gateway, source_workload; Istio's boards ask for this name.",
    ],
    ["metrics-namespace", None, SourceLabels().namespace, "Its source_workload_namespace."],
    ["metrics-cluster", None, SourceLabels().cluster, "Its source_cluster."],
]
"""As in L{twisted.python.usage.Options}."""


def metrics_options(options: Mapping[str, str]) -> MetricsOptions:
    """
    Read them.

    @raise ValueError: One can't be understood; its name is said.
    """
    hosts, tags = options["metrics-hosts"], options["metrics-tags"]
    if not re.fullmatch("[0-9]{1,6}", hosts, re.ASCII) or not int(hosts):
        raise ValueError(f"--metrics-hosts: expected a number from 1 to 999999, such as 1000, got {hosts!r}")
    if tags not in ("envoy", "istio"):
        raise ValueError(f"--metrics-tags is envoy or istio, not {tags!r}")
    for each in ("metrics-workload", "metrics-namespace", "metrics-cluster"):
        if not _NAME.fullmatch(options[each]):
            raise ValueError(f"--{each}: expected a name such as {SourceLabels().workload}, got {options[each]!r}")
    source = SourceLabels(options["metrics-workload"], options["metrics-namespace"], options["metrics-cluster"])
    return MetricsOptions(int(hosts), source, tags == "istio")
