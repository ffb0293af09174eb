"""What metrics show of the certificates that the gateway has issued itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from edgegate.model.certificates import ManagedCertificate
from edgegate.observe.metrics.families import MANAGED, MANAGED_TIMES
from edgegate.observe.metrics.gauges import Row
from edgegate.tls.acme.status import CertificateState, CertificateStatus


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
