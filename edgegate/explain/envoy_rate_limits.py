"""What the rate limits of EnvoyFilters make of requests that are made up."""

from __future__ import annotations

from collections.abc import Iterable

from edgegate.access.rate_limits.descriptors import Descriptor, DescriptorMaker
from edgegate.explain.judgement import Judgement, Verdict
from edgegate.http.exchange import Exchange
from edgegate.http.guards.envoy_place import Settled, destination
from edgegate.model.guards.envoy_rate_limits import Asks, LocalRateLimit, RateLimitService

_TRUSTED_HOPS = 0
"""The route that is looked at is that of a client that asks itself: redirects to HTTPS are no matter of a limit."""


def judge_local(guard: LocalRateLimit, exchange: Exchange) -> Judgement:
    """Tell which descriptors it has; how much is left only a gateway knows that runs."""
    route, settled = Settled(guard.scopes, _TRUSTED_HOPS).of(exchange)
    limit = settled.local or guard.limit
    if not limit.enabled or (limit.bucket is None and not limit.descriptors):
        return Judgement(guard, Verdict.ALLOWED, f"{limit.prefix} counts nothing")
    if not limit.enforced:
        return Judgement(guard, Verdict.ALLOWED, f"{limit.prefix} counts it, and refuses nothing")
    rules = settled.rules if limit.rules is None else limit.rules
    found = DescriptorMaker(rules, limit.stage).of(exchange, destination(route)) if limit.descriptors else []
    words = f"only a gateway that runs can tell what {limit.prefix} has left"
    return Judgement(guard, Verdict.UNKNOWN, words + _told(found))


def judge_service(guard: RateLimitService, exchange: Exchange) -> Judgement:
    """Tell what the service would be asked."""
    limit = guard.limit
    route, settled = Settled(guard.scopes, _TRUSTED_HOPS).of(exchange)
    cluster = destination(route)
    if limit.asks is Asks.INTERNAL:
        return Judgement(guard, Verdict.ALLOWED, "the service is asked about requests from within alone")
    if not cluster:
        return Judgement(guard, Verdict.ALLOWED, "it goes to no backend: the service is not asked")
    rules = settled.rules if limit.rules is None else limit.rules
    found = DescriptorMaker(rules, limit.stage).of(exchange, cluster)
    if not found:
        return Judgement(guard, Verdict.ALLOWED, "it has no descriptor: the service is not asked")
    words = f"the service {limit.cluster} is asked, in the domain {limit.domain}"
    return Judgement(guard, Verdict.UNKNOWN, words + _told(found))


def _told(descriptors: Iterable[Descriptor]) -> str:
    said = [
        "("
        + ", ".join(f"{key.decode('utf-8', 'replace')}={value.decode('utf-8', 'replace')}" for key, value in each)
        + ")"
        for each in descriptors
    ]
    return f": {' and '.join(said)}" if said else ""
