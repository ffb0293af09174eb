"""C{RateLimitPolicy} to guards."""

from __future__ import annotations

from typing import Final

from edgegate.config.document import Path
from edgegate.istio.kinds.rate_limit_policy import GlobalLimits, Limit, RateLimitPolicy
from edgegate.istio.resources import Resource
from edgegate.istio.translate.guards.limits import answered, key_parts, matched
from edgegate.istio.translate.guards.standing import Policies, Standing
from edgegate.istio.translate.redis_server import redis_server
from edgegate.istio.validation.limits import name_of
from edgegate.model.guards.rate_limit import (
    GlobalCount,
    OnFailure,
    RateLimit,
    RateLimited,
    RateLimitGuard,
)

_DEFAULT_TIMEOUT: Final = 0.05
_DEFAULT_PREFIX: Final = "edgegate"


def place_rate_limits(policies: Policies, standing: Standing) -> None:
    """Have the limits of all policies stand where they belong."""
    for policy in policies.resources.rate_limit_policies:
        standing.on(policies.targeted(policy), rate_limit_guard(policies, policy))


def rate_limit_guard(policies: Policies, policy: Resource[RateLimitPolicy]) -> RateLimitGuard:
    """Return the guard of a policy; files that it names and that can't be read are reported."""
    spec = policy.spec
    shared = None if spec.global_ is None else _shared(policies, policy, spec.global_)
    return RateLimitGuard(
        f"{policy.namespace}/{policy.name}",
        policy.document.origin,
        tuple(_limit(limit, index, shared is not None) for index, limit in enumerate(spec.limits)),
        answered(RateLimited(), spec.response),
        bool(spec.shadow),
        bool(spec.rate_limit_headers),
        shared,
    )


def _limit(limit: Limit, index: int, shared: bool) -> RateLimit:
    # what is out of bounds was reported: no value may raise here
    requests = max(limit.requests, 1)
    burst = requests if limit.burst is None or shared else max(limit.burst, 1)
    return RateLimit(
        name_of(limit, index),
        requests,
        float(limit.period),
        burst,
        key_parts(limit.by),
        matched(limit.match),
        1 if limit.cost is None else max(limit.cost, 1),
    )


def _shared(policies: Policies, policy: Resource[RateLimitPolicy], shared: GlobalLimits) -> GlobalCount | None:
    path: Path = ("spec", "global", "redis")
    redis = redis_server(policy, path, shared.redis, policies.options, policies.problems)
    if redis is None:
        return None
    return GlobalCount(
        redis,
        OnFailure.OPEN if shared.on_failure is None else OnFailure(shared.on_failure.value),
        _DEFAULT_TIMEOUT if shared.timeout is None else float(shared.timeout),
        _DEFAULT_PREFIX if shared.key_prefix is None else shared.key_prefix,
    )
