"""
How the certificates are that the gateway has issued itself: what metrics, the admin listener and commands show. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from edgegate.tls.acme.life import BEGUN, Action, Record, Step


class CertificateState(Enum):
    """How a certificate is, in words."""

    PENDING = "to be issued"
    FAILING = "failing"
    ISSUED = "issued"
    RENEWAL_FAILING = "renewal fails"
    REVOKED = "revoked"
    EXPIRED = "expired"


class Outcome(Enum):
    """What came of a try to have one issued."""

    ISSUED = "issued"
    RENEWED = "renewed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """
    How one certificate is. Times are seconds since the epoch.

    @ivar there: Whether there is one that can be shown.
    @ivar end: When it ends; 0: there is none.
    @ivar next: When it is issued or renewed next; 0: at once.
    @ivar not_before: No try before that.
    @ivar failures: How many tries have failed since one succeeded.
    @ivar error: Why the last one failed, in the authority's words where it was the authority; empty: it did not.
    @ivar issued_at: When one was issued last; 0: that is not known.
    @ivar revoked: Whether the authority has revoked it.
    """

    there: bool
    end: float
    next: float
    not_before: float = 0.0
    failures: int = 0
    error: str = ""
    issued_at: float = 0.0
    revoked: bool = False

    def state(self, now: float) -> CertificateState:
        """
        Return its state.

        @param now: Seconds since the epoch.
        """
        # a try counts as failed from its begin on, which is no news while it may succeed
        failing = self.failures > (self.error == BEGUN and now < self.not_before)
        if not self.there:
            return CertificateState.FAILING if failing else CertificateState.PENDING
        if self.end <= now:
            return CertificateState.EXPIRED
        if failing:
            return CertificateState.RENEWAL_FAILING
        return CertificateState.REVOKED if self.revoked else CertificateState.ISSUED


def status(there: bool, record: Record, action: Action, renewal: float) -> CertificateStatus:
    """
    Return how a certificate is.

    @param action: What is done next.
    @param renewal: When it is to be renewed, whatever has failed.
    """
    when = max(renewal, record.not_before) if there else action.at
    if action.step is Step.ISSUE:
        when = 0.0
    return CertificateStatus(
        there, record.end, when, record.not_before, record.failures, record.error, record.issued_at, record.revoked
    )
