"""Tests of L{edgegate.tls.acme.care}."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.tls import KeyPair
from edgegate.tls.acme import client
from edgegate.tls.acme.care import Care, kept, statuses
from edgegate.tls.acme.issuing import NotIssued, Window
from edgegate.tls.acme.life import Record, Step
from edgegate.tls.acme.store import CertificateStore
from tests.tls.acme.certificates import made, managed

DAY = 86400.0


class FakeAuthority:
    """Does as it is told, in the place of who has conversations."""

    says: KeyPair | Exception | Window | None = None
    seen: Record | None = None
    asked = 0
    revoked: list[bool | NotIssued] = []

    def __init__(self, store: CertificateStore, issuer: object) -> None:
        self._store = store

    def issue(self, certificate: object) -> object:
        """Answer, and keep what the store has meanwhile."""
        FakeAuthority.asked += 1
        FakeAuthority.seen = self._store.record(certificate)  # type: ignore[arg-type]
        return self.window(None)

    def window(self, pair: object) -> object:
        """Answer."""
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    def is_revoked(self, pair: object) -> bool:
        """Answer."""
        found = self.revoked.pop(0) if self.revoked else False
        if isinstance(found, NotIssued):
            raise found
        return found


_KEPT = """
import pathlib, sys
from edgegate.tls.acme.care import kept
from edgegate.tls.acme.store import CertificateStore
from tests.tls.acme.certificates import managed

certificate = managed(pathlib.Path(sys.argv[1]))
print(kept(CertificateStore(certificate.issuer), certificate).pair is not None)
"""


class CareTests(SynchronousTestCase):
    """One look after one certificate."""

    def setUp(self) -> None:
        self.now = 1_700_000_000.0
        self.certificate = managed(Path(self.mktemp()).absolute())
        self.store = CertificateStore(self.certificate.issuer)
        self.care = Care(self.certificate, lambda: self.now, Random(1))
        self.patch(client, "Authority", FakeAuthority)
        FakeAuthority.asked = 0

    def says(self, said: KeyPair | Exception | Window | None) -> None:
        """Have the authority answer."""
        FakeAuthority.says = said

    def made(self, days: float = 90.0) -> KeyPair:
        """Make a certificate that is valid from now on."""
        return made(self.certificate, self.now, self.now + days * DAY)

    def test_issued(self) -> None:
        """What the authority gives is kept, and nothing is to be done then."""
        self.says(self.made())
        found = self.care.do()
        assert found is not None
        self.assertEqual(found.pair, FakeAuthority.says)
        self.assertEqual(kept(self.store, self.certificate), replace(found, outcome=None))
        self.assertEqual(self.care.look()[1].step, Step.WAIT)
        self.care.do()
        self.assertEqual(FakeAuthority.asked, 1)

    def test_another_is_at_it(self) -> None:
        """Nobody asks while another one does, and what that one got is not asked for again."""
        other = Care(self.certificate, lambda: self.now, Random(2))
        with self.store.lock(self.certificate):
            self.assertIsNone(other.do())
        self.says(self.made())
        self.care.do()
        found = other.do()
        assert found is not None
        self.assertEqual((found.pair, FakeAuthority.asked), (FakeAuthority.says, 1))

    def test_failed(self) -> None:
        """What fails is kept with why, and puts off the next try, also that of others; the old one stays."""
        old = self.made()
        self.says(old)
        self.care.do()
        self.now += 80 * DAY
        self.says(NotIssued("too many", 7200.0))
        found = self.care.do()
        assert found is not None
        self.assertEqual((found.pair, found.record.error, found.record.failures), (old, "too many", 1))
        other = Care(self.certificate, lambda: self.now, Random(2))
        action = other.look()[1]
        self.assertEqual(action.step, Step.WAIT)
        self.assertGreaterEqual(action.at - self.now, 7200.0)
        self.assertEqual(FakeAuthority.asked, 2)
        self.now = action.at
        new = self.made()
        self.says(new)
        found = other.do()
        assert found is not None
        self.assertEqual((found.pair, found.record.failures, found.record.error), (new, 0, ""))

    def test_spent_when_it_comes(self) -> None:
        """What is issued and due at once is served, and the next one is put off further each time."""
        for number in (1, 2, 3):
            self.says(made(self.certificate, self.now - 400 * DAY, self.now - 310 * DAY - number))
            found = self.care.do()
            assert found is not None
            self.assertEqual((found.pair, found.record.failures), (FakeAuthority.says, number))
            self.assertIn("whose clock", found.record.error)
            self.now = self.care.look()[1].at

    def test_died(self) -> None:
        """Before the authority is asked it is written down: who dies meanwhile, again and again, does not ask so."""
        self.says(ZeroDivisionError())
        self.assertRaises(ZeroDivisionError, self.care.do)
        assert FakeAuthority.seen is not None
        self.assertGreater(FakeAuthority.seen.not_before, self.now)
        for _ in range(3):
            self.care.do()
        self.assertEqual(FakeAuthority.asked, 1)

    def test_store_cannot_be_written(self) -> None:
        """Nothing is asked for that could not be kept."""
        self.store.put_record(self.certificate, Record())
        (path,) = Path(str(self.certificate.issuer.storage)).rglob("*.state")
        path.unlink()
        path.mkdir()
        (path / "x").touch()
        self.says(self.made())
        self.assertRaises(OSError, self.care.do)
        self.assertEqual(FakeAuthority.asked, 0)

    def test_window(self) -> None:
        """The renewal window is asked for, and kept; where it can't be had, it is asked for later."""
        self.says(self.made())
        self.care.do()
        self.now += DAY
        self.assertEqual(self.care.look()[1].step, Step.ASK)
        self.says(NotIssued("away"))
        self.care.do()
        action = self.care.look()[1]
        self.assertEqual((action.step, action.at), (Step.WAIT, self.now + 6 * 3600))
        self.now = action.at
        self.says(Window(self.now + 10, self.now + 20, 3600.0))
        found = self.care.do()
        assert found is not None
        self.assertEqual(found.record.window, (self.now + 10, self.now + 20))
        self.assertEqual(self.care.status(found).next, found.record.renew_at)
        self.assertEqual(statuses([self.certificate], lambda: self.now)[self.certificate].next, found.record.renew_at)
        self.assertEqual(statuses([managed(Path("/", "x" * 300))]), {})

    def test_revoked(self) -> None:
        """Where the authority names no windows, the list of what it has revoked is asked; then another is due."""
        self.says(self.made())
        self.care.do()
        answers: list[bool | NotIssued] = [False, NotIssued("404"), True]
        self.patch(FakeAuthority, "revoked", answers)
        self.says(None)
        for step in (Step.WAIT, Step.WAIT, Step.ISSUE):
            self.now += 6 * 3600.0
            self.care.do()
            self.assertEqual(self.care.look()[1].step, step)
        self.assertEqual(answers, [])
        self.says(self.made())
        found = self.care.do()
        assert found is not None
        self.assertEqual((found.record.revoked, self.care.look()[1].step), (False, Step.WAIT))

    def test_revoked_is_told_by_the_window(self) -> None:
        """Where it names windows, no list is asked."""
        self.says(self.made())
        self.care.do()
        self.now += DAY
        self.says(Window(self.now - 10, self.now - 5, 0.0))
        self.care.do()
        self.assertEqual(self.care.look()[1].step, Step.ISSUE)

    def test_other_dates(self) -> None:
        """A certificate that somebody has put there by hand counts, whatever was known of the one before."""
        self.store.put_record(self.certificate, Record(1.0, 2.0, (1.0, 2.0), 1.5, failures=2, error="x"))
        pair = self.made()
        self.store.put_pair(self.certificate, pair.key, pair.chain)
        record = kept(self.store, self.certificate).record
        self.assertEqual((record.begin, record.end, record.window), (self.now, self.now + 90 * DAY, None))

    def test_broken_pair(self) -> None:
        """A file that holds no key pair is as if there were none."""
        one, two = self.made(), self.made()
        self.store.put_pair(self.certificate, one.key, two.chain)
        found = kept(self.store, self.certificate)
        self.assertEqual((found.pair, found.record), (None, Record()))
        self.assertEqual(self.care.look()[1].step, Step.ISSUE)

    def test_refused_pair(self) -> None:
        """A key pair that can be read, but that OpenSSL refuses by its settings, is as if there were none."""
        pair = self.made()
        self.store.put_pair(self.certificate, pair.key, pair.chain)
        directory = Path(str(self.certificate.issuer.storage))
        settings = directory / "openssl.cnf"
        settings.write_text(
            "openssl_conf=a\n[a]\nssl_conf=b\n[b]\nsystem_default=c\n[c]\nCipherString=DEFAULT@SECLEVEL=4\n"
        )
        found = {}
        for name in ("/dev/null", str(settings)):
            environment = {**os.environ, "OPENSSL_CONF": name}
            command = [sys.executable, "-c", _KEPT, str(directory)]
            done = subprocess.run(command, check=True, env=environment, capture_output=True, text=True, timeout=60)
            found[name] = done.stdout
        self.assertEqual(list(found.values()), ["True\n", "False\n"])

    def tearDown(self) -> None:
        """Take what was logged of the bug that was made."""
        self.flushLoggedErrors(ZeroDivisionError)

    def test_busy(self) -> None:
        """It is known whether another one is at it."""
        certificate = managed(Path(self.mktemp()).absolute())
        care = Care(certificate)
        self.assertFalse(care.is_busy())
        with CertificateStore(certificate.issuer).lock(certificate):
            self.assertTrue(care.is_busy())
        self.assertFalse(care.is_busy())
