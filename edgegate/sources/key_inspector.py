"""What clients, backends or OpenSSL may dislike about key material."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from edgegate.config.problems import Role, Severity
from edgegate.istio.translate import Finding, Part
from edgegate.model.tls import KeyPair, ServerTLS, UpstreamTLS
from edgegate.tls.choice import choice, names_of
from edgegate.tls.contexts import server_context
from edgegate.tls.secrets import (
    BadKeyMaterial,
    check_authorities,
    check_revocations,
    doubts,
    load_certificates,
    load_key_pair,
)

_SHOWN = 3


class KeyInspector:
    """Looks at key material as OpenSSL will; what several servers or clusters share is looked at once."""

    def __init__(self, now: datetime) -> None:
        """
        @param now: An aware time that certificates should be valid at.
        """
        self._now = now
        self._findings: dict[ServerTLS, tuple[Finding, ...]] = {}
        self._upstream: dict[UpstreamTLS, tuple[Finding, ...]] = {}

    def __call__(self, tls: ServerTLS, hosts: tuple[str, ...]) -> Iterator[Finding]:
        """Yield what is wrong, and what is doubtful for a server of these host patterns."""
        found = self._findings.get(tls)
        if found is None:
            found = self._findings[tls] = tuple(self._inspect(tls))
        yield from found
        if not any(finding.severity is Severity.ERROR for finding in found):
            yield from _uncovered(tls, hosts)

    def upstream(self, tls: UpstreamTLS) -> tuple[Finding, ...]:
        """Return what is wrong or doubtful of the key material that TLS with backends needs."""
        found = self._upstream.get(tls)
        if found is None:
            pairs = [tls.certificate] if tls.certificate is not None else []
            findings = [finding for pair in pairs for finding in self._pair(pair, 0)]
            findings.extend(self._trust(tls.authorities, tls.revocations))
            found = self._upstream[tls] = tuple(findings)
        return found

    def _inspect(self, tls: ServerTLS) -> Iterator[Finding]:
        found = [finding for number, pair in enumerate(tls.certificates) for finding in self._pair(pair, number)]
        verification = tls.rules.verification
        if verification is not None:
            found.extend(self._trust(verification.authorities, verification.revocations))
        yield from found
        if any(finding.severity is Severity.ERROR for finding in found):
            return
        try:
            # only looked at: with ALPN it would leave a cycle of pyOpenSSL's behind
            for each in choice(tls).all():
                server_context(replace(each, alpn=()))
        except BadKeyMaterial as error:
            numbers = {pair.name: number for number, pair in enumerate(tls.certificates)}
            if error.name in numbers:
                yield Finding(Severity.ERROR, Part.CERTIFICATE, str(error), numbers[error.name])
            else:
                yield Finding(Severity.ERROR, Part.CIPHERS, error.reason)

    def _pair(self, pair: KeyPair, number: int) -> Iterator[Finding]:
        part = Part.CERTIFICATE
        try:
            load_certificates(pair.chain, pair.name)
            part = Part.KEY
            load_key_pair(pair)
        except BadKeyMaterial as error:
            yield Finding(Severity.ERROR, part, str(error), number)
            return
        for doubt in doubts(pair.chain, self._now):
            yield Finding(Severity.WARNING, Part.CERTIFICATE, f"{pair.name}: {doubt}", number, Role.TIME)

    def _trust(self, authorities: bytes | None, revocations: bytes) -> Iterator[Finding]:
        if authorities is not None:
            try:
                check_authorities(authorities)
            except BadKeyMaterial as error:
                yield Finding(Severity.ERROR, Part.AUTHORITIES, error.reason)
            else:
                for doubt in doubts(authorities, self._now):
                    yield Finding(Severity.WARNING, Part.AUTHORITIES, doubt, role=Role.TIME)
        if revocations:
            try:
                check_revocations(revocations)
            except BadKeyMaterial as error:
                yield Finding(Severity.ERROR, Part.REVOCATIONS, error.reason)


def _uncovered(tls: ServerTLS, hosts: tuple[str, ...]) -> Iterator[Finding]:
    """Yield the hosts that no certificate of a server is for: clients will refuse them (RFC 9525 section 6.3)."""
    names = {name for pair in tls.certificates for name in names_of(pair)}
    missing = [host for host in hosts if host != "*" and not _is_for(names, host)]
    if missing:
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        what = ", ".join(missing[:_SHOWN]) + more
        whose = ", ".join(sorted(names)[:_SHOWN]) or "nobody"
        message = f"{tls.certificates[0].name}: the certificate is for {whose}, not for {what}"
        yield Finding(Severity.WARNING, Part.CERTIFICATE, message)


def _is_for(names: set[str], host: str) -> bool:
    """Whether one of a certificate's names is the host; a wildcard stands for its first label only."""
    return host in names or "*." + host.partition(".")[2] in names
