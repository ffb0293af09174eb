"""TLS-ALPN-01 (RFC 8737): the gateways that share the store answer what is in it, at their ports with TLS."""

from __future__ import annotations

from contextlib import AbstractContextManager

from edgegate.model.certificates import ChallengeKind
from edgegate.tls.acme.solvers.solver import Challenge
from edgegate.tls.acme.store import CertificateStore, hello_name
from edgegate.tls.acme.tls_alpn import digest_of


class TLSALPN01Solver:
    """
    Puts answers into a store, where L{edgegate.tls.acme.hello_challenges} finds them.

    A certificate holds one answer: of two authorities that are to see one host at one time, one sees the answer to the
    other, and is asked again later.
    """

    kind = ChallengeKind.TLS_ALPN_01

    def __init__(self, store: CertificateStore) -> None:
        self._store = store

    def proves(self, host: str) -> bool:
        """It says nothing of a wildcard: only one host was asked."""
        return not host.startswith("*.")

    def answered(self, challenge: Challenge) -> AbstractContextManager[None]:
        """See L{edgegate.tls.acme.solvers.solver.Solver.answered}."""
        answer = digest_of(challenge.key_authorization).hex()
        return self._store.challenge(hello_name(challenge.host), answer)
