"""What edgegate's own kinds of policies have in common: what they are for."""

from __future__ import annotations

from edgegate.istio.kinds.base import Spec
from edgegate.istio.kinds.telemetry import WorkloadSelector


class PolicyTargetReference(Spec, frozen=True, kw_only=True):
    """
    An object of the policy's own namespace.

    C{sectionName} is the name of a Gateway's server or of its port, or that of a VirtualService's C{http} route.
    """

    group: str
    kind: str
    name: str
    section_name: str | None = None


class TargetedPolicy(Spec, frozen=True, kw_only=True):
    """The beginning of each such C{spec}. With neither it is for all gateways of its namespace, as Istio has it."""

    target_refs: tuple[PolicyTargetReference, ...] = ()
    selector: WorkloadSelector | None = None
