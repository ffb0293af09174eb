"""What rate limits make of requests that are made up."""

from __future__ import annotations

from edgegate.access.rate_limits.words import counting
from edgegate.explain.judgement import Judgement, Verdict
from edgegate.http.exchange import Exchange
from edgegate.model.guards.rate_limit import RateLimitGuard


def judge_rate_limit(guard: RateLimitGuard, exchange: Exchange) -> Judgement:
    """Tell which limits would count it; how much is left only a gateway knows that runs."""
    found = "; ".join(counting(guard, exchange))
    if not found:
        return Judgement(guard, Verdict.ALLOWED, "no limit counts it")
    if guard.shadow:
        return Judgement(guard, Verdict.ALLOWED, f"in shadow, {found}")
    where = "Redis" if guard.shared is not None else "only a gateway that runs"
    return Judgement(guard, Verdict.UNKNOWN, f"{where} can tell what is left; {found}")
