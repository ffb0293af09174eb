"""HTTP-01 (RFC 8555 section 8.3): whoever shares the store answers what is in it, at ports without TLS."""

from __future__ import annotations

from contextlib import AbstractContextManager

from edgegate.model.certificates import ChallengeKind
from edgegate.tls.acme.solvers.solver import Challenge
from edgegate.tls.acme.store import CertificateStore


class HTTP01Solver:
    """Puts answers into a store, where L{edgegate.tls.acme.challenges} finds them."""

    kind = ChallengeKind.HTTP_01

    def __init__(self, store: CertificateStore) -> None:
        self._store = store

    def proves(self, host: str) -> bool:
        """It says nothing of a wildcard: only one host was asked."""
        return not host.startswith("*.")

    def answered(self, challenge: Challenge) -> AbstractContextManager[None]:
        """See L{edgegate.tls.acme.solvers.solver.Solver.answered}."""
        return self._store.challenge(challenge.token, challenge.key_authorization)
