"""C{ConcurrencyPolicy} to guards."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

from edgegate.istio.kinds.concurrency_policy import ConcurrencyPolicy, CrowdedResponse
from edgegate.istio.resources import Resource
from edgegate.istio.translate.guards.limits import answered, key_parts, matched
from edgegate.istio.translate.guards.standing import Policies, Standing
from edgegate.istio.validation.limits import name_of
from edgegate.model.guards.concurrency import ConcurrencyGuard, ConcurrencyLimit, Crowded


def place_concurrency(policies: Policies, standing: Standing) -> None:
    """Have the limits of all policies stand where they belong."""
    for policy in policies.resources.concurrency_policies:
        standing.on(policies.targeted(policy), concurrency_guard(policy))


def concurrency_guard(policy: Resource[ConcurrencyPolicy]) -> ConcurrencyGuard:
    """Return the guard of a policy."""
    spec = policy.spec
    limits = tuple(
        ConcurrencyLimit(
            name_of(limit, index),
            # what is out of bounds was reported
            max(limit.requests, 1),
            key_parts(limit.by),
            matched(limit.match),
        )
        for index, limit in enumerate(spec.limits)
    )
    name = f"{policy.namespace}/{policy.name}"
    return ConcurrencyGuard(name, policy.document.origin, limits, _response(spec.response), bool(spec.shadow))


def _response(response: CrowdedResponse | None) -> Crowded:
    found = answered(Crowded(), response)
    if response is None or response.retry_after is None:
        return found
    return replace(found, retry_after=ceil(response.retry_after))
