"""What a C{RateLimitPolicy} must be by itself."""

from __future__ import annotations

from typing import Any, Final

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.istio.kinds.rate_limit_policy import GlobalLimits, Limit, RateLimitPolicy
from edgegate.istio.resources import Resource
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.limits import LONGEST_PERIOD, check_limits, check_response
from edgegate.istio.validation.policies import check_targets
from edgegate.istio.validation.redis import check_key_prefix, check_redis

HIGHEST_RATE: Final = 1_000_000
"""Requests in a second: more nobody counts."""

LONGEST_TIMEOUT: Final = 5.0


def validate_rate_limit_policy(resource: Resource[Any], problems: Problems) -> None:
    """Limits are some, and what they tell apart, match and answer is there to be told, matched and answered."""
    findings = Findings(resource, problems)
    check_targets(resource, findings)
    spec: RateLimitPolicy = resource.spec
    check_limits(findings, spec.limits)
    for index, limit in enumerate(spec.limits):
        _check_count(findings, ("spec", "limits", index), limit, spec.global_ is not None)
    if spec.response is not None:
        check_response(findings, spec.response)
    if spec.global_ is not None:
        _check_global(findings, spec.global_)


def _check_count(findings: Findings, path: Path, limit: Limit, shared: bool) -> None:
    if limit.period > LONGEST_PERIOD:
        findings.error((*path, "period"), "a period is 366 days at most")
    elif limit.requests / limit.period > HIGHEST_RATE:
        findings.error((*path, "requests"), f"more than {HIGHEST_RATE:,} requests in a second")
    if limit.burst is not None:
        if shared:
            message = "not with global: Redis counts what passed in any period; all of requests may come at once"
            findings.error((*path, "burst"), message)
        elif limit.burst < 1:
            findings.error((*path, "burst"), "a burst is 1 at least, or nothing would ever pass")
    most = limit.requests if limit.burst is None or shared else limit.burst
    if limit.cost is not None:
        if limit.cost < 1:
            findings.error((*path, "cost"), "a cost is 1 at least; leave requests out with match")
        elif limit.cost > most >= 1:
            findings.error((*path, "cost"), f"nothing would ever pass: {most} may pass at once, and each costs more")


def _check_global(findings: Findings, shared: GlobalLimits) -> None:
    path = ("spec", "global")
    check_redis(findings, (*path, "redis"), shared.redis)
    if shared.timeout is not None and shared.timeout > LONGEST_TIMEOUT:
        findings.error((*path, "timeout"), f"requests wait that long: {LONGEST_TIMEOUT:g}s at most")
    check_key_prefix(findings, (*path, "keyPrefix"), shared.key_prefix)
