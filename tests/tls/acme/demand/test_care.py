"""Tests of L{edgegate.tls.acme.demand.care}."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls.acme import client
from edgegate.tls.acme.demand.care import LATER, UNANSWERED, DemandedCare
from edgegate.tls.acme.demand.ledger import Ledger
from edgegate.tls.acme.life import Step
from edgegate.tls.acme.store import CertificateStore
from tests.model.test_on_demand import on_demand
from tests.tls.acme.certificates import made, managed
from tests.tls.acme.demand.test_obtaining import NOW, FakeAuthority

LIFE = 9e6


class DemandedCareTests(SynchronousTestCase):
    """Renewals of what was issued on demand."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.certificate = managed(Path(self.mktemp()).absolute())
        self.store = CertificateStore(self.certificate.issuer)
        self.ledger = Ledger(on_demand(self.certificate.issuer), self.clock.seconds)
        self.asked = NOW
        self.permitted: bool | None = True
        self.questions = 0
        self.care = DemandedCare(self.certificate, self.clock.seconds, self.ledger, lambda: self.asked, self.permits)
        self.patch(client, "Authority", FakeAuthority)
        FakeAuthority.issued, FakeAuthority.fails = [], False

    def permits(self) -> bool | None:
        """Answer whether it may be renewed."""
        self.questions += 1
        return self.permitted

    def due(self) -> None:
        """Have one in the store that is to be renewed."""
        old = made(self.certificate, NOW - LIFE * 0.9, NOW + LIFE * 0.1)
        self.store.put_pair(self.certificate, old.key, old.chain)

    def test_none(self) -> None:
        """Where there is none, none is issued: somebody has to ask for it."""
        _, action = self.care.look()
        self.assertEqual((action.step, action.at > NOW), (Step.WAIT, True))
        self.care.do()
        self.assertEqual(FakeAuthority.issued, [])

    def test_renewed(self) -> None:
        """One that was asked for during its life is renewed, after a question; it counts until its new end."""
        self.due()
        self.assertEqual(self.care.look()[1].step, Step.ISSUE)
        done = self.care.do()
        assert done is not None
        self.assertEqual((done.record.end, self.questions), (NOW + 9e6, 1))
        self.clock.advance(8e6)
        self.assertEqual(self.ledger.hosts(), [self.certificate.host])

    def test_unused(self) -> None:
        """One that nobody has asked for since it was issued is not, until somebody does."""
        self.due()
        self.asked = NOW - LIFE
        _, action = self.care.look()
        self.assertEqual((action.step, action.at), (Step.WAIT, NOW + LATER))
        self.care.do()
        self.assertEqual((FakeAuthority.issued, self.questions), ([], 0))
        self.asked = NOW
        self.assertEqual(self.care.look()[1].step, Step.ISSUE)

    def test_not_permitted(self) -> None:
        """One that may not be renewed is not, and it is asked again much later; soon, where there was no answer."""
        self.due()
        for permitted, later in ((False, LATER), (None, UNANSWERED)):
            self.permitted, now = permitted, self.clock.seconds()
            self.care.do()
            _, action = self.care.look()
            self.assertEqual((action.step, action.at), (Step.WAIT, now + later))
            self.care.do()
            self.clock.advance(later)
        self.assertEqual((self.questions, FakeAuthority.issued), (2, []))
        self.permitted = True
        self.care.do()
        self.assertEqual(len(FakeAuthority.issued), 1)
