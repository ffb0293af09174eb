"""Istio's rules for a RequestAuthentication, and keys that can't be used."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from edgegate.access.jwt.key_set import parse_key_set
from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.config.values import show
from edgegate.istio.kinds.request_authentication import JWTRule, RequestAuthentication
from edgegate.istio.resources import Resource
from edgegate.istio.validation.findings import Findings
from edgegate.model import codes
from edgegate.model.headers import FRAMING

MOST_RULES = 4096
MOST_SPLIT_CLAIMS = 64
LONGEST_URL = 2048

_OUTPUT = re.compile(r"[-_A-Za-z0-9]+")
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_SAID_BY_GATEWAY = frozenset(
    (*FRAMING, "host", "expect", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-client-cert", "x-request-id")
)


def validate_request_authentication(resource: Resource[RequestAuthentication], problems: Problems) -> None:
    """Report whatever Istio would refuse, or warn of, and keys that can verify nothing."""
    findings, spec = Findings(resource, problems), resource.spec
    if spec.selector is not None:
        if spec.target_ref is not None or spec.target_refs:
            findings.error(("spec", "selector"), "only one of selector and targetRefs can be given")
        _check_labels(findings, spec.selector.match_labels)
    if len(spec.jwt_rules) > MOST_RULES:
        findings.error(("spec", "jwtRules"), f"more than {MOST_RULES} rules")
    for index, rule in enumerate(spec.jwt_rules):
        path: Path = ("spec", "jwtRules", index)
        _check_keys(findings, path, rule)
        _check_places(findings, path, rule)
        _check_output(findings, path, rule)


def _check_labels(findings: Findings, labels: dict[str, str]) -> None:
    for key, value in labels.items():
        path: Path = ("spec", "selector", "matchLabels", key)
        if not key:
            findings.error(path, "a label has a key")
        elif "*" in key or "*" in value:
            findings.error(path, "a selector takes no wildcards: name the whole label")


def _check_keys(findings: Findings, path: Path, rule: JWTRule) -> None:
    """It says whose tokens, and where their keys are."""
    if not rule.issuer and not rule.jwks_uri:
        findings.error(path, "it has neither issuer nor jwksUri")
    if rule.jwks and rule.jwks_uri:
        findings.error((*path, "jwks"), "only one of jwks and jwksUri can be given")
    if rule.jwks_uri:
        _check_url(findings, (*path, "jwksUri"), rule.jwks_uri)
    elif rule.jwks:
        _check_key_set(findings, (*path, "jwks"), rule.jwks)
    elif rule.issuer and not is_web_url(rule.issuer):
        why = "its keys can't be found, and all its tokens are refused: say jwks or jwksUri"
        findings.warning((*path, "issuer"), f"{show(rule.issuer)} is no https URL: {why}", codes.KEYS_UNUSABLE)
    if rule.timeout is not None and rule.timeout <= 0:
        findings.error((*path, "timeout"), "a timeout is more than 0")


def is_web_url(text: str) -> bool:
    """Whether a text is a URL of a host, by http or https, that can be asked for."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    asked = parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0
    return asked and _VISIBLE.fullmatch(text) is not None and not parts.fragment and parts.username is None


def _check_url(findings: Findings, path: Path, url: str) -> None:
    if len(url) > LONGEST_URL:
        findings.error(path, f"a URL of more than {LONGEST_URL} characters")
    elif not is_web_url(url):
        findings.error(path, f"{show(url)} is no URL such as https://idp.example/jwks.json")
    elif url.lower().startswith("http:"):
        message = "keys that are fetched by http can be anybody's on the way: use https"
        findings.warning(path, message, codes.KEYS_BY_HTTP)


def _check_key_set(findings: Findings, path: Path, text: str) -> None:
    """It is one; which of its keys are of no use, and which should not be in it. No part of it is shown."""
    try:
        keys = parse_key_set(text.encode(), secrets=True)
    except ValueError as error:
        findings.error(path, f"no key set (RFC 7517): {error}")
        return
    for place, why in keys.left_out:
        findings.warning(path, f"key {place + 1} of the set is not used: {why}", codes.KEYS_UNUSABLE)
    if keys.private:
        places = ", ".join(str(place + 1) for place in keys.private)
        message = f"private keys (number {places} of the set): who reads this file can make tokens; take them out"
        findings.warning(path, message, codes.PRIVATE_KEYS)
    if not keys.keys:
        findings.warning(path, "no key of the set can be used: all tokens are refused", codes.KEYS_UNUSABLE)


def _check_places(findings: Findings, path: Path, rule: JWTRule) -> None:
    """Whatever names something has a name."""
    named: list[tuple[str, Iterable[str]]] = [
        ("audiences", rule.audiences),
        ("fromParams", rule.from_params),
        ("fromCookies", rule.from_cookies),
        ("spaceDelimitedClaims", rule.space_delimited_claims),
    ]
    for name, values in named:
        for index, value in enumerate(values):
            if not value:
                findings.error((*path, name, index), "it is empty")
    for index, header in enumerate(rule.from_headers):
        place: Path = (*path, "fromHeaders", index, "name")
        if not header.name:
            findings.error(place, "a header has a name")
        elif not header.name.startswith(":"):
            _check_header(findings, place, header.name)
        else:
            findings.error(place, f"{header.name} is no header")
    if len(rule.space_delimited_claims) > MOST_SPLIT_CLAIMS:
        findings.error((*path, "spaceDelimitedClaims"), f"more than {MOST_SPLIT_CLAIMS} claims")


_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2


def _check_header(findings: Findings, path: Path, name: str) -> None:
    if not _NAME.fullmatch(name):
        findings.error(path, f"{show(name)} is no name of a header")


def _check_output(findings: Findings, path: Path, rule: JWTRule) -> None:
    """Claims are told in headers that are nobody else's."""
    if rule.output_payload_to_header:
        _check_output_name(findings, (*path, "outputPayloadToHeader"), rule.output_payload_to_header)
    for index, each in enumerate(rule.output_claim_to_headers):
        place: Path = (*path, "outputClaimToHeaders", index)
        if not each.claim or not all(each.claim.split(".")):
            findings.error((*place, "claim"), "it names no claim")
        if not each.header:
            findings.error((*place, "header"), "a header has a name")
        else:
            _check_output_name(findings, (*place, "header"), each.header)


def _check_output_name(findings: Findings, path: Path, name: str) -> None:
    if not _OUTPUT.fullmatch(name):
        findings.error(path, f"{show(name)} is no name for it: letters, digits, - and _")
    elif name.lower() in _SAID_BY_GATEWAY or name.lower().startswith("x-envoy-"):
        findings.error(path, f"{name} is said by the gateway itself")
