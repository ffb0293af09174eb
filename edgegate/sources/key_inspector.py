"""
What clients, backends or OpenSSL may dislike about key material: looked at once, and passed on to whoever serves it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from edgegate.config.problems import Role, Severity
from edgegate.istio.translate import Finding, Part
from edgegate.model import codes
from edgegate.model.tls import Credential, KeyPair, ServerTLS, UpstreamTLS
from edgegate.tls.choice import names_of
from edgegate.tls.secret_store import Secrets
from edgegate.tls.secrets import (
    BadKeyMaterial,
    ResolvedTLS,
    check_authorities,
    check_revocations,
    doubts,
    load_certificates,
    load_key_pair,
)
from edgegate.tls.server_contexts import ServerContexts

_SHOWN = 3


class KeyInspector:
    """
    Looks at all key material of one reading as OpenSSL will; what several servers or clusters share is looked at once.
    """

    def __init__(self, now: datetime, contexts: ServerContexts | None = None) -> None:
        """
        @param now: An aware time that certificates should be valid at.
        @param contexts: Makes the contexts of servers, and knows what it was given the last time.
        """
        self._now = now
        self._contexts = ServerContexts() if contexts is None else contexts
        self._contexts.begin()
        self._pairs: dict[Credential, KeyPair] = {}
        self._findings: dict[ResolvedTLS, tuple[Finding, ...]] = {}
        self._upstream: dict[UpstreamTLS, tuple[Finding, ...]] = {}

    @property
    def secrets(self) -> Secrets:
        """What it was given so far, with the contexts that were made of it."""
        return Secrets(self._pairs.values(), self._contexts)

    def __call__(self, tls: ServerTLS, pairs: tuple[KeyPair, ...], hosts: tuple[str, ...]) -> Iterator[Finding]:
        """Take a server's key material; yield what is wrong, and what is doubtful for one of these host patterns."""
        self._keep(pairs)
        resolved = ResolvedTLS(pairs, tls.rules, tls.alpn)
        found = self._findings.get(resolved)
        if found is None:
            found = self._findings[resolved] = tuple(self._inspect(resolved))
        yield from found
        if not any(finding.severity is Severity.ERROR for finding in found):
            yield from _uncovered(pairs, hosts)

    def upstream(self, tls: UpstreamTLS, pair: KeyPair | None) -> tuple[Finding, ...]:
        """Take the key material that TLS with backends needs; return what is wrong or doubtful of it."""
        pairs = () if pair is None else (pair,)
        self._keep(pairs)
        found = self._upstream.get(tls)
        if found is None:
            findings = [finding for pair in pairs for finding in self._pair(pair, 0)]
            findings.extend(self._trust(tls.authorities, tls.revocations))
            found = self._upstream[tls] = tuple(findings)
        return found

    def _keep(self, pairs: tuple[KeyPair, ...]) -> None:
        self._pairs.update((pair.credential, pair) for pair in pairs)

    def _inspect(self, tls: ResolvedTLS) -> Iterator[Finding]:
        found = [finding for number, pair in enumerate(tls.certificates) for finding in self._pair(pair, number)]
        verification = tls.rules.verification
        if verification is not None:
            found.extend(self._trust(verification.authorities, verification.revocations))
        yield from found
        if any(finding.severity is Severity.ERROR for finding in found):
            return
        try:
            self._contexts.check(tls)
        except BadKeyMaterial as error:
            numbers = {pair.name: number for number, pair in enumerate(tls.certificates)}
            if error.name in numbers:
                yield Finding(Severity.ERROR, Part.CERTIFICATE, str(error), numbers[error.name])
            else:
                yield Finding(Severity.ERROR, Part.CIPHERS, error.reason)

    def _pair(self, pair: KeyPair, number: int) -> Iterator[Finding]:
        part = Part.CERTIFICATE
        try:
            chain = load_certificates(pair.chain, pair.name)
            part = Part.KEY
            load_key_pair(pair)
        except BadKeyMaterial as error:
            yield Finding(Severity.ERROR, part, str(error), number)
            return
        valid = all(each.not_valid_before_utc <= self._now < each.not_valid_after_utc for each in chain)
        code = codes.CERTIFICATE_TIME if valid else ""  # by where it comes from
        for doubt in doubts(pair.chain, self._now):
            yield Finding(Severity.WARNING, Part.CERTIFICATE, f"{pair.name}: {doubt}", number, Role.TIME, code)

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


def _uncovered(pairs: tuple[KeyPair, ...], hosts: tuple[str, ...]) -> Iterator[Finding]:
    """Yield the hosts that no certificate of a server is for: clients will refuse them (RFC 9525 section 6.3)."""
    names = {name for pair in pairs for name in names_of(pair)}
    missing = [host for host in hosts if host != "*" and not _is_for(names, host)]
    if missing:
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        what = ", ".join(missing[:_SHOWN]) + more
        whose = ", ".join(sorted(names)[:_SHOWN]) or "nobody"
        message = f"{pairs[0].name}: the certificate is for {whose}, not for {what}"
        yield Finding(Severity.WARNING, Part.CERTIFICATE, message, code=codes.CERTIFICATE_NOT_FOR_HOST)


def _is_for(names: set[str], host: str) -> bool:
    """Whether one of a certificate's names is the host; a wildcard stands for its first label only."""
    return host in names or "*." + host.partition(".")[2] in names
