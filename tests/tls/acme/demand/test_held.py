"""Tests of L{edgegate.tls.acme.demand.held}."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.on_demand import OnDemand
from edgegate.model.tls import KeyPair, ServerTLS, TLSRules, TLSVersion
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Listener
from edgegate.tls.acme import client
from edgegate.tls.acme.care import Kept, kept
from edgegate.tls.acme.demand import held
from edgegate.tls.acme.demand.held import SETTLING, HeldCertificates, Ready, ready
from edgegate.tls.acme.keeper import TURN
from edgegate.tls.acme.life import Record
from edgegate.tls.acme.store import CertificateStore
from tests.downstream.arriving import HERE, listener
from tests.model.test_on_demand import on_demand
from tests.tls.acme.certificates import made, managed
from tests.tls.acme.demand.test_obtaining import NOW, FakeAuthority
from tests.tls.acme.test_challenges import Later

ISSUER = "default/ca"
CHAIN = FilterChain("https", HERE, ("*.example.com",), ServerTLS((), on_demand=ISSUER), HostTable())


def listening(*chains: FilterChain) -> Listener:
    """Return a listener with chains."""
    return listener(None, HostTable([(f"*.{number}.example", chain) for number, chain in enumerate(chains)]))


class HeldTests(SynchronousTestCase):
    """What a process holds."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.clock = Clock()
        self.clock.advance(NOW)
        self.later = Later()
        self.permitted: bool | None = True
        self.held = HeldCertificates(self.clock, self.later, lambda rules, host: self.permitted, self.clock.seconds)
        self.rules = on_demand(managed(self.folder).issuer, "https://ask/")
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))
        self.addCleanup(self.held.stop)
        self.patch(client, "Authority", FakeAuthority)
        FakeAuthority.issued, FakeAuthority.fails = [], False

    def hold(self, host: str = "a.example.com", end: float = NOW + 9e6, rules: OnDemand | None = None) -> KeyPair:
        """Hold a certificate that is in the store."""
        certificate = managed(self.folder, host)
        pair = made(certificate, NOW, end)
        store = CertificateStore(certificate.issuer)
        store.put_pair(certificate, pair.key, pair.chain)
        self.held.hold(rules or self.rules, certificate, Ready(kept(store, certificate), {}))
        return pair

    def test_context(self) -> None:
        """Each place where one is shown has a context of its own, which is the same each time."""
        self.hold()
        one = self.held.context("l", CHAIN, "a.example.com")
        self.assertIsNotNone(one)
        self.assertIs(self.held.context("l", CHAIN, "a.example.com"), one)
        self.assertIsNot(self.held.context("m", CHAIN, "a.example.com"), one)
        self.assertIsNot(self.held.context("l", replace(CHAIN, name="other"), "a.example.com"), one)
        self.assertIsNone(self.held.context("l", CHAIN, "b.example.com"))
        self.assertIsNone(self.held.context("l", CHAIN, ""))

    def test_ready(self) -> None:
        """What was made of one ahead is what is shown."""
        assert CHAIN.tls is not None
        certificate = managed(self.folder, "a.example.com")
        there = Kept(made(certificate, NOW, NOW + 9e6), Record(NOW, NOW + 9e6))
        place = ("l", CHAIN.name, CHAIN.tls)
        found = ready(there, [place])
        self.held.hold(self.rules, certificate, found)
        self.assertIs(self.held.context("l", CHAIN, "a.example.com"), found.contexts[place])

    def test_ended(self) -> None:
        """One that has ended is held no longer: whoever asks has a new one looked for."""
        self.hold(end=NOW + 10)
        self.clock.advance(10)
        self.assertIsNone(self.held.context("l", CHAIN, "a.example.com"))
        self.assertEqual(len(self.held), 0)

    def test_bounded(self) -> None:
        """Of too many the one goes that was asked for the longest time ago."""
        self.patch(held, "MOST_HELD", 3)
        for host in "abc":
            self.hold(f"{host}.example.com")
        self.held.context("l", CHAIN, "a.example.com")
        self.hold("d.example.com")
        there = [host for host in "abcd" if self.held.context("l", CHAIN, f"{host}.example.com")]
        self.assertEqual(there, ["a", "c", "d"])

    def test_reload(self) -> None:
        """What is held stays with its contexts; where its terms or rules are others it goes."""
        self.hold()
        self.hold("b.example.com")
        there = listening(CHAIN)
        one = self.held.context(there.name, CHAIN, "a.example.com")
        self.held.use({ISSUER: self.rules}, [there])
        self.assertIs(self.held.context(there.name, CHAIN, "a.example.com"), one)
        self.held.use({ISSUER: replace(self.rules, allow=("a.example.com",))}, [there])
        self.assertIs(self.held.context(there.name, CHAIN, "a.example.com"), one)
        self.assertIsNone(self.held.context(there.name, CHAIN, "b.example.com"))
        assert CHAIN.tls is not None
        strict = replace(CHAIN, tls=replace(CHAIN.tls, rules=TLSRules(TLSVersion.TLSV1_3)))
        self.held.use({ISSUER: self.rules}, [listening(strict)])
        self.assertIsNot(self.held.context(there.name, strict, "a.example.com"), one)
        self.held.use({}, [])
        self.assertEqual(len(self.held), 0)

    def test_renewed(self) -> None:
        """What is asked for is renewed in its time, and shown on new connections; by another process as well."""
        pair = self.hold(end=NOW + 1000)
        one = self.held.context("l", CHAIN, "a.example.com")
        self.clock.advance(SETTLING)
        self.later.do()
        self.assertEqual(FakeAuthority.issued, [])
        self.clock.advance(900)
        self.later.do()
        self.assertEqual(FakeAuthority.issued, ["a.example.com"])
        two = self.held.context("l", CHAIN, "a.example.com")
        self.assertIsNot(two, one)
        certificate = managed(self.folder, "a.example.com")
        CertificateStore(certificate.issuer).put_pair(certificate, pair.key, pair.chain)
        self.clock.advance(TURN)
        self.later.do()
        self.assertIsNot(self.held.context("l", CHAIN, "a.example.com"), two)

    def test_not_renewed(self) -> None:
        """What may not be is not, and is served until it ends."""
        self.hold(end=NOW + 1000)
        self.permitted = False
        self.clock.advance(SETTLING)
        self.later.do()
        for _ in range(10):
            self.clock.advance(90)
            self.later.do()
            shown = bool(self.held.statuses)
        self.assertIsNotNone(self.held.context("l", CHAIN, "a.example.com"))
        self.assertEqual((FakeAuthority.issued, shown), ([], False))

    def test_statuses(self) -> None:
        """Those are shown that are looked after, but for what is let end as nobody asks for it."""
        self.hold(end=NOW + 1000)
        self.clock.advance(SETTLING)
        self.later.do()
        (status,) = self.held.statuses.values()
        self.assertEqual((status.end, status.there), (NOW + 1000, True))
        next(iter(self.held._held.values())).asked = NOW - 1
        self.assertEqual(len(self.held.statuses), 1)
        self.clock.advance(900)
        self.assertEqual(self.held.statuses, {})

    def test_unfit(self) -> None:
        """What OpenSSL refuses on a server's terms is not shown, and told."""
        assert CHAIN.tls is not None
        rules = TLSRules(ciphers=("NONE-SUCH",))
        self.hold()
        chain = replace(CHAIN, tls=replace(CHAIN.tls, rules=rules))
        self.assertIsNone(self.held.context("l", chain, "a.example.com"))

    def test_stopped(self) -> None:
        """Who has left its ports to others renews nothing, and goes on to serve."""
        self.held.stop()
        certificate = managed(self.folder)
        there = Kept(made(certificate, NOW, NOW + 9e6), Record(NOW, NOW + 9e6))
        self.held.hold(self.rules, certificate, ready(there, []))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertIsNotNone(self.held.context("l", CHAIN, certificate.host))
