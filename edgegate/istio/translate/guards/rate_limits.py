"""C{RateLimitPolicy} to guards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from edgegate.config.document import Path
from edgegate.istio.kinds.rate_limit_policy import (
    GlobalLimits,
    Limit,
    LimitedResponse,
    LimitKey,
    LimitMatch,
    RateLimitPolicy,
    Redis,
)
from edgegate.istio.resources import Resource
from edgegate.istio.translate.guards.standing import Policies, Standing
from edgegate.istio.validation.rate_limit_policy import name_of, redis_address
from edgegate.model import codes
from edgegate.model.guards.rate_limit import (
    Absent,
    GlobalCount,
    KeyPart,
    KeySource,
    Matched,
    OnFailure,
    RateLimit,
    RateLimited,
    RateLimitGuard,
    RedisServer,
    RedisTLS,
)
from edgegate.model.matching import Kind, StringMatch
from edgegate.model.path_template import ANY, ONE, is_template

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
        _response(spec.response),
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
        tuple(part for part in map(key_part, limit.by) if part is not None),
        None if limit.match is None else matched(limit.match),
        1 if limit.cost is None else max(limit.cost, 1),
    )


def key_part(key: LimitKey) -> KeyPart | None:
    """Return what tells requests apart; L{None}: nothing is said, which was reported."""
    absent = Absent.SHARED if key.absent is None else Absent(key.absent.value)
    address = key.client_address
    if address is not None:
        ipv4, ipv6 = address.ipv4_prefix_length, address.ipv6_prefix_length
        return KeyPart(
            KeySource.CLIENT_ADDRESS,
            ipv4_prefix=32 if ipv4 is None else min(ipv4, 32),
            ipv6_prefix=64 if ipv6 is None else min(ipv6, 128),
        )
    named = (
        (KeySource.HEADER, None if key.header is None else (key.header.lower(),)),
        (KeySource.COOKIE, None if key.cookie is None else (key.cookie,)),
        (KeySource.CLAIM, None if key.claim is None else tuple(key.claim.split("."))),
        (KeySource.PATH, None if key.path is None else (_expression(key.path, "([^/]+)"),)),
        (KeySource.HOST, None if key.host is None else ()),
        (KeySource.IDENTITY, None if key.identity is None else ()),
    )
    return next((KeyPart(source, name, absent) for source, name in named if name is not None), None)


def matched(match: LimitMatch) -> Matched:
    """Return which requests are counted."""
    return Matched(
        _texts(match.methods),
        _texts(match.paths),
        _texts(match.not_paths),
        tuple((header.name.lower(), _texts(header.values)) for header in match.headers),
    )


def _texts(values: Sequence[str]) -> tuple[StringMatch, ...]:
    return tuple(_text(value) for value in values if value)


def _text(value: str) -> StringMatch:
    """Return the condition that a value stands for: a template, C{*}, C{prefix*}, C{*suffix} or the text itself."""
    if is_template(value):
        return StringMatch(Kind.REGEX, _expression(value, "[^/]+"))
    if value == "*":
        return StringMatch(Kind.REGEX, r"(?s).+")
    if value.endswith("*"):
        return StringMatch(Kind.PREFIX, value[:-1])
    if value.startswith("*"):
        return StringMatch(Kind.REGEX, rf"(?s).*{_quoted(value[1:])}")
    return StringMatch(Kind.EXACT, value)


def _expression(template: str, one: str) -> str:
    """Return the expression of a template of paths. Operators stand for any character: none takes a path out of it."""
    parts = {ONE: one, ANY: ".*"}
    return "(?s)" + "/".join(parts.get(segment) or _quoted(segment) for segment in template.split("/"))


def _quoted(text: str) -> str:
    """Return an expression of RE2 for a text."""
    return re.sub(r"([^A-Za-z0-9_\x80-\U0010ffff])", r"\\\1", text)


def _response(response: LimitedResponse | None) -> RateLimited:
    default = RateLimited()
    if response is None:
        return default
    return RateLimited(
        default.status if response.status is None else response.status,
        default.body if response.body is None else response.body.encode(),
        default.content_type if response.content_type is None else response.content_type.encode("latin-1", "replace"),
        bool(response.grpc_resource_exhausted),
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
