"""Tests of L{edgegate.tls.acme.keeper}."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.certificates import ManagedCertificate
from edgegate.model.tls import KeyPair
from edgegate.tls.acme import client
from edgegate.tls.acme.issuing import NotIssued
from edgegate.tls.acme.keeper import MOST_AT_ONCE, TURN, CertificateKeeper
from edgegate.tls.acme.life import Record
from edgegate.tls.acme.status import CertificateState, Outcome
from edgegate.tls.acme.store import CertificateStore
from edgegate.tls.secrets import BadKeyMaterial
from tests.tls.acme.certificates import made, managed
from tests.tls.acme.test_challenges import Later

NOW = 1_700_000_000.0
DAY = 86400.0


class FakeAuthority:
    """Issues what it is asked for."""

    issued: list[str] = []
    refused: list[str] = []
    fails: Exception | None = None
    now = NOW

    def __init__(self, store: CertificateStore, issuer: object) -> None:
        pass

    def issue(self, certificate: ManagedCertificate) -> KeyPair:
        """Issue it."""
        if certificate.host in self.refused:
            raise NotIssued("the authority says no")
        self.issued.append(certificate.host)
        if self.fails is not None:
            raise self.fails
        return made(certificate, self.now, self.now + 9e6)

    def window(self, pair: KeyPair) -> None:
        """Say nothing."""

    def is_revoked(self, pair: KeyPair) -> bool:
        """Say that it is not."""
        return False


class KeeperTests(SynchronousTestCase):
    """Looks after certificates."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.clock = Clock()
        self.later = Later()
        self.served: dict[str, KeyPair] = {}
        self.keeper = self.make()
        self.patch(client, "Authority", FakeAuthority)
        self.patch(FakeAuthority, "issued", [])
        self.patch(FakeAuthority, "fails", None)
        self.patch(FakeAuthority, "now", NOW)
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))
        self.addCleanup(self.keeper.stop)

    def make(self) -> CertificateKeeper:
        """Make one."""
        return CertificateKeeper(self.clock, self.later, self.put, lambda: NOW + self.clock.seconds())

    def put(self, pairs: Sequence[KeyPair]) -> None:
        """Serve."""
        self.served.update((pair.name.partition(" ")[0], pair) for pair in pairs)

    def hosts(self, count: int) -> list[ManagedCertificate]:
        """Return certificates."""
        return [managed(self.folder, f"h{number}.example.com") for number in range(count)]

    def test_issued(self) -> None:
        """Each is issued once, some at one time, and served; then nothing is done but looked."""
        self.keeper.use(self.hosts(10))
        self.later.do(1)
        self.assertEqual(len(self.later.waiting), MOST_AT_ONCE)
        self.later.do()
        self.assertEqual((len(self.served), sorted(set(FakeAuthority.issued))), (10, sorted(FakeAuthority.issued)))
        for _ in range(5):
            self.clock.advance(TURN)
            self.later.do()
        self.assertEqual(len(FakeAuthority.issued), 10)
        self.assertEqual(self.keeper.tries["default/ca", Outcome.ISSUED], 10)
        self.assertEqual(self.keeper.tries["default/ca", Outcome.FAILED], 0)

    def test_statuses(self) -> None:
        """How each is, is known once it was looked at, and another mapping where one is otherwise."""
        (good, bad) = self.hosts(2)
        FakeAuthority.refused = [bad.host]
        self.addCleanup(setattr, FakeAuthority, "refused", [])
        self.keeper.use([good, bad])
        self.assertEqual(self.keeper.statuses, {})
        for _ in range(3):
            self.later.do()
            self.clock.advance(TURN)
        statuses, now = self.keeper.statuses, NOW + self.clock.seconds()
        states = {each.host: found.state(now) for each, found in statuses.items()}
        self.assertEqual(states, {good.host: CertificateState.ISSUED, bad.host: CertificateState.FAILING})
        self.assertEqual((statuses[good].issued_at, statuses[bad].error), (NOW, "the authority says no"))
        self.assertEqual(self.keeper.tries["default/ca", Outcome.FAILED], 1)
        self.later.do()
        self.clock.advance(TURN)
        self.later.do()
        self.assertIs(self.keeper.statuses, statuses)
        self.keeper.use([good])
        self.assertEqual(list(self.keeper.statuses), [good])

    def test_of_another_process(self) -> None:
        """What another process was given is served, too, within two turns."""
        other = self.make()
        self.addCleanup(other.stop)
        (certificate,) = self.hosts(1)
        with CertificateStore(certificate.issuer).lock(certificate):
            self.keeper.use([certificate])
            self.later.do()
            self.assertEqual((self.served, FakeAuthority.issued), ({}, []))
            pair = made(certificate, NOW, NOW + 9e6)
            CertificateStore(certificate.issuer).put_pair(certificate, pair.key, pair.chain)
            self.clock.advance(TURN)
            self.later.do()
        self.assertEqual(self.served, {certificate.host: pair})
        new = made(certificate, NOW, NOW + 9e6)
        CertificateStore(certificate.issuer).put_pair(certificate, new.key, new.chain)
        self.clock.advance(TURN)
        self.later.do()
        self.assertEqual(self.served, {certificate.host: new})

    def test_gone(self) -> None:
        """One that files no longer ask for is not looked after; what is under way for it ends unserved."""
        first, second = self.hosts(2)
        self.keeper.use([first])
        self.later.do(1)
        self.keeper.use([second])
        self.later.do()
        self.clock.advance(TURN)
        self.later.do()
        self.assertIn(second.host, self.served)
        self.keeper.use([])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_slow_store(self) -> None:
        """While the store does not answer there is one look at it, and not one each turn."""
        self.keeper.use(self.hosts(1))
        self.clock.pump([TURN] * 5)
        self.assertEqual(len(self.later.waiting), 1)

    def test_store_fails(self) -> None:
        """A store that can't be used is tried again, and not each turn; the others go on."""
        self.folder.parent.mkdir(exist_ok=True)
        blocked = self.folder / "blocked"
        self.folder.mkdir()
        blocked.write_text("no directory")
        self.keeper.use([managed(blocked), *self.hosts(1)])
        for _ in range(5):
            self.later.do()
            self.clock.advance(TURN)
        self.assertEqual(list(self.served), ["h0.example.com"])

    def test_told_once(self) -> None:
        """A storage that can't be used for long is told in one line for all certificates, and that it can be again."""
        self.folder.mkdir()
        blocked = self.folder / "blocked"
        blocked.write_text("no directory")
        hosts = [managed(blocked, f"h{number}.example.com") for number in range(3)]
        with capturedLogs() as events:
            self.keeper.use(hosts)
            for _ in range(30):
                self.later.do()
                self.clock.advance(TURN)
        lines = [formatEvent(each) for each in events]
        self.assertEqual(len(lines), 1, lines)
        self.assertIn("the certificate for h0.example.com and 2 more can't be read: ", lines[0])
        with capturedLogs() as events:
            blocked.unlink()
            for _ in range(2):
                self.later.do()
                self.clock.advance(TURN)
        self.assertIn("certificates can be looked after again", [formatEvent(each) for each in events])
        self.assertEqual(len(self.served), 3)

    def test_failure_told_once(self) -> None:
        """That nothing can be written is told once, however often it is tried."""
        (certificate,) = self.hosts(1)
        store = CertificateStore(certificate.issuer)
        Path(str(certificate.issuer.storage), store.name(certificate, "lock")).mkdir(parents=True)
        with capturedLogs() as events:
            self.keeper.use([certificate])
            for _ in range(30):
                self.later.do()
                self.clock.advance(TURN)
        (line,) = [formatEvent(each) for each in events]
        self.assertIn("can't be looked after: [Errno 21] Is a directory", line)

    def test_not_served(self) -> None:
        """What can't be served is told, and keeps no other from being served."""

        def refuse(pairs: Sequence[KeyPair]) -> None:
            if any(pair.name.startswith("h0") for pair in pairs):
                raise BadKeyMaterial("x", "no")
            self.put(pairs)

        self.keeper._put = refuse
        self.keeper.use(self.hosts(3))
        self.later.do()
        self.served.clear()
        self.keeper.stop()
        self.keeper.use(self.hosts(3))
        self.later.do()
        self.assertEqual(sorted(self.served), ["h1.example.com", "h2.example.com"])
        self.assertEqual(len(FakeAuthority.issued), 3)

    def settle(self, certificates: list[ManagedCertificate], begin: float = NOW, end: float = NOW + 9e6) -> None:
        """Have certificates in the store."""
        for each in certificates:
            pair = made(each, begin, end)
            CertificateStore(each.issuer).put_pair(each, pair.key, pair.chain)

    def turns(self, seconds: float, step: float) -> None:
        """Have time pass, with a turn now and then."""
        end = self.clock.seconds() + seconds
        while self.clock.seconds() < end:
            self.clock.advance(step)
            self.later.do()

    def test_authority_away(self) -> None:
        """Away for a day: what there is is served, tries become few, and the first one that is answered renews it."""
        (certificate,) = self.hosts(1)
        self.settle([certificate], NOW - 80 * DAY, NOW + DAY / 2)
        FakeAuthority.fails = NotIssued("it can't be reached")
        with capturedLogs() as logs:
            self.keeper.use([certificate])
            self.turns(DAY, 20.0)
            tries = len(FakeAuthority.issued)
            # after 1, 3, 9, 27, 81 and 243 minutes, and then every 6 hours
            self.assertTrue(8 <= tries <= 9, tries)
            before = self.served[certificate.host]
            self.assertEqual(before, CertificateStore(certificate.issuer).pair(certificate))
            told = [event for event in logs if "has ended" in event["log_format"]]
            self.assertEqual([event["host"] for event in told], [certificate.host])
            FakeAuthority.fails, FakeAuthority.now = None, NOW + DAY
            self.turns(8 * 3600.0, 60.0)
        self.assertEqual(len(FakeAuthority.issued), tries + 1)
        self.assertNotEqual(self.served[certificate.host], before)

    def test_new_host_is_first(self) -> None:
        """A host without a certificate does not wait until all others are renewed, where many are due."""
        old, new = self.hosts(20), managed(self.folder, "new.example.com")
        self.settle(old, NOW - 80 * DAY, NOW + DAY)
        self.keeper.use(old)
        self.later.do(1)
        self.keeper.use([*old, new])
        self.later.do()
        self.assertEqual(len(FakeAuthority.issued), 21)
        # what had begun, and then it
        self.assertLessEqual(FakeAuthority.issued.index(new.host), 2 * MOST_AT_ONCE)
        self.assertIn(new.host, self.served)

    def test_broken_state(self) -> None:
        """What is no state of a certificate keeps it neither from being served nor from being renewed."""
        (certificate,) = self.hosts(1)
        self.settle([certificate], NOW - 80 * DAY, NOW + DAY)
        store = CertificateStore(certificate.issuer)
        store.put_record(certificate, Record())
        (path,) = self.folder.rglob("*.state")
        path.write_bytes(b'{"not_before": 1e999')
        self.keeper.use([certificate])
        self.later.do()
        self.assertEqual(FakeAuthority.issued, [certificate.host])

    def test_valid_later(self) -> None:
        """One that is valid from tomorrow on is served, and is no reason to ask for another."""
        (certificate,) = self.hosts(1)
        FakeAuthority.now = NOW + DAY
        self.keeper.use([certificate])
        self.later.do()
        self.turns(2 * DAY, 600.0)
        self.assertEqual(FakeAuthority.issued, [certificate.host])
        self.assertIn(certificate.host, self.served)
