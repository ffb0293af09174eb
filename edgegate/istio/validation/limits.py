"""What the limits of policies must be, whatever they count: what they are called, tell apart, match and answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from edgegate.config.document import Path
from edgegate.config.values import show
from edgegate.istio.kinds.concurrency_policy import ConcurrencyLimit, CrowdedResponse
from edgegate.istio.kinds.rate_limit_policy import Limit, LimitedResponse, LimitKey, LimitMatch
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.names import check_header
from edgegate.model.path_template import is_template, template_fault

MAX_LIMITS: Final = 16
"""Limits of one policy: each costs something with each request."""

LONGEST_PERIOD: Final = 366 * 86400.0
"""Seconds."""

MAX_BODY: Final = 65_536

_NAME: Final = re.compile(r"[A-Za-z0-9][-A-Za-z0-9_.]{0,62}")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")


def check_limits(findings: Findings, limits: Sequence[Limit | ConcurrencyLimit]) -> None:
    """Report what the limits of a policy can't be."""
    if not limits:
        findings.error(("spec", "limits"), "it has no limits")
    elif len(limits) > MAX_LIMITS:
        findings.error(("spec", "limits"), f"it has {len(limits)} limits; {MAX_LIMITS} are the most")
    names: dict[str, int] = {}
    for index, limit in enumerate(limits):
        path = ("spec", "limits", index)
        if limit.name is not None and not _NAME.fullmatch(limit.name):
            findings.error((*path, "name"), f"{show(limit.name)} is no name: letters, digits, -, _ and ., 63 at most")
        name = name_of(limit, index)
        if names.setdefault(name, index) != index:
            findings.error((*path, "name"), f"limits[{names[name]}] is called {show(name)}, too")
        if limit.requests < 1:
            findings.error((*path, "requests"), "0 requests: to refuse all, write a policy that denies")
        for number, key in enumerate(limit.by):
            _check_key(findings, (*path, "by", number), key)
        if limit.match is not None:
            _check_match(findings, (*path, "match"), limit.match)


def name_of(limit: Limit | ConcurrencyLimit, index: int) -> str:
    """Return the name of a limit, which it has in any case."""
    return f"limit-{index}" if limit.name is None else limit.name


def _check_key(findings: Findings, path: Path, key: LimitKey) -> None:
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


def _check_match(findings: Findings, path: Path, match: LimitMatch) -> None:
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
