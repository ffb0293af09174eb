"""
Policies of access that are not honoured yet: with one that could be meant for this gateway nothing is served.

Which those are is Istio's rule (C{pilot/pkg/model/authorization.go}): a policy is for those workloads of its namespace,
or of all namespaces where that is the root one, that have the labels of its selector. No file says in which namespace
this gateway is: Gateways choose it from wherever they are. So it could be in any.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from edgegate.config.problems import Problems, Severity
from edgegate.config.values import show
from edgegate.istio.access import AccessPolicy
from edgegate.istio.kinds import UNENFORCED
from edgegate.istio.kinds.gateway import Gateway
from edgegate.istio.resources import Resource
from edgegate.model import codes

_CHARTS = {"ingressgateway": "istio-ingressgateway", "egressgateway": "istio-egressgateway"}
"""The label C{app} that Istio's charts give a gateway beside its label C{istio}."""

_GATEWAYS = frozenset({"Gateway", "GatewayClass"})


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
    return Workloads([_with_chart(each) for each in asked], selector is not None)


def check_access(
    policies: Iterable[AccessPolicy], workloads: Workloads, ignored: Collection[str], problems: Problems
) -> None:
    """
    Report every policy: as an error where it could be for this gateway.

    @param ignored: Kinds that the user wants to be served without.
    """
    for policy in policies:
        document = policy.document
        missing = UNENFORCED[document.group, document.kind]
        why_not = policy.harmless or _elsewhere(policy, workloads)
        if why_not:
            message = f"{document.title} changes nothing here: {why_not}"
            code = codes.POLICY_NOT_ENFORCED if policy.harmless else codes.NO_MATCHING_WORKLOADS
            document.problem(problems, Severity.INFO, (), message, code=code)
        elif document.kind in ignored:
            message = f"{document.title}: {missing}, as --ignore-kind has it"
            document.warning(problems, (), message, code=codes.POLICY_NOT_ENFORCED)
        else:
            way_out = f"take it out, or serve the folder all the same with --ignore-kind {document.kind}"
            message = f"{document.title} could be for this gateway: {missing}; {way_out}"
            document.error(problems, (), message, code=codes.POLICY_NOT_ENFORCED)


def chosen(labels: Mapping[str, str], workloads: Workloads) -> bool:
    """Whether a selector with these labels may choose this gateway."""
    return any(_may_have(each, labels, workloads.complete) for each in workloads.labels)


def _elsewhere(policy: AccessPolicy, workloads: Workloads) -> str:
    """Return why a policy is for others than this gateway; nothing where it may be for it."""
    if not workloads.labels:
        return "no Gateway is served"
    if policy.targets:
        if any(kind in _GATEWAYS for kind, _ in policy.targets):
            return ""
        return "it is for " + " and ".join(f"{kind or 'what'} {show(name)}" for kind, name in policy.targets)
    if chosen(policy.labels, workloads):
        return ""
    wanted = ", ".join(f"{key}={value}" for key, value in policy.labels.items())
    return f"no gateway here has the labels {wanted} of its selector"


def _may_have(labels: Mapping[str, str], wanted: Mapping[str, str], complete: bool) -> bool:
    """Whether all labels are there, but for those of Istio's gateways that a Gateway need not ask for."""
    for key, value in wanted.items():
        unknown = not complete and key not in labels and (key == "istio" or value in _CHARTS.values())
        if labels.get(key) != value and not unknown:
            return False
    return True


def _with_chart(labels: Mapping[str, str]) -> Mapping[str, str]:
    app = _CHARTS.get(labels.get("istio", ""))
    return {"app": app, **labels} if app is not None else labels
