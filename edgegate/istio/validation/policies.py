"""What edgegate's own kinds of policies must be by themselves."""

from __future__ import annotations

from typing import Any

from edgegate.config.problems import Problems
from edgegate.config.values import show, suggestion
from edgegate.istio.kinds.address_list_policy import AddressListPolicy
from edgegate.istio.kinds.policy_target import TargetedPolicy
from edgegate.istio.resources import Resource
from edgegate.istio.validation.findings import Findings

_TARGETS = ("Gateway", "VirtualService")
_GROUP = "networking.istio.io"


def check_targets(resource: Resource[Any], findings: Findings) -> None:
    """Report what C{targetRefs} and C{selector} can't be; the first thing that each of these kinds is asked."""
    spec: TargetedPolicy = resource.spec
    if spec.selector is not None and spec.target_refs:
        findings.error(("spec", "selector"), "only one of selector and targetRefs can be given")
    for index, reference in enumerate(spec.target_refs):
        path = ("spec", "targetRefs", index)
        if reference.group != _GROUP:
            findings.error((*path, "group"), f"{show(reference.group)} has no kind that is served here: write {_GROUP}")
        if reference.kind not in _TARGETS:
            hint = suggestion(reference.kind, _TARGETS)
            findings.error((*path, "kind"), f"{show(reference.kind)} is none of {' and '.join(_TARGETS)}{hint}")


def validate_address_list_policy(resource: Resource[Any], problems: Problems) -> None:
    """It has at least one list, and no list is empty."""
    findings = Findings(resource, problems)
    check_targets(resource, findings)
    spec: AddressListPolicy = resource.spec
    if spec.allow is None and spec.deny is None:
        findings.error(("spec",), "it has neither allow nor deny")
    for name, lists in (("allow", spec.allow), ("deny", spec.deny)):
        if lists is not None and not lists.addresses and not lists.files:
            findings.error(("spec", name), "it has neither addresses nor files")
