"""What edgegate's OIDCPolicy must be by itself."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.config.values import show
from edgegate.istio.kinds.oidc_policy import CALLBACK, LOGOUT, OIDCPolicy, OIDCProvider
from edgegate.istio.resources import Resource
from edgegate.istio.validation.credentials import check_own_header, check_source
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.policies import check_targets

SHORTEST_SESSION = 60
LONGEST_SESSION = 30 * 86_400
MOST_HEADERS = 32

_PATH = re.compile(r"/[A-Za-z0-9._~/-]{0,200}")
_COOKIE = re.compile(r"[A-Za-z0-9_-]{1,40}")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 section 3.3
_URL = re.compile(r"[\x21-\x7e]{1,2048}")


def validate_oidc_policy(resource: Resource[OIDCPolicy], problems: Problems) -> None:
    """The provider, the client and the cookies' keys are named; paths, claims and headers are some."""
    findings = Findings(resource, problems)
    check_targets(resource, findings)
    spec = resource.spec
    if spec.provider is None:
        findings.error(("spec",), "it has no provider")
    else:
        _check_provider(findings, spec.provider)
    if not spec.client_id or not spec.client_id.isprintable():
        findings.error(("spec",), "it has no clientId")
    if spec.client_secret is not None:
        check_source(findings, ("spec", "clientSecret"), spec.client_secret)
    check_source(findings, ("spec", "cookieKeys"), spec.cookie_keys)
    for index, scope in enumerate(spec.scopes):
        if not _SCOPE.fullmatch(scope):
            findings.error(("spec", "scopes", index), f"{show(scope)} is no scope: one word each")
    _check_paths(findings, spec)
    if spec.cookie_name is not None and not _COOKIE.fullmatch(spec.cookie_name):
        findings.error(("spec", "cookieName"), "a cookie's name has 1 to 40 letters, digits, - and _ here")
    lasts = spec.session_duration
    if lasts is not None and not SHORTEST_SESSION <= lasts <= LONGEST_SESSION:
        findings.error(("spec", "sessionDuration"), "a session lasts a minute to 30 days")
    _check_claims(findings, spec)


def _check_provider(findings: Findings, provider: OIDCProvider) -> None:
    path: Path = ("spec", "provider", "issuer")
    parts = _split(provider.issuer)
    if parts is None or parts.query or parts.fragment or "@" in parts.netloc:
        findings.error(path, f"{show(provider.issuer)} is no issuer: a URL of https, without a query")
    elif parts.scheme == "http":
        findings.warning(path, "the provider is asked in the clear: whoever is between may log in as anybody")


def _check_paths(findings: Findings, spec: OIDCPolicy) -> None:
    callback, logout = spec.callback_path, spec.logout_path
    for name, path in (("callbackPath", callback), ("logoutPath", logout)):
        if path is not None and (not _PATH.fullmatch(path) or path == "/" or "//" in path or "/." in path):
            findings.error(("spec", name), f"{show(path)} is no path such as /oauth2/callback")
    if (callback or CALLBACK) == (logout or LOGOUT):
        findings.error(
            ("spec", "callbackPath" if logout is None else "logoutPath"), "callbackPath and logoutPath are one"
        )
    after = spec.after_logout
    if after == (logout or LOGOUT):
        findings.error(("spec", "afterLogout"), "it is the logoutPath: users would be sent to where they are, for ever")
    if after is not None and (not _PATH.fullmatch(after) or "//" in after) and _split(after) is None:
        findings.error(("spec", "afterLogout"), f"{show(after)} is neither a path nor a URL")


def _check_claims(findings: Findings, spec: OIDCPolicy) -> None:
    for index, allowed in enumerate(spec.allowed_claims):
        place: Path = ("spec", "allowedClaims", index)
        if not _names(allowed.claim):
            findings.error(place, f"{show(allowed.claim)} is no claim")
        if not allowed.values:
            findings.error(place, "it has no values: nobody could enter")
    if len(spec.claims_to_headers) > MOST_HEADERS:
        findings.error(("spec", "claimsToHeaders"), f"more than {MOST_HEADERS} headers")
    seen: set[str] = set()
    for index, told in enumerate(spec.claims_to_headers):
        place = ("spec", "claimsToHeaders", index)
        if not _names(told.claim):
            findings.error(place, f"{show(told.claim)} is no claim")
        check_own_header(findings, (*place, "header"), told.header)
        if told.header.lower() in seen:
            findings.error((*place, "header"), f"{told.header} is given twice")
        seen.add(told.header.lower())


def _names(claim: str) -> bool:
    return all(claim.split("."))


def _split(url: str) -> SplitResult | None:
    """Return the parts of a URL on the web; L{None}: it is none."""
    if not _URL.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname and port != 0 else None
