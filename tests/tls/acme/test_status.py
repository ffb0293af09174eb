"""Tests of L{edgegate.tls.acme.status}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls.acme.life import BEGUN, Action, Record, Step
from edgegate.tls.acme.status import CertificateState, status

NOW = 1000.0
NOTHING = Action(Step.WAIT, NOW + 5)


class StatusTests(SynchronousTestCase):
    """How a certificate is."""

    def state(self, there: bool, record: Record) -> CertificateState:
        """Return its state."""
        return status(there, record, NOTHING, NOW + 50).state(NOW)

    def test_states(self) -> None:
        """A state for each part of its life."""
        valid = Record(NOW - 10, NOW + 100)
        for there, record, state in (
            (False, Record(), CertificateState.PENDING),
            (False, Record(failures=1, error="x", not_before=NOW + 5), CertificateState.FAILING),
            (True, valid, CertificateState.ISSUED),
            (True, Record(NOW - 10, NOW + 100, failures=1, error="x"), CertificateState.RENEWAL_FAILING),
            (True, Record(NOW - 10, NOW, failures=3, error="x"), CertificateState.EXPIRED),
            (True, Record(NOW - 10, NOW + 100, revoked=True), CertificateState.REVOKED),
        ):
            self.assertIs(self.state(there, record), state, record)

    def test_under_way(self) -> None:
        """A try that is under way is no failure, though it is written down as one; those before it are."""
        for failures, not_before, state in (
            (1, NOW + 60, CertificateState.PENDING),
            (2, NOW + 60, CertificateState.FAILING),
            (1, NOW - 1, CertificateState.FAILING),
        ):
            record = Record(failures=failures, error=BEGUN, not_before=not_before)
            self.assertIs(self.state(False, record), state, record)
        renewed = Record(NOW - 10, NOW + 100, failures=1, error=BEGUN, not_before=NOW + 60)
        self.assertIs(self.state(True, renewed), CertificateState.ISSUED)

    def test_next(self) -> None:
        """What comes next: at once, when a try is due, or the renewal, but for tries that were put off."""
        self.assertEqual(status(False, Record(), Action(Step.ISSUE, NOW), 0.0).next, 0.0)
        self.assertEqual(status(False, Record(), NOTHING, 0.0).next, NOW + 5)
        self.assertEqual(status(True, Record(not_before=NOW + 9), NOTHING, NOW + 50).next, NOW + 50)
        self.assertEqual(status(True, Record(not_before=NOW + 90), NOTHING, NOW + 50).next, NOW + 90)
        self.assertEqual(status(True, Record(), Action(Step.ASK, NOW), NOW + 50).next, NOW + 50)

    def test_shown(self) -> None:
        """What changes without anything to show for it makes no other status."""
        record = Record(NOW, NOW + 9, None, 0.0, NOW + 1)
        other = Record(NOW, NOW + 9, (NOW + 5, NOW + 6), 0.0, NOW + 2)
        self.assertEqual(status(True, record, NOTHING, NOW + 5), status(True, other, NOTHING, NOW + 5))
