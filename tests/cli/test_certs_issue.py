"""Tests for C{edgegate certs issue} and C{renew}."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli import certs_issue
from edgegate.cli.certs import certs
from edgegate.cli.certs_issue import Done, Outcome, Wish, issue_one, line
from edgegate.cli.managed_certificates import LONGEST_WAIT
from edgegate.model.certificates import ManagedCertificate
from edgegate.model.tls import KeyPair
from edgegate.tls.acme import client
from edgegate.tls.acme.issuing import NotIssued
from edgegate.tls.acme.life import BEGUN, Record
from edgegate.tls.acme.store import CertificateStore
from tests.istio.translate.test_certificates import GATEWAY, ISSUER
from tests.tls.acme.certificates import made, managed

NOW = 1_700_000_000.0
DAY = 86400.0
WISH = Wish(renewal=False, force=False, now=False)


class FakeAuthority:
    """Issues, or does not."""

    fails: dict[str, NotIssued] = {}
    asked: list[str] = []
    begin = 0.0

    def __init__(self, store: CertificateStore, issuer: object) -> None:
        pass

    def issue(self, certificate: ManagedCertificate) -> KeyPair:
        """Do as it is told."""
        self.asked.append(certificate.host)
        if certificate.host in self.fails:
            raise self.fails[certificate.host]
        return made(certificate, self.begin, self.begin + 90 * DAY)


class IssueOneTests(SynchronousTestCase):
    """What becomes of one certificate."""

    def setUp(self) -> None:
        self.now = NOW
        self.folder = Path(self.mktemp()).absolute()
        self.certificate = managed(self.folder)
        self.store = CertificateStore(self.certificate.issuer)
        self.told: list[str] = []
        self.patch(client, "Authority", FakeAuthority)
        self.patch(FakeAuthority, "fails", {})
        self.patch(FakeAuthority, "asked", [])
        self.patch(FakeAuthority, "begin", NOW)

    def sleep(self, seconds: float) -> None:
        """Have time pass."""
        self.now += seconds

    def ask(self, wish: Wish = WISH) -> Done:
        """Ask for it."""
        return issue_one(self.certificate, wish, self.told.append, lambda: self.now, self.sleep)

    def put(self, begin: float, end: float) -> KeyPair:
        """Have a certificate there already."""
        pair = made(self.certificate, begin, end)
        self.store.put_pair(self.certificate, pair.key, pair.chain)
        return pair

    def test_missing(self) -> None:
        """One that is missing is issued, and one that is there is kept, whatever is due."""
        done = self.ask()
        self.assertEqual((done.outcome, done.until), (Outcome.ISSUED, NOW + 90 * DAY))
        self.now += 80 * DAY
        self.assertEqual(self.ask().outcome, Outcome.KEPT)
        self.assertEqual(len(FakeAuthority.asked), 1)

    def test_ended(self) -> None:
        """One that has ended is as if it were missing."""
        self.put(NOW - 2 * DAY, NOW - DAY)
        self.assertEqual(self.ask().outcome, Outcome.RENEWED)

    def test_revoked(self) -> None:
        """One that was revoked is as if it were missing."""
        self.put(NOW - DAY, NOW + DAY)
        self.store.put_record(self.certificate, Record(NOW - DAY, NOW + DAY, revoked=True))
        self.assertEqual(self.ask().outcome, Outcome.RENEWED)

    def test_renewed(self) -> None:
        """Renewed is what is due, or whatever is there by force, be it issued just now."""
        wish = replace(WISH, renewal=True)
        self.ask()
        self.assertEqual(self.ask(wish).outcome, Outcome.KEPT)
        self.assertEqual(self.ask(replace(wish, force=True)).outcome, Outcome.RENEWED)
        self.now += 70 * DAY
        self.assertEqual(self.ask(wish).outcome, Outcome.RENEWED)
        self.assertEqual(len(FakeAuthority.asked), 3)

    def test_failed(self) -> None:
        """What fails says why; then it is put off, by force too, unless it must be now."""
        FakeAuthority.fails = {self.certificate.host: NotIssued("no", 7200.0)}
        done = self.ask()
        self.assertEqual((done.outcome, done.reason, done.until), (Outcome.FAILED, "no", None))
        self.assertGreaterEqual(done.next - NOW, 7200.0)
        for wish in (WISH, Wish(renewal=True, force=True, now=False)):
            again = self.ask(wish)
            self.assertEqual((again.outcome, again.reason, again.next), (Outcome.PUT_OFF, "no", done.next))
        self.assertEqual(len(FakeAuthority.asked), 1)
        self.assertEqual(self.ask(replace(WISH, now=True)).outcome, Outcome.FAILED)
        FakeAuthority.fails = {}
        self.assertEqual(self.ask(replace(WISH, now=True)).outcome, Outcome.ISSUED)

    def test_failed_once(self) -> None:
        """A try is possible again when its time has come, without a word."""
        self.store.put_record(self.certificate, Record(failures=3, not_before=NOW - 1, error="no"))
        self.assertEqual(self.ask().outcome, Outcome.ISSUED)

    def test_wrong_clock(self) -> None:
        """What a clock that was years ahead has put off is no reason to wait, as a gateway does not."""
        self.store.put_record(self.certificate, Record(failures=3, not_before=NOW + 9999 * DAY, error="no"))
        self.assertEqual(self.ask().outcome, Outcome.ISSUED)

    def test_another_is_at_it(self) -> None:
        """Who comes second waits, and takes what the first one got for what was asked for; a failure, too."""
        for fails in (False, True):
            self.now = NOW
            self.folder.mkdir(exist_ok=True)
            lock = self.store.lock(self.certificate)
            lock.__enter__()
            turns = 0

            def sleep(seconds: float, fails: bool = fails, lock: object = lock) -> None:
                nonlocal turns
                turns += 1
                if turns == 3:
                    if fails:
                        self.store.put_record(self.certificate, Record(failures=1, error="of the first"))
                    else:
                        self.put(NOW, NOW + DAY)
                    lock.__exit__(None, None, None)  # type: ignore[attr-defined]

            self.sleep = sleep  # type: ignore[method-assign]
            done = self.ask(replace(WISH, renewal=True, force=True))
            wanted = (Outcome.FAILED, "of the first") if fails else (Outcome.ISSUED, "")
            self.assertEqual((done.outcome, done.reason), wanted)
        self.assertEqual(FakeAuthority.asked, [])
        self.assertEqual(sum("waiting for another" in each for each in self.told), 2)

    def test_another_has_begun(self) -> None:
        """A try that was begun is waited for as long as it is under way, and put off where who began it is gone."""
        begun = Record(failures=1, not_before=NOW + 60, error=BEGUN)
        self.store.put_record(self.certificate, begun)
        done = self.ask()
        self.assertEqual((done.outcome, done.reason, FakeAuthority.asked), (Outcome.PUT_OFF, BEGUN, []))
        lock = self.store.lock(self.certificate)
        lock.__enter__()

        def sleep(seconds: float) -> None:
            self.put(NOW, NOW + DAY)
            lock.__exit__(None, None, None)

        self.sleep = sleep  # type: ignore[method-assign]
        done = self.ask()
        self.assertEqual((done.outcome, FakeAuthority.asked), (Outcome.ISSUED, []))

    def test_another_does_not_end(self) -> None:
        """It does not wait for ever."""
        with self.store.lock(self.certificate):
            done = self.ask()
        self.assertEqual((done.outcome, FakeAuthority.asked), (Outcome.FAILED, []))
        self.assertGreater(self.now - NOW, LONGEST_WAIT)

    def test_store(self) -> None:
        """A store that can't be used is a failure that names the file."""
        self.folder.write_text("a file")
        done = self.ask()
        self.assertEqual(done.outcome, Outcome.FAILED)
        self.assertIn(str(self.folder), done.reason)

    def test_line(self) -> None:
        """A failure is told with its place, and with what is wrong most often where nobody has answered."""
        done = Done(self.certificate, Outcome.FAILED, None, NOW, "urn:ietf:params:acme:error:connection: refused")
        said = line(done)
        self.assertTrue(said.startswith("gw.yaml:7: shop.example.com: no certificate by default/ca: urn:"), said)
        self.assertIn("is a gateway running", said)
        self.assertIn("again at 2023-11-14 22:13 UTC", said)
        self.assertNotIn("is a gateway running", line(replace(done, reason="rateLimited")))


class CommandTests(SynchronousTestCase):
    """What the commands say, and how they end."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        (self.folder / "gw.yaml").write_text(ISSUER + GATEWAY)
        self.patch(client, "Authority", FakeAuthority)
        self.patch(FakeAuthority, "fails", {})
        self.patch(FakeAuthority, "asked", [])
        self.patch(FakeAuthority, "begin", certs_issue.time.time() - 60)

    def ask(self, *arguments: str) -> Result:
        """Run a command."""
        first, *others = arguments
        return CliRunner().invoke(certs, [first, "--config", str(self.folder), *others])

    def test_issue(self) -> None:
        """A line for each, told with where it was asked for where it fails; then the status is 1."""
        FakeAuthority.fails = {"b.example.com": NotIssued("no")}
        result = self.ask("issue")
        self.assertEqual(result.exit_code, 1, result.output)
        self.assertIn("a.example.com: issued by default/ca, until ", result.stdout)
        self.assertRegex(
            result.stderr, r"gw.yaml:\d+: b.example.com: no certificate by default/ca: no; a gateway tries"
        )
        result = self.ask("issue", "A.example.com")
        self.assertEqual(result.exit_code, 0, result.output)
        self.assertIn("a.example.com: there is one by default/ca, until ", result.stdout)
        result = self.ask("issue")
        self.assertEqual(result.exit_code, 1, result.output)
        self.assertIn("put off until", result.stderr)
        FakeAuthority.fails = {}
        self.assertEqual(self.ask("issue", "--now").exit_code, 0)
        self.assertEqual(sorted(FakeAuthority.asked), ["a.example.com", "b.example.com", "b.example.com"])

    def test_json(self) -> None:
        """The same for programs: standard output is a list alone."""
        FakeAuthority.fails = {"b.example.com": NotIssued("no")}
        rows = json.loads(self.ask("issue", "-o", "json").stdout)
        self.assertEqual(
            [(each["host"], each["outcome"], each["error"]) for each in rows],
            [
                ("a.example.com", "issued", None),
                ("b.example.com", "failed", "no"),
            ],
        )
        self.assertEqual(rows[1]["file"], "gw.yaml")

    def test_renew(self) -> None:
        """It takes hosts, or all."""
        self.ask("issue")
        self.assertEqual(self.ask("renew").exit_code, 2)
        self.assertEqual(self.ask("renew", "--all", "a.example.com").exit_code, 2)
        result = self.ask("renew", "--all")
        self.assertEqual((result.exit_code, result.stdout.count("there is one")), (0, 2), result.output)
        result = self.ask("renew", "--force", "a.example.com")
        self.assertEqual(result.exit_code, 0, result.output)
        self.assertIn("a.example.com: renewed by default/ca", result.stdout)

    def test_nothing(self) -> None:
        """Files without such certificates are told so, and a host without one is an error."""
        self.assertEqual(self.ask("issue", "x.example.com").exit_code, 1)
        (self.folder / "gw.yaml").write_text(ISSUER)
        self.assertIn("no certificate is issued", self.ask("issue").stdout)
        (self.folder / "gw.yaml").write_text(GATEWAY)
        self.assertEqual(self.ask("issue").exit_code, 1)
