"""What limits of concurrency make of requests that are made up."""

from __future__ import annotations

from edgegate.access.concurrency import ConcurrencyLimits, CountedConcurrency
from edgegate.access.rate_limits.words import shown_key
from edgegate.explain.judgement import Judgement, Verdict
from edgegate.http.exchange import Exchange
from edgegate.model.guards.concurrency import ConcurrencyGuard


def judge_concurrency(guard: ConcurrencyGuard, exchange: Exchange) -> Judgement:
    """Tell which limits would count it; how many are under way only a gateway knows that runs."""
    found = []
    limits = ConcurrencyLimits([CountedConcurrency(rule, 1) for rule in guard.limits])
    for limit, key in limits.places(exchange):
        rule = limit.rule
        what = shown_key(key, single=len(rule.by) == 1) if rule.by else "all together"
        found.append(f"{rule.name} counts {what}: {rule.requests} at one time")
    if not found:
        return Judgement(guard, Verdict.ALLOWED, "no limit counts it")
    words = "; ".join(found)
    if guard.shadow:
        return Judgement(guard, Verdict.ALLOWED, f"in shadow, {words}")
    return Judgement(guard, Verdict.UNKNOWN, f"only a gateway that runs can tell how many are under way; {words}")
