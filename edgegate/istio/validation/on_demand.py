"""What the C{onDemand} of a C{CertificateIssuer} must be: it issues for nobody knows whom, unless something says no."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from edgegate.config.document import Path
from edgegate.config.values import show
from edgegate.istio.kinds.certificate_issuer import IssueRate, OnDemandCertificates
from edgegate.istio.validation.findings import Findings
from edgegate.model.hosts import normalise
from edgegate.model.on_demand import is_public

MOST_HOSTS = 5000
"""Hosts: they are kept in one entry of the storage."""

MOST_ALLOWED = 1000
"""Names and suffixes: each is looked at for each new name."""

MOST_CERTIFICATES = 1000
"""New certificates in a period."""

LONGEST_PERIOD = 7 * 86400.0
"""Seconds."""


def check_on_demand(findings: Findings, path: Path, rules: OnDemandCertificates, local: bool = False) -> None:
    """
    See that something says for which names, and that limits are limits.

    @param local: Whether the authority is the gateway's own, which issues for C{*.localhost}, too.
    """
    if not rules.ask and not rules.allow:
        findings.error(path, "either ask or allow is required: without one anybody could have any name issued")
    if rules.ask:
        _check_url(findings, (*path, "ask"), rules.ask)
    if len(rules.allow) > MOST_ALLOWED:
        findings.error((*path, "allow"), f"more than {MOST_ALLOWED} are too many: have a service say it (ask)")
    for index, name in enumerate(rules.allow[:MOST_ALLOWED]):
        if not _is_pattern(name, local):
            message = f"{show(name)} is neither a name of the public DNS nor a suffix as *.example.com"
            findings.error((*path, "allow", index), message)
    if rules.rate is not None:
        _check_rate(findings, (*path, "rate"), rules.rate)
    if rules.most is not None and not 1 <= rules.most <= MOST_HOSTS:
        findings.error((*path, "most"), f"expected a number from 1 to {MOST_HOSTS}")


def _check_rate(findings: Findings, path: Path, rate: IssueRate) -> None:
    if not 1 <= rate.certificates <= MOST_CERTIFICATES:
        findings.error((*path, "certificates"), f"expected a number from 1 to {MOST_CERTIFICATES}")
    if not 1.0 <= rate.period <= LONGEST_PERIOD:
        findings.error((*path, "period"), f"expected a time from 1s to {LONGEST_PERIOD / 3600:g}h")


def _check_url(findings: Findings, path: Path, text: str) -> None:
    try:
        url = urlsplit(text)
        sound = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0 and url.username is None
    except ValueError:
        findings.error(path, f"{show(text)} is no URL")
        return
    if not sound or not text.isascii() or not text.isprintable() or " " in text or url.fragment:
        findings.error(path, f"{show(text)} is no URL that begins with https://, or with http:// on this machine")
    elif url.scheme == "http" and not _is_here(url):
        findings.error(
            path, f"{show(text)} is asked in the clear, which only a service on this machine may be: https://"
        )


def _is_here(url: SplitResult) -> bool:
    host = url.hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_pattern(name: str, local: bool) -> bool:
    try:
        normal = normalise(name)
    except ValueError:
        return False
    # all that a suffix of one label stands for has two
    return is_public(f"app{normal[1:]}" if local and normal.startswith("*.") else normal.removeprefix("*."))
