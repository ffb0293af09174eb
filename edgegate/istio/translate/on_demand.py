"""Certificates on demand: for which names an issuer issues them."""

from __future__ import annotations

from contextlib import suppress

from edgegate.istio.kinds import certificate_issuer as kinds
from edgegate.istio.resources import Resource
from edgegate.model.certificates import CertificateIssuer
from edgegate.model.hosts import normalise
from edgegate.model.on_demand import CERTIFICATES, MOST, PERIOD, OnDemand


def on_demand_of(
    resource: Resource[kinds.CertificateIssuer], rules: kinds.OnDemandCertificates, issuer: CertificateIssuer
) -> OnDemand:
    """Return for which names an issuer issues certificates on demand; what is wrong was told."""
    allow = []
    for name in rules.allow:
        with suppress(ValueError):
            allow.append(normalise(name))
    rate = rules.rate
    return OnDemand(
        issuer,
        resource.document.origin_of(("spec", "onDemand")),
        rules.ask or "",
        # a list of which nothing is left allows nothing
        tuple(allow) or tuple(rules.allow),
        CERTIFICATES if rate is None else rate.certificates,
        PERIOD if rate is None else rate.period,
        MOST if rules.most is None else rules.most,
    )
