"""What a C{RateLimitPolicy} must be by itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.config.values import show
from edgegate.istio.kinds.concurrency_policy import ConcurrencyLimit, CrowdedResponse
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
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.names import MAX_UNIX, UNIX, check_header, host_fault, is_address
from edgegate.istio.validation.policies import check_targets
from edgegate.model.path_template import is_template, template_fault

MAX_LIMITS: Final = 16
"""Limits of one policy: each costs something with each request."""

LONGEST_PERIOD: Final = 366 * 86400.0
"""Seconds."""

HIGHEST_RATE: Final = 1_000_000
"""Requests in a second: more nobody counts."""

MAX_BODY: Final = 65_536
LONGEST_TIMEOUT: Final = 5.0
MOST_DATABASES: Final = 2**31 - 1

LIMIT_NAME: Final = re.compile(r"[A-Za-z0-9][-A-Za-z0-9_.]{0,62}")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PREFIX: Final = re.compile(r"[-A-Za-z0-9_.:/]{1,64}")
_VALUE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_ADDRESS: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]/@]+):([0-9]{1,5})")


def validate_rate_limit_policy(resource: Resource[Any], problems: Problems) -> None:
    """Limits are some, and what they tell apart, match and answer is there to be told, matched and answered."""
    findings = Findings(resource, problems)
    check_targets(resource, findings)
    spec: RateLimitPolicy = resource.spec
    if not spec.limits:
        findings.error(("spec", "limits"), "it has no limits")
    elif len(spec.limits) > MAX_LIMITS:
        findings.error(("spec", "limits"), f"it has {len(spec.limits)} limits; {MAX_LIMITS} are the most")
    names: dict[str, int] = {}
    for index, limit in enumerate(spec.limits):
        path = ("spec", "limits", index)
        _check_limit(findings, path, limit, spec.global_ is not None)
        name = name_of(limit, index)
        if names.setdefault(name, index) != index:
            findings.error((*path, "name"), f"limits[{names[name]}] is called {show(name)}, too")
    if spec.response is not None:
        check_response(findings, spec.response)
    if spec.global_ is not None:
        _check_global(findings, spec.global_)


def name_of(limit: Limit | ConcurrencyLimit, index: int) -> str:
    """Return the name of a limit, which it has in any case."""
    return f"limit-{index}" if limit.name is None else limit.name


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


def _check_limit(findings: Findings, path: Path, limit: Limit, shared: bool) -> None:
    if limit.name is not None and not LIMIT_NAME.fullmatch(limit.name):
        findings.error((*path, "name"), f"{show(limit.name)} is no name: letters, digits, -, _ and ., 63 at most")
    if limit.requests < 1:
        findings.error((*path, "requests"), "0 requests: to refuse all, write a policy that denies")
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
    for index, key in enumerate(limit.by):
        check_key(findings, (*path, "by", index), key)
    if limit.match is not None:
        check_match(findings, (*path, "match"), limit.match)


def check_key(findings: Findings, path: Path, key: LimitKey) -> None:
    """Report what requests can't be told apart by."""
    given = [name for name in key.one_of if getattr(key, name) is not None]
    if not given:
        findings.error(path, "it is one of clientAddress, identity, header, cookie, claim, host and path")
    address = key.client_address
    if address is not None:
        lengths = (
            ("ipv4PrefixLength", address.ipv4_prefix_length, 32),
            ("ipv6PrefixLength", address.ipv6_prefix_length, 128),
        )
        for name, length, most in lengths:
            if length is not None and length > most:
                findings.error((*path, "clientAddress", name), f"{length} bits: an address has {most}")
    if key.absent is not None and (address is not None or key.host is not None):
        findings.error((*path, "absent"), "a client's address and a host are never absent")
    if key.header is not None:
        check_header(findings, (*path, "header"), key.header)
    if key.cookie is not None and not _TOKEN.fullmatch(key.cookie):
        findings.error((*path, "cookie"), f"{show(key.cookie)} is no name of a cookie")
    if key.claim is not None and not all(key.claim.split(".")):
        findings.error((*path, "claim"), f"{show(key.claim)} is no claim: names with a dot between them")
    if key.path is not None:
        fault = template_fault(key.path)
        if fault or not is_template(key.path):
            why = fault or "it has neither {*} nor {**}, so that no two requests could be told apart"
            findings.error((*path, "path"), f"{show(key.path)} is no template: {why}")


def check_match(findings: Findings, path: Path, match: LimitMatch) -> None:
    """Report conditions that can't be."""
    for index, method in enumerate(match.methods):
        place = (*path, "methods", index)
        _check_text(findings, place, method)
        if method != method.upper():
            findings.warning(place, f"methods are told by case: did you mean {show(method.upper())}?")
    for name, values in (("paths", match.paths), ("notPaths", match.not_paths)):
        for index, value in enumerate(values):
            _check_path(findings, (*path, name, index), value)
    for index, header in enumerate(match.headers):
        place = (*path, "headers", index)
        check_header(findings, (*place, "name"), header.name)
        _check_texts(findings, (*place, "values"), header.values)


def _check_texts(findings: Findings, path: Path, values: Sequence[str]) -> None:
    for index, value in enumerate(values):
        _check_text(findings, (*path, index), value)


def _check_text(findings: Findings, path: Path, value: str) -> None:
    """A value is a text, C{*}, C{prefix*} or C{*suffix}."""
    if not value:
        findings.error(path, "an empty value fits nothing")
    elif "*" in value[1:-1] or (len(value) > 1 and value[0] == value[-1] == "*"):
        findings.error(path, f"{show(value)} has a * that is neither in front nor behind")


def _check_path(findings: Findings, path: Path, value: str) -> None:
    if is_template(value):
        fault = template_fault(value)
        if fault:
            findings.error(path, f"{show(value)} is no template: {fault}")
        return
    _check_text(findings, path, value)
    if value and value[0] not in "/*":
        findings.error(path, f"a path begins with /; did you mean {show('/' + value)}?")
    elif "?" in value or "#" in value:
        findings.error(path, f"{show(value)} fits nothing: a path ends before its query")


def check_response(findings: Findings, response: LimitedResponse | CrowdedResponse) -> None:
    """Report what can't be answered."""
    path = ("spec", "response")
    if response.status is not None and not 400 <= response.status <= 599:
        findings.error((*path, "status"), f"{response.status} is no error: 400 to 599")
    if response.body is not None and len(response.body.encode()) > MAX_BODY:
        findings.error((*path, "body"), f"longer than {MAX_BODY} bytes")
    if response.content_type is not None and not _VALUE.fullmatch(response.content_type):
        findings.error((*path, "contentType"), f"{show(response.content_type)} is no value of a header")


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
