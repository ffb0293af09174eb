"""What edgegate's BasicAuthPolicy and APIKeyPolicy must be by themselves."""

from __future__ import annotations

import re

from edgegate.access.api_keys import BadKey, check_client, key_digest
from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.config.values import show
from edgegate.istio.kinds.api_key_policy import APIKeyPolicy, KeyExtraction
from edgegate.istio.kinds.basic_auth_policy import BasicAuthPolicy
from edgegate.istio.kinds.secret_source import SecretSource
from edgegate.istio.resources import Resource
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.policies import check_targets

MOST_PLACES = 8
LONGEST_REALM = 128

_REALM = re.compile(r"[\x20-\x7e]+")
_HEADER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_COOKIE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 6265 section 4.1.1
_PREFIX = re.compile(r"[\x20-\x7e]*")

_GATEWAYS_OWN = frozenset(
    (
        *("authorization", "connection", "content-length", "cookie", "expect", "forwarded", "host", "http2-settings"),
        *("keep-alive", "proxy", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "x-real-ip"),
        *("x-edgegate-explain", "x-request-id"),
    )
)
_OWN_PREFIXES = ("x-forwarded-", "x-envoy-")


def validate_basic_auth_policy(resource: Resource[BasicAuthPolicy], problems: Problems) -> None:
    """Users come from somewhere, and names are names."""
    findings = Findings(resource, problems)
    check_targets(resource, findings)
    spec = resource.spec
    check_source(findings, ("spec", "users"), spec.users)
    check_realm(findings, spec.realm)
    check_own_header(findings, ("spec", "userHeader"), spec.user_header)


def validate_api_key_policy(resource: Resource[APIKeyPolicy], problems: Problems) -> None:
    """Keys come from somewhere, each is a hash, and they are looked for somewhere."""
    findings = Findings(resource, problems)
    check_targets(resource, findings)
    spec = resource.spec
    if spec.keys_from is not None:
        check_source(findings, ("spec", "keysFrom"), spec.keys_from)
    elif not spec.keys:
        findings.error(("spec",), "it has neither keys nor keysFrom: nobody could enter")
    for index, key in enumerate(spec.keys):
        for name, check, text in (("client", check_client, key.client), ("sha256", key_digest, key.sha256)):
            try:
                check(text)
            except BadKey as error:
                findings.error(("spec", "keys", index, name), str(error))
    if len(spec.extract_from) > MOST_PLACES:
        findings.error(("spec", "extractFrom"), f"more than {MOST_PLACES} places")
    for index, place in enumerate(spec.extract_from):
        _check_place(findings, ("spec", "extractFrom", index), place)
    check_realm(findings, spec.realm)
    check_own_header(findings, ("spec", "clientHeader"), spec.client_header)


def check_source(findings: Findings, path: Path, source: SecretSource | None) -> None:
    """A secret comes from a file or from a Secret."""
    if source is None:
        findings.error(path[:-1], f"it has no {path[-1]}")
    elif not source.file and not source.secret_name:
        findings.error(path, "it has neither file nor secretName")


def check_realm(findings: Findings, realm: str | None) -> None:
    """A realm is what every browser can show."""
    if realm is not None and (not _REALM.fullmatch(realm) or len(realm) > LONGEST_REALM):
        findings.error(("spec", "realm"), f"a realm has 1 to {LONGEST_REALM} characters of ASCII")


def check_own_header(findings: Findings, path: Path, name: str | None) -> None:
    """A header that only the gateway says is one that it does not need for something else."""
    if name is None:
        return
    lower = name.lower()
    if not _HEADER.fullmatch(name):
        findings.error(path, f"{show(name)} is no name of a header made of letters, digits and - between them")
    elif lower in _GATEWAYS_OWN or lower.startswith(_OWN_PREFIXES):
        findings.error(path, f"{name} has a meaning of its own: say another one, such as x-user")


def _check_place(findings: Findings, path: Path, place: KeyExtraction) -> None:
    if place.header is not None:
        if not _COOKIE.fullmatch(place.header):
            findings.error((*path, "header"), f"{show(place.header)} is no name of a header")
        if place.prefix is not None and not _PREFIX.fullmatch(place.prefix):
            findings.error((*path, "prefix"), "a prefix is ASCII")
        return
    if place.prefix is not None:
        findings.error((*path, "prefix"), "a prefix belongs to a header")
    if place.cookie is not None:
        if not _COOKIE.fullmatch(place.cookie):
            findings.error((*path, "cookie"), f"{show(place.cookie)} is no name of a cookie")
    elif not place.query_parameter:
        findings.error(path, "say one of header, queryParameter and cookie")
