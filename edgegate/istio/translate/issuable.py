"""For which hosts an authority issues certificates that clients take."""

from __future__ import annotations

import re

from edgegate.model.certificates import CertificateIssuer, ChallengeKind, LocalAuthority

LONGEST_BY_DNS = 237
"""Characters of a name, which C{_acme-challenge.} stands in front of, that has 253 at most (RFC 1035 section 2.3.4)."""

_HOST = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")


def not_issuable(host: str, issuer: CertificateIssuer) -> str:
    """Return why no certificate can be issued for a host; empty: it can."""
    if isinstance(issuer.authority, LocalAuthority):
        return _not_signable(host)
    name, challenges = host.removeprefix("*."), issuer.authority.challenges
    if not _HOST.fullmatch(name):
        if host.startswith("*"):
            return (
                "authorities issue certificates for wildcards such as *.example.com alone: name the hosts, or a Secret"
            )
        return (
            "authorities issue certificates for names of the public DNS alone, as shop.example.com: name a Secret, or "
            "a CertificateIssuer with local"
        )
    if name != host and ChallengeKind.DNS_01 not in challenges:
        return (
            f"a certificate for a wildcard takes a challenge by DNS: give CertificateIssuer {issuer.name} the "
            "challenge DNS-01 or onDemand, or name the hosts, or a Secret"
        )
    if len(name) > LONGEST_BY_DNS and (name != host or challenges == (ChallengeKind.DNS_01,)):
        return f"it is longer than {LONGEST_BY_DNS} characters, and leaves no room for the name that DNS-01 takes"
    return ""


def _not_signable(host: str) -> str:
    """Likewise by an authority of the gateway's own."""
    if host == "*":
        return "a certificate is for hosts: name them, for example localhost"
    if host.startswith("*.") and "." not in host[2:]:
        return (
            f"clients take no certificate for a wildcard over all of .{host[2:]}: name the hosts, as app.{host[2:]}, "
            f'or give the issuer onDemand: {{allow: ["{host}"]}}'
        )
    return ""
