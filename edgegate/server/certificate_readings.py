"""What metrics show of the certificates that the gateway has issued itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from edgegate.model.certificates import ManagedCertificate
from edgegate.observe.metrics.families import MANAGED, MANAGED_TIMES
from edgegate.observe.metrics.gauges import Row
from edgegate.server.data_plane import DataPlane
from edgegate.tls.acme.status import CertificateState, CertificateStatus, Outcome

_STEP = 200
"""Certificates that are looked at in a step: some tenths of a millisecond."""


def statuses(plane: DataPlane) -> dict[ManagedCertificate, CertificateStatus]:
    """Return how those are that files ask for, and those on demand that this process holds."""
    return {**plane.certificates.statuses, **plane.on_demand.held.statuses}


def tries(plane: DataPlane) -> Mapping[tuple[str, Outcome], int]:
    """Return how often this process had certificates issued or renewed, by the issuer's name and the outcome."""
    found: Counter[tuple[str, Outcome]] = Counter()
    for each in (plane.certificates.tries, plane.on_demand.tries, plane.on_demand.held.renewals):
        # those that never happened are there as well
        found.update(each)
    return found


def managed_rows(found: Mapping[ManagedCertificate, CertificateStatus], now: float) -> Iterator[Row | None]:
    """
    Yield the rows of each issuer, with L{None} between steps: a certificate by itself has none, as there may be
    thousands.

    @param now: Seconds since the epoch.
    """
    issuers: dict[str, _Issued] = {}
    for number, (certificate, each) in enumerate(found.items()):
        issued = issuers.get(certificate.issuer.name)
        if issued is None:
            issued = issuers[certificate.issuer.name] = _Issued(now)
        issued.add(each)
        if number % _STEP == _STEP - 1:
            yield None
    for issuer, issued in issuers.items():
        for state in CertificateState:
            yield MANAGED.name, (issuer, state.name.lower()), (issued.states[state],)
        yield MANAGED_TIMES.name, (issuer,), (issued.end, issued.next, issued.at)


class _Issued:
    """
    The certificates of an issuer. Times are seconds since the epoch; L{None}: there is none.

    @ivar end: When the first ends.
    @ivar next: When the next is issued or renewed; what is due is now.
    @ivar at: When one was issued last.
    """

    def __init__(self, now: float) -> None:
        self._now = now
        self.states: Counter[CertificateState] = Counter()
        self.end: float | None = None
        self.next: float | None = None
        self.at: float | None = None

    def add(self, found: CertificateStatus) -> None:
        """Take one more."""
        self.states[found.state(self._now)] += 1
        due = found.next or self._now
        self.next = due if self.next is None else min(self.next, due)
        if found.there:
            self.end = found.end if self.end is None else min(self.end, found.end)
        if found.issued_at:
            self.at = max(self.at or 0.0, found.issued_at)
