"""What a C{RateLimitPolicy} must be by itself."""

from __future__ import annotations

import re
from typing import Any, Final

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.config.values import show
from edgegate.istio.kinds.rate_limit_policy import (
    GlobalLimits,
    Limit,
    RateLimitPolicy,
    Redis,
)
from edgegate.istio.resources import Resource
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.limits import LONGEST_PERIOD, check_limits, check_response
from edgegate.istio.validation.names import MAX_UNIX, UNIX, host_fault, is_address
from edgegate.istio.validation.policies import check_targets

HIGHEST_RATE: Final = 1_000_000
"""Requests in a second: more nobody counts."""

LONGEST_TIMEOUT: Final = 5.0
MOST_DATABASES: Final = 2**31 - 1

_PREFIX: Final = re.compile(r"[-A-Za-z0-9_.:/]{1,64}")
_ADDRESS: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]/@]+):([0-9]{1,5})")


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


def redis_address(text: str) -> tuple[str, int] | None:
    """Return the host and the port of a Redis, or the path of its socket and 0; L{None}: it is neither."""
    if text.startswith(UNIX):
        path = text.removeprefix(UNIX)
        return (path, 0) if path.startswith("/") and len(path.encode()) <= MAX_UNIX else None
    found = _ADDRESS.fullmatch(text)
    if found is None or not 1 <= int(found[2]) <= 65535:
        return None
    host = found[1].strip("[]")
    if not is_address(host) and (found[1] != host or host_fault(host, wildcard=False) is not None):
        return None
    return host, int(found[2])


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
    _check_redis(findings, (*path, "redis"), shared.redis)
    if shared.timeout is not None and shared.timeout > LONGEST_TIMEOUT:
        findings.error((*path, "timeout"), f"requests wait that long: {LONGEST_TIMEOUT:g}s at most")
    if shared.key_prefix is not None and not _PREFIX.fullmatch(shared.key_prefix):
        findings.error((*path, "keyPrefix"), f"{show(shared.key_prefix)}: letters, digits and -_.:/, 64 at most")


def _check_redis(findings: Findings, path: Path, redis: Redis) -> None:
    address = redis_address(redis.address)
    if address is None:
        findings.error(
            (*path, "address"), f"{show(redis.address)} is neither HOST:PORT nor unix:// with an absolute path"
        )
    if redis.db is not None and redis.db > MOST_DATABASES:
        findings.error((*path, "db"), f"{redis.db} is no database")
    if redis.username is not None and redis.password_file is None:
        findings.error((*path, "username"), "a user has a password: give passwordFile")
    tls = redis.tls
    if tls is None:
        return
    if address is not None and not address[1]:
        findings.error((*path, "tls"), "not over a UNIX socket")
    if (tls.certificate_file is None) != (tls.key_file is None):
        findings.error((*path, "tls"), "certificateFile and keyFile belong together")
    if tls.server_name is not None and not is_address(tls.server_name):
        fault = host_fault(tls.server_name, wildcard=False)
        if fault is not None:
            findings.error((*path, "tls", "serverName"), fault)
