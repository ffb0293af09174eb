"""Tests of L{edgegate.tls.acme.demand.obtaining}."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.certificates import ManagedCertificate
from edgegate.model.tls import KeyPair
from edgegate.tls.acme import client
from edgegate.tls.acme.care import Care, Kept
from edgegate.tls.acme.client import NotIssued
from edgegate.tls.acme.demand.ledger import Ledger
from edgegate.tls.acme.demand.obtaining import PATIENCE, Refused, look_up, obtain
from edgegate.tls.acme.status import Outcome
from edgegate.tls.acme.store import CertificateStore
from tests.model.test_on_demand import on_demand
from tests.tls.acme.certificates import made, managed

NOW = 1_700_000_000.0


class FakeAuthority:
    """Issues what it is asked for, or not."""

    issued: list[str] = []
    fails = False

    def __init__(self, store: CertificateStore, issuer: object) -> None:
        pass

    def issue(self, certificate: ManagedCertificate) -> KeyPair:
        """Issue it."""
        self.issued.append(certificate.host)
        if self.fails:
            raise NotIssued("nobody is there")
        return made(certificate, NOW, NOW + 9e6)

    def window(self, pair: KeyPair) -> None:
        """Say nothing."""

    def is_revoked(self, pair: KeyPair) -> bool:
        """It is not."""
        return False


class ObtainingTests(SynchronousTestCase):
    """The first certificate of a name."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.clock = Clock()
        self.clock.advance(NOW)
        self.certificate = managed(self.folder)
        self.care = Care(self.certificate, self.clock.seconds)
        self.ledger = Ledger(on_demand(self.certificate.issuer, "https://ask/"), self.clock.seconds)
        self.store = CertificateStore(self.certificate.issuer)
        self.patch(client, "Authority", FakeAuthority)
        FakeAuthority.issued, FakeAuthority.fails = [], False

    def obtain(self) -> Kept | Refused:
        """Obtain it."""
        return obtain(self.care, self.ledger, self.clock.seconds, self.clock.advance)

    def test_issued(self) -> None:
        """It is issued, once, and counted with its end; whoever comes next finds it."""
        self.assertIsNone(look_up(self.care, self.clock.seconds))
        self.assertFalse(self.folder.exists())
        found = self.obtain()
        assert isinstance(found, Kept)
        self.assertEqual((found.record.end, self.ledger.hosts()), (NOW + 9e6, [self.certificate.host]))
        again = look_up(self.care, self.clock.seconds)
        assert isinstance(again, Kept)
        self.assertEqual((again.pair, self.obtain()), (found.pair, again))
        self.assertEqual(FakeAuthority.issued, [self.certificate.host])

    def test_ended(self) -> None:
        """One that has ended is none: a new one is issued."""
        old = made(self.certificate, NOW - 100, NOW - 50)
        self.store.put_pair(self.certificate, old.key, old.chain)
        self.assertIsNone(look_up(self.care, self.clock.seconds))
        found = self.obtain()
        assert isinstance(found, Kept)
        self.assertNotEqual(found.pair, old)

    def test_failed(self) -> None:
        """A try that failed is not followed by another before its time, whoever asks."""
        FakeAuthority.fails = True
        for outcome, found in (
            (Outcome.FAILED, self.obtain()),
            (None, self.obtain()),
            (None, look_up(self.care, self.clock.seconds)),
        ):
            assert isinstance(found, Refused)
            self.assertIs(found.outcome, outcome)
            self.assertIn("nobody is there", found.reason)
            self.assertGreater(found.until, NOW + 50)
            self.assertFalse(found.spent)
        self.assertEqual(len(FakeAuthority.issued), 1)

    def test_spent(self) -> None:
        """Where a limit is met the authority is not asked."""
        for number in range(20):
            self.ledger.reserve(f"h{number}.example.com")
        found = self.obtain()
        assert isinstance(found, Refused)
        self.assertEqual((found.spent, found.until, FakeAuthority.issued), (True, NOW + 3600, []))
        self.assertEqual([each.name for each in self.folder.rglob(f"{self.certificate.host}*")], [])

    def test_of_another_process(self) -> None:
        """While another process is at it, it is waited for, and what it gets is taken."""
        pair = made(self.certificate, NOW, NOW + 9e6)
        waited = []

        def sleep(seconds: float) -> None:
            self.clock.advance(seconds)
            waited.append(look_up(self.care, self.clock.seconds))
            if len(waited) == 3:
                self.store.put_pair(self.certificate, pair.key, pair.chain)

        other = CertificateStore(self.certificate.issuer)
        with other.lock(self.certificate) as ours:
            self.assertTrue(ours)
            # what is written before it begins
            other.put_record(self.certificate, Care(self.certificate)._life.failed(other.record(self.certificate), ""))
            found = obtain(self.care, self.ledger, self.clock.seconds, sleep)
        assert isinstance(found, Kept)
        self.assertEqual((found.pair, waited[:2], FakeAuthority.issued), (pair, [None, None], []))

    def test_never_ends(self) -> None:
        """Another process that does not come to an end is not waited for for ever."""
        with CertificateStore(self.certificate.issuer).lock(self.certificate):
            found = self.obtain()
        assert isinstance(found, Refused)
        self.assertGreaterEqual(self.clock.seconds(), NOW + PATIENCE)
