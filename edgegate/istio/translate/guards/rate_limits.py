"""C{RateLimitPolicy} to guards."""

from __future__ import annotations

from typing import Final

from edgegate.config.document import Path
from edgegate.istio.kinds.rate_limit_policy import (
    GlobalLimits,
    Limit,
    RateLimitPolicy,
    Redis,
)
from edgegate.istio.resources import Resource
from edgegate.istio.translate.guards.limits import answered, key_parts, matched
from edgegate.istio.translate.guards.standing import Policies, Standing
from edgegate.istio.validation.limits import name_of
from edgegate.istio.validation.rate_limit_policy import redis_address
from edgegate.model import codes
from edgegate.model.guards.rate_limit import (
    GlobalCount,
    OnFailure,
    RateLimit,
    RateLimited,
    RateLimitGuard,
    RedisServer,
    RedisTLS,
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
    shared = None
    if spec.global_ is not None:
        address = redis_address(spec.global_.redis.address)
        if address is not None:
            shared = _shared(policies, policy, spec.global_, address)
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


def _shared(
    policies: Policies, policy: Resource[RateLimitPolicy], shared: GlobalLimits, address: tuple[str, int]
) -> GlobalCount:
    return GlobalCount(
        _redis(policies, policy, shared.redis, address),
        OnFailure.OPEN if shared.on_failure is None else OnFailure(shared.on_failure.value),
        _DEFAULT_TIMEOUT if shared.timeout is None else float(shared.timeout),
        _DEFAULT_PREFIX if shared.key_prefix is None else shared.key_prefix,
    )


def _redis(
    policies: Policies, policy: Resource[RateLimitPolicy], redis: Redis, address: tuple[str, int]
) -> RedisServer:
    path: Path = ("spec", "global", "redis")
    tls = None
    if redis.tls is not None:
        place = (*path, "tls")
        tls = RedisTLS(
            redis.tls.server_name or address[0],
            _file(policies, policy, (*place, "caFile"), redis.tls.ca_file),
            _file(policies, policy, (*place, "certificateFile"), redis.tls.certificate_file),
            _file(policies, policy, (*place, "keyFile"), redis.tls.key_file),
        )
    password = _file(policies, policy, (*path, "passwordFile"), redis.password_file)
    return RedisServer(*address, redis.db or 0, redis.username, password, tls)


def _file(policies: Policies, policy: Resource[RateLimitPolicy], path: Path, name: str | None) -> str | None:
    """Return where a file lies that connections are made with; it is there by now, and has something in it."""
    if name is None:
        return None
    try:
        if not policies.options.read_file(name).strip():
            policy.error(policies.problems, path, f"{name} is empty")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        policy.error(policies.problems, path, f"{name} can't be read: {why}", code=codes.UNREADABLE_FILE)
    return policies.options.locate(name)
