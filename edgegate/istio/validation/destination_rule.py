"""Istio's rules for a DestinationRule."""

from __future__ import annotations

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.config.values import show
from edgegate.istio.kinds.destination_rule import DestinationRule
from edgegate.istio.resources import Resource
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.names import check_export, check_labels, host_fault, is_address, is_label
from edgegate.istio.validation.traffic_policy import check_traffic_policy


def validate_destination_rule(resource: Resource[DestinationRule], problems: Problems) -> None:
    """Report whatever Istio would refuse, or warn of."""
    findings, spec = Findings(resource, problems), resource.spec
    if not spec.host:
        findings.error(("spec", "host"), "missing: a rule is for one service, or for those of a wildcard")
    elif not is_address(spec.host):
        fault = host_fault(spec.host)
        if fault is not None:
            findings.error(("spec", "host"), fault)
    if spec.traffic_policy is not None:
        check_traffic_policy(findings, ("spec", "trafficPolicy"), spec.traffic_policy)
    _check_subsets(findings, spec)
    check_export(findings, ("spec", "exportTo"), spec.export_to)
    if spec.workload_selector is not None:
        own = {".", resource.namespace}
        if any(namespace not in own for namespace in spec.export_to):
            findings.error(("spec", "exportTo"), "a rule with a workloadSelector is for its own namespace only")


def _check_subsets(findings: Findings, spec: DestinationRule) -> None:
    names: dict[str, int] = {}
    for index, subset in enumerate(spec.subsets):
        path: Path = ("spec", "subsets", index)
        name = subset.name or ""
        if not is_label(name):
            what = f"{show(name)} is no name of a subset: letters, digits and -" if name else "missing"
            findings.error((*path, "name"), what)
        first = names.setdefault(name, index)
        if first != index:
            findings.error((*path, "name"), f"{show(name)} is the name of subsets[{first}] too")
        check_labels(findings, (*path, "labels"), subset.labels)
        if subset.traffic_policy is not None:
            check_traffic_policy(findings, (*path, "trafficPolicy"), subset.traffic_policy)
