"""
Policies of access that are not honoured yet: with one that could be meant for this gateway nothing is served.

Which those are is Istio's rule (C{pilot/pkg/model/authorization.go}): a policy is for those workloads of its namespace,
or of all namespaces where that is the root one, that have the labels of its selector. No file says in which namespace
this gateway is: Gateways choose it from wherever they are. So it could be in any.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from edgegate.config.problems import Problems, Severity
from edgegate.config.values import show
from edgegate.istio.access import AccessPolicy
from edgegate.istio.kinds import UNENFORCED
from edgegate.istio.translate.guards.workloads import Workloads, chosen
from edgegate.model import codes

_GATEWAYS = frozenset({"Gateway", "GatewayClass"})


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
