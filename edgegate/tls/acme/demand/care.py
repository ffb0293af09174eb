"""How a certificate is renewed that was issued on demand: as long as it is asked for, and may be."""

from __future__ import annotations

from collections.abc import Callable

from edgegate.model.certificates import ManagedCertificate
from edgegate.tls.acme.care import Care, Kept
from edgegate.tls.acme.demand.ledger import Ledger
from edgegate.tls.acme.life import Action, Step

LATER = 3600.0
"""Seconds until it is looked again at one that is due, but that nobody asks for or that may not be renewed."""

SOONEST = 1.0
"""The same where it lives for minutes."""

UNANSWERED = 60.0
"""Seconds until it is asked again whether it may be, where there was no answer."""


class DemandedCare(Care):
    """Looks after a certificate that is there. Where there is none it has none issued: that is for who asks for it."""

    def __init__(
        self,
        certificate: ManagedCertificate,
        clock: Callable[[], float],
        ledger: Ledger,
        asked: Callable[[], float],
        permitted: Callable[[], bool | None],
    ) -> None:
        """
        @param asked: Returns when it was asked for last.
        @param permitted: Returns whether it may be renewed; L{None}: nobody knows now. May wait.
        """
        super().__init__(certificate, clock)
        self._wall = clock
        self._ledger = ledger
        self._asked = asked
        self._permitted = permitted
        self._not_before = 0.0

    def look(self) -> tuple[Kept, Action]:
        """See L{Care.look}: nothing is to be done for what nobody has asked for during its life."""
        kept, action = super().look()
        if action.step is Step.ISSUE:
            now, record = self._wall(), kept.record
            if kept.pair is None or self._asked() < record.begin:
                action = Action(Step.WAIT, now + min(LATER, max((record.end - record.begin) / 50, SOONEST)))
            elif now < self._not_before:
                action = Action(Step.WAIT, self._not_before)
        return kept, action

    def do(self) -> Kept | None:
        """See L{Care.do}; before it is renewed it is asked whether it may be."""
        kept, action = self.look()
        if action.step is Step.ISSUE:
            permitted = self._permitted()
            if not permitted:
                self._not_before = self._wall() + (UNANSWERED if permitted is None else LATER)
                return kept
        done = super().do()
        if done is not None and done.pair is not None and done.record.end != kept.record.end:
            self._ledger.keep(self.certificate.host, done.record.end)
        return done
