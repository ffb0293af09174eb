"""What a C{ConcurrencyPolicy} must be by itself."""

from __future__ import annotations

from typing import Any

from edgegate.config.problems import Problems
from edgegate.istio.kinds.concurrency_policy import ConcurrencyPolicy
from edgegate.istio.resources import Resource
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.limits import LONGEST_PERIOD, check_limits, check_response
from edgegate.istio.validation.policies import check_targets


def validate_concurrency_policy(resource: Resource[Any], problems: Problems) -> None:
    """Limits are some, and what they tell apart, match and answer is there to be told, matched and answered."""
    findings = Findings(resource, problems)
    check_targets(resource, findings)
    spec: ConcurrencyPolicy = resource.spec
    check_limits(findings, spec.limits)
    if spec.response is not None:
        check_response(findings, spec.response)
        after = spec.response.retry_after
        if after is not None and after > LONGEST_PERIOD:
            findings.error(("spec", "response", "retryAfter"), "366 days at most")
