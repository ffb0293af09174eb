"""
What this gateway is, as far as policies choose it by labels.

A policy is for those workloads of its namespace, or of all namespaces where that is the root one, that have the labels
of its selector (C{pilot/pkg/model/authorization.go}). A workload is what a Gateway's own C{selector} chooses: standing
alone the gateway is each of those that its Gateways ask for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from edgegate.istio.kinds.gateway import Gateway
from edgegate.istio.resources import Resource

CHARTS = {"ingressgateway": "istio-ingressgateway", "egressgateway": "istio-egressgateway"}
"""The label C{app} that Istio's charts give a gateway beside its label C{istio}."""


@dataclass(frozen=True, slots=True)
class Workloads:
    """
    What this gateway is, as far as policies choose it.

    @ivar labels: What it is labelled, by each Gateway for itself; none where it serves nothing.
    @ivar complete: Whether it has no other labels.
    """

    labels: list[Mapping[str, str]] = field(default_factory=list)
    complete: bool = False


def workloads(gateways: Iterable[Resource[Gateway]], selector: Mapping[str, str] | None) -> Workloads:
    """
    Tell what this gateway is by the Gateways that it serves.

    @param selector: Its own labels, where it was given some: what Gateways ask for does not count then.
    """
    served = list(gateways)
    asked = [gateway.spec.selector for gateway in served] if selector is None else [selector] if served else []
    return Workloads([with_chart(each) for each in asked], selector is not None)


def chosen(labels: Mapping[str, str], workloads: Workloads) -> bool:
    """Whether a selector with these labels may choose this gateway."""
    return any(may_have(each, labels, workloads.complete) for each in workloads.labels)


def may_have(labels: Mapping[str, str], wanted: Mapping[str, str], complete: bool) -> bool:
    """Whether all labels are there, but for those of Istio's gateways that a Gateway need not ask for."""
    for key, value in wanted.items():
        unknown = not complete and key not in labels and (key == "istio" or value in CHARTS.values())
        if labels.get(key) != value and not unknown:
            return False
    return True


def with_chart(labels: Mapping[str, str]) -> Mapping[str, str]:
    """Return labels with the one that Istio's charts set beside them."""
    app = CHARTS.get(labels.get("istio", ""))
    return {"app": app, **labels} if app is not None else labels
