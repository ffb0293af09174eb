"""Which challenge is answered, of those that an authority offers."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from edgegate.model.certificates import ACMEAuthority, ChallengeKind
from edgegate.tls.acme.solvers.http_01 import HTTP01Solver
from edgegate.tls.acme.solvers.solver import NotAnswered, Solver
from edgegate.tls.acme.solvers.tls_alpn_01 import TLSALPN01Solver
from edgegate.tls.acme.store import CertificateStore


def solvers(store: CertificateStore, authority: ACMEAuthority) -> tuple[Solver, ...]:
    """Return who answers the challenges of an authority, in the order of its issuer."""
    return tuple(_solver(kind, store, authority) for kind in authority.challenges)


def preferred(found: Iterable[Solver], host: str, offered: Collection[str]) -> Solver:
    """
    Return the first that can prove a host by a challenge that is offered.

    @param offered: The types of challenges, as RFC 8555 has them; authorities may have others, too.
    @raise NotAnswered: There is none.
    """
    able = [solver for solver in found if solver.proves(host)]
    for solver in able:
        if solver.kind.value in offered:
            return solver
    kinds = " or ".join(solver.kind.value.upper() for solver in able) or f"a challenge that is for {host}"
    raise NotAnswered(f"the authority does not offer {kinds}, but {', '.join(sorted(offered)) or 'nothing'}")


def _solver(kind: ChallengeKind, store: CertificateStore, authority: ACMEAuthority) -> Solver:
    if kind is ChallengeKind.DNS_01:
        # a library of the DNS, which few need
        from edgegate.tls.acme.solvers.dns_01 import DNS01Solver  # noqa: PLC0415

        assert authority.dns is not None
        return DNS01Solver(authority.dns)
    return TLSALPN01Solver(store) if kind is ChallengeKind.TLS_ALPN_01 else HTTP01Solver(store)
