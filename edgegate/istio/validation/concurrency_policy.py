"""What a C{ConcurrencyPolicy} must be by itself."""

from __future__ import annotations

from typing import Any

from edgegate.config.problems import Problems
from edgegate.config.values import show
from edgegate.istio.kinds.concurrency_policy import ConcurrencyPolicy
from edgegate.istio.resources import Resource
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.policies import check_targets
from edgegate.istio.validation.rate_limit_policy import (
    LIMIT_NAME,
    LONGEST_PERIOD,
    MAX_LIMITS,
    check_key,
    check_match,
    check_response,
    name_of,
)


def validate_concurrency_policy(resource: Resource[Any], problems: Problems) -> None:
    """Limits are some, and what they tell apart, match and answer is there to be told, matched and answered."""
    findings = Findings(resource, problems)
    check_targets(resource, findings)
    spec: ConcurrencyPolicy = resource.spec
    if not spec.limits:
        findings.error(("spec", "limits"), "it has no limits")
    elif len(spec.limits) > MAX_LIMITS:
        findings.error(("spec", "limits"), f"it has {len(spec.limits)} limits; {MAX_LIMITS} are the most")
    names: dict[str, int] = {}
    for index, limit in enumerate(spec.limits):
        path = ("spec", "limits", index)
        if limit.name is not None and not LIMIT_NAME.fullmatch(limit.name):
            findings.error((*path, "name"), f"{show(limit.name)} is no name: letters, digits, -, _ and ., 63 at most")
        name = name_of(limit, index)
        if names.setdefault(name, index) != index:
            findings.error((*path, "name"), f"limits[{names[name]}] is called {show(name)}, too")
        if limit.requests < 1:
            findings.error((*path, "requests"), "0 requests: to refuse all, write a policy that denies")
        for number, key in enumerate(limit.by):
            check_key(findings, (*path, "by", number), key)
        if limit.match is not None:
            check_match(findings, (*path, "match"), limit.match)
    if spec.response is not None:
        check_response(findings, spec.response)
        after = spec.response.retry_after
        if after is not None and after > LONGEST_PERIOD:
            findings.error(("spec", "response", "retryAfter"), "366 days at most")
