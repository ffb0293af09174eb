"""What the values in rules of an AuthorizationPolicy must be, and which of them no request ever has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from edgegate.config.document import Path
from edgegate.config.values import show
from edgegate.istio.validation.findings import Findings
from edgegate.model import codes
from edgegate.model.path_template import is_template, template_fault

_ACCOUNT: Final = re.compile(r"(?:[^/]+/)?[^/]+")
_MAX_ACCOUNTS: Final = 16
_MAX_ACCOUNT: Final = 320
_ISSUER: Final = re.compile(r"https?:/?/?[^/]*\*")
_DNS: Final = re.compile(r"\*?[A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)+")
_ENCODED: Final = re.compile(r"%(?:2[dDeE]|3[0-9]|[46][1-9a-fA-F]|5[0-9aAfF]|7[0-9aAeE])|[^!-~]|[\"<>^`|\\]")
"""What no path has once it is in its normal form (C{edgegate/http/target.py})."""


def check_texts(findings: Findings, path: Path, values: Sequence[str]) -> None:
    """A wildcard stands in front or behind."""
    for index, value in _starred(values):
        message = f"the * within {show(value)} is a character: a wildcard stands in front or behind"
        findings.warning((*path, index), message, codes.VALUE_NEVER_FITS)


def _starred(values: Sequence[str]) -> Iterable[tuple[int, str]]:
    return (
        (index, value) for index, value in enumerate(values) if "*" in (value[1:] if value[:1] == "*" else value[:-1])
    )


def check_paths(findings: Findings, path: Path, values: Sequence[str]) -> None:
    """A path has no query, and templates are some."""
    for index, value in enumerate(values):
        place = (*path, index)
        if is_template(value):
            fault = template_fault(value)
            if fault:
                findings.error(place, f"{show(value)} is no template: {fault}")
        elif "*" in (value[1:] if value[:1] == "*" else value[:-1]):
            message = f"the * within {show(value)} is a character: a segment is {{*}}, many are {{**}}"
            findings.warning(place, message, codes.VALUE_NEVER_FITS)
        elif not value.startswith(("/", "*")):
            findings.warning(place, f"no path is {show(value)}: paths begin with /", codes.VALUE_NEVER_FITS)
        if "?" in value or "#" in value:
            message = f"{show(value)} matches nothing: paths are judged without query and fragment"
            findings.warning(place, message, codes.VALUE_NEVER_FITS)
        elif _ENCODED.search(value):
            message = f"{show(value)} matches nothing: in the normal form that is judged it is spelt otherwise"
            findings.warning(place, message, codes.VALUE_NEVER_FITS)


def check_hosts(findings: Findings, path: Path, values: Sequence[str]) -> None:
    """A host is no URL."""
    check_texts(findings, path, values)
    for index, value in enumerate(values):
        if "/" in value:
            message = f"{show(value)} matches nothing: a host is a name, with a port or without"
            findings.warning((*path, index), message, codes.VALUE_NEVER_FITS)
        elif not value.isascii():
            message = f"{show(value)} matches nothing: clients write names in ASCII (xn--...)"
            findings.warning((*path, index), message, codes.VALUE_NEVER_FITS)


def check_methods(findings: Findings, path: Path, values: Sequence[str]) -> None:
    """A method is written in capitals."""
    check_texts(findings, path, values)
    for index, value in enumerate(values):
        if value != value.upper():
            message = f"{show(value)} matches nothing: methods are told apart by case; write {show(value.upper())}"
            findings.warning((*path, index), message, codes.VALUE_NEVER_FITS)


def check_server_names(findings: Findings, path: Path, values: Sequence[str]) -> None:
    """A name that a client asks for by TLS is one of DNS; here it is in lower case."""
    check_texts(findings, path, values)
    for index, value in enumerate(values):
        if value != value.lower() or not value.isascii() or value.endswith("."):
            message = (
                f"{show(value)} matches nothing: names are compared in lower case, in ASCII and without a final dot"
            )
            findings.warning((*path, index), message, codes.VALUE_NEVER_FITS)


def check_ports(findings: Findings, path: Path, values: Sequence[str]) -> None:
    """A port is a number."""
    for index, value in enumerate(values):
        if not (value.isascii() and value.isdigit() and int(value[:9]) <= 65535 and len(value) <= 9):
            findings.error((*path, index), f"{show(value)} is no port: 0 to 65535")


def check_principals(findings: Findings, path: Path, values: Sequence[str]) -> None:
    """A principal is an identity of SPIFFE: names of DNS are none."""
    check_texts(findings, path, values)
    for index, value in enumerate(values):
        place = (*path, index)
        if value.startswith("spiffe://"):
            message = f"{show(value)} matches nothing: leave spiffe:// out, it is put in front"
            findings.warning(place, message, codes.VALUE_NEVER_FITS)
        elif "/" not in value and _DNS.fullmatch(value):
            message = (
                f"{show(value)} is compared with SPIFFE identities alone, not with names of DNS: to name a client's "
                "certificate otherwise, say when: request.headers[x-forwarded-client-cert]"
            )
            findings.warning(place, message, codes.VALUE_NEVER_FITS)
        elif "=" in value:
            message = f"{show(value)} is compared with SPIFFE identities alone, not with subjects of certificates"
            findings.warning(place, message, codes.VALUE_NEVER_FITS)


def check_request_principals(findings: Findings, path: Path, values: Sequence[str]) -> None:
    """A request's principal is ISSUER/SUBJECT."""
    check_texts(findings, path, values)
    for index, value in enumerate(values):
        place = (*path, index)
        if _ISSUER.fullmatch(value):
            message = f"{show(value)} matches nothing: it is split at its last slash; write https://ISSUER/*"
            findings.warning(place, message, codes.VALUE_NEVER_FITS)
        elif "/" not in value and "*" not in value:
            message = f"{show(value)} matches nothing: write ISSUER/SUBJECT, or ISSUER/*"
            findings.warning(place, message, codes.VALUE_NEVER_FITS)


def check_accounts(findings: Findings, path: Path, values: Sequence[str]) -> None:
    """A service account is a name, or NAMESPACE/NAME."""
    if len(values) > _MAX_ACCOUNTS:
        findings.error(path, f"{len(values)} service accounts: {_MAX_ACCOUNTS} at most")
    for index, value in enumerate(values):
        if "*" in value:
            findings.error((*path, index), f"{show(value)}: service accounts have no wildcards")
        elif len(value) > _MAX_ACCOUNT:
            findings.error((*path, index), f"longer than {_MAX_ACCOUNT} characters")
        elif not _ACCOUNT.fullmatch(value):
            findings.error((*path, index), f"{show(value)} is no service account: NAME, or NAMESPACE/NAME")


def check_trust_domains(findings: Findings, path: Path, values: Sequence[str]) -> None:
    """A trust domain has no path, and a wildcard in front or behind."""
    for index, value in enumerate(values):
        if "/" in value:
            findings.error((*path, index), f"{show(value)} is no trust domain: it has a slash")
    for index, value in _starred(values):
        message = f"{show(value)} is no trust domain: a wildcard stands in front or behind"
        findings.error((*path, index), message)
