"""Tests for C{edgegate certs revoke}."""

from __future__ import annotations

import json
import time
from pathlib import Path

from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli import certs_revoke, managed_certificates
from edgegate.cli.certs import certs
from edgegate.model.tls import KeyPair
from edgegate.tls.acme import client
from edgegate.tls.acme.care import Care
from edgegate.tls.acme.issuing import NotIssued
from edgegate.tls.acme.life import Step
from edgegate.tls.acme.store import CertificateStore
from tests.istio.translate.test_certificates import GATEWAY, ISSUER
from tests.tls.acme.certificates import made

HOST = "a.example.com"


class FakeAuthority:
    """Revokes, or does not."""

    fails: NotIssued | None = None
    asked: list[tuple[KeyPair, int]] = []

    def __init__(self, store: CertificateStore, issuer: object) -> None:
        pass

    def revoke(self, pair: KeyPair, reason: int) -> None:
        """Do as it is told."""
        self.asked.append((pair, reason))
        if self.fails is not None:
            raise self.fails


class CertsRevokeTests(SynchronousTestCase):
    """What the command does, and says."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        (self.folder / "gw.yaml").write_text(ISSUER + GATEWAY)
        self.certificate = managed_certificates.managed_certificates(str(self.folder), {}, None, "")[0]
        self.store = CertificateStore(self.certificate.issuer)
        self.patch(client, "Authority", FakeAuthority)
        self.patch(FakeAuthority, "fails", None)
        self.patch(FakeAuthority, "asked", [])
        self.pair = made(self.certificate, time.time() - 60, time.time() + 9e6)

    def put(self) -> None:
        """Have a certificate there."""
        self.store.put_pair(self.certificate, self.pair.key, self.pair.chain)

    def ask(self, *arguments: str, answer: str = "") -> Result:
        """Run the command."""
        return CliRunner().invoke(certs, ["revoke", "--config", str(self.folder), HOST, *arguments], answer)

    def next(self) -> Step:
        """Return what comes next for it."""
        return Care(self.certificate).look()[1].step

    def stamp(self) -> str | None:
        """Return what tells who serves it that there is something new."""
        return self.store.storage.stamps([self.store.name(self.certificate)])[0]

    def test_revoked(self) -> None:
        """It is revoked, is there still, and another is due at once, which whoever serves it gets to see."""
        self.put()
        before = self.stamp()
        result = self.ask("--reason", "keyCompromise", "-o", "json")
        self.assertEqual(result.exit_code, 0, result.output)
        (row,) = json.loads(result.stdout)
        self.assertEqual((row["host"], row["serial"], row["replaced"]), (HOST, "80", "yes"))
        self.assertEqual(FakeAuthority.asked, [(self.pair, 1)])
        self.assertEqual((self.store.pair(self.certificate), self.next()), (self.pair, Step.ISSUE))
        self.assertNotEqual(self.stamp(), before)
        listed = CliRunner().invoke(certs, ["list", "--config", str(self.folder), "-o", "json"])
        self.assertEqual([each["state"] for each in json.loads(listed.stdout)], ["revoked", "to be issued"])

    def test_kept(self) -> None:
        """With --keep no other one is due."""
        self.put()
        before = self.next()
        self.assertIn("it is served on", self.ask("--keep").stdout)
        self.assertEqual((len(FakeAuthority.asked), self.next()), (1, before))
        self.assertIsNot(before, Step.ISSUE)

    def test_fails(self) -> None:
        """What the authority says against it is told, with the place, and nothing is due."""
        self.put()
        before = self.next()
        FakeAuthority.fails = NotIssued("badRevocationReason: no")
        result = self.ask()
        self.assertEqual(result.exit_code, 1)
        self.assertRegex(
            result.stderr, r"gw.yaml:\d+: a.example.com: not revoked by default/ca: badRevocationReason: no"
        )
        self.assertEqual(self.next(), before)

    def test_none(self) -> None:
        """What is not there can't be revoked, and nobody is asked."""
        result = self.ask()
        self.assertEqual((result.exit_code, FakeAuthority.asked), (1, []))
        self.assertIn("there is no certificate", result.stderr)

    def test_asks_back(self) -> None:
        """On a terminal it asks first."""
        self.put()

        class Terminal:
            def isatty(self) -> bool:
                return True

        self.patch(certs_revoke, "sys", type("Sys", (), {"stdin": Terminal()}))
        self.assertEqual(self.ask(answer="n\n").exit_code, 1)
        self.assertEqual(FakeAuthority.asked, [])
        self.assertEqual(self.ask(answer="y\n").exit_code, 0)
        self.assertEqual(self.ask("--yes").exit_code, 0)
        self.assertEqual(len(FakeAuthority.asked), 2)

    def test_another_is_at_it(self) -> None:
        """It waits for who is at it, and not for ever."""
        self.put()
        self.patch(managed_certificates, "LONGEST_WAIT", -1.0)
        self.patch(managed_certificates, "LOOK", 0.0)
        with self.store.lock(self.certificate):
            result = self.ask()
        self.assertEqual((result.exit_code, FakeAuthority.asked), (1, []))
        self.assertIn("another process is at it, and does not end", result.stderr)
