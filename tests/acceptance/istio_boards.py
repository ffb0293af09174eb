"""
What published boards ask of a gateway: Istio's, of which C{istio_boards.yaml} has every query, and Envoy's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

QUANTILES = {3: (0.5, 0.9, 0.99), 4: (0.5, 0.9, 0.95, 0.99)}
"""By how many of them a panel asks for."""

MUTUAL = {
    "connection_security_policy": ('!="mutual_tls"', '="mutual_tls"'),
    "destination_principal": ('!~"spiffe.*"', '=~"spiffe.*"'),
}
"""What tells mutual TLS: how a query asks for all but that, and how the one beside it asks for that alone."""

CODES = {"4xxs": '=~"4.."', "5xxs": '=~"5.."'}
"""Panels that do not ask for all that were no failures."""


@dataclass(frozen=True)
class Query:
    """
    One query.

    @ivar where: The board and the panel.
    @ivar expressions: One for each series that it asks for.
    @ivar groups: The labels of what it yields.
    @ivar why: Why it concerns no gateway; empty: it does.
    """

    where: str
    expressions: tuple[str, ...]
    groups: tuple[str, ...]
    why: str


def istio_queries(chosen: Mapping[str, str]) -> Iterator[Query]:
    """
    Yield those of Istio's boards.

    @param chosen: What is chosen for each label that a board has a variable for; C{reporter} is one.
    """
    data = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="ascii"))
    for row in data["rows"]:
        why = data["why"].get(row.get("why"), "")
        for number in range(row["queries"]):
            mutual = _tells_mutual(row) and number % 2 == 1
            expressions = tuple(_expression(row, series, chosen, number) for series in row["series"])
            reason = why or (data["why"]["mutual"] if mutual else "")
            yield Query(f"{row['board']}: {row['panel']}", expressions, tuple(row["groups"]), reason)


def _tells_mutual(row: Mapping[str, Any]) -> bool:
    """Whether a row has each query twice, for what goes by mutual TLS and for what does not."""
    return row["queries"] % 2 == 0 and any(label in MUTUAL for label in row["selects"])


def _expression(row: Mapping[str, Any], series: str, chosen: Mapping[str, str], number: int) -> str:
    reporter = chosen["reporter"] if row["reporter"] == "chosen" else row["reporter"]
    selected = [f'reporter=~"{reporter}"'] if reporter else []
    twice = _tells_mutual(row)
    for label in row["selects"]:
        if label in MUTUAL and twice:
            selected.append(label + MUTUAL[label][number % 2])
        elif label == "response_code":
            selected.append(label + CODES.get(row["panel"], '!~"5.."'))
        elif label in chosen:
            selected.append(f'{label}=~"{chosen[label]}"')
    found = f"{series}{{{', '.join(selected)}}}"
    groups = row["groups"]
    if series.endswith("_bucket"):
        few = QUANTILES[row["queries"] // 2 if twice else row["queries"]]
        quantile = few[number // 2 if twice else number]
        return f"histogram_quantile({quantile}, sum by ({', '.join(['le', *groups])}) (rate({found}[1m])))"
    if series != "istio_build":
        found = f"rate({found}[1m])"
    return f"sum by ({', '.join(groups)}) ({found})"


ENVOY = (
    "envoy_cluster_membership_degraded",
    "envoy_cluster_membership_excluded",
    "envoy_cluster_membership_healthy",
    "envoy_cluster_membership_total",
    "envoy_cluster_outlier_detection_ejections_active",
    "envoy_cluster_upstream_cx_active",
    "envoy_cluster_upstream_cx_rx_bytes_total",
    "envoy_cluster_upstream_cx_total",
    "envoy_cluster_upstream_cx_tx_bytes_total",
    "envoy_cluster_upstream_rq_time",
    "envoy_cluster_upstream_rq_total",
    "envoy_cluster_upstream_rq_xx",
    "envoy_http_downstream_cx_rx_bytes_total",
    "envoy_http_downstream_cx_total",
    "envoy_http_downstream_cx_tx_bytes_total",
    "envoy_http_downstream_rq_time",
    "envoy_http_downstream_rq_total",
    "envoy_listener_downstream_cx_active",
    "envoy_listener_ssl_certificate_expiration_unix_time_seconds",
    "envoy_server_live",
    "envoy_server_memory_allocated",
    "envoy_server_memory_heap_size",
    "envoy_server_uptime",
    "envoy_tcp_downstream_cx_rx_bytes_total",
    "envoy_tcp_downstream_cx_total",
    "envoy_tcp_downstream_cx_tx_bytes_total",
)
"""What Envoy Gateway's boards (Grafana 11021 and 11022) ask for."""
