"""C{ConcurrencyPolicy} to guards."""

from __future__ import annotations

from math import ceil

from edgegate.istio.kinds.concurrency_policy import ConcurrencyPolicy, CrowdedResponse
from edgegate.istio.resources import Resource
from edgegate.istio.translate.guards.rate_limits import key_part, matched
from edgegate.istio.translate.guards.standing import Policies, Standing
from edgegate.istio.validation.rate_limit_policy import name_of
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
            tuple(part for part in map(key_part, limit.by) if part is not None),
            None if limit.match is None else matched(limit.match),
        )
        for index, limit in enumerate(spec.limits)
    )
    name = f"{policy.namespace}/{policy.name}"
    return ConcurrencyGuard(name, policy.document.origin, limits, _response(spec.response), bool(spec.shadow))


def _response(response: CrowdedResponse | None) -> Crowded:
    usual = Crowded()
    if response is None:
        return usual
    return Crowded(
        usual.status if response.status is None else response.status,
        usual.body if response.body is None else response.body.encode(),
        usual.content_type if response.content_type is None else response.content_type.encode("latin-1", "replace"),
        bool(response.grpc_resource_exhausted),
        usual.retry_after if response.retry_after is None else ceil(response.retry_after),
    )
