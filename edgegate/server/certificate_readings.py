"""What metrics show of the certificates that the gateway has issued itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from edgegate.model.certificates import ManagedCertificate
from edgegate.observe.metrics.families import MANAGED, MANAGED_TIMES
from edgegate.observe.metrics.gauges import Row
from edgegate.server.data_plane import DataPlane
from edgegate.tls.acme.status import CertificateState, CertificateStatus, Outcome


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


def managed_rows(statuses: Mapping[ManagedCertificate, CertificateStatus], now: float) -> Iterator[Row]:
    """
    Yield the rows of each issuer: a certificate by itself has none, as there may be thousands.

    @param now: Seconds since the epoch.
    """
    issuers: dict[str, list[CertificateStatus]] = {}
    for certificate, found in statuses.items():
        issuers.setdefault(certificate.issuer.name, []).append(found)
    for issuer, all_found in issuers.items():
        states = [each.state(now) for each in all_found]
        for state in CertificateState:
            yield MANAGED.name, (issuer, state.name.lower()), (states.count(state),)
        ends = [each.end for each in all_found if each.there]
        issued = max(each.issued_at for each in all_found)
        due = min(each.next or now for each in all_found)
        yield MANAGED_TIMES.name, (issuer,), (min(ends, default=None), due, issued or None)
