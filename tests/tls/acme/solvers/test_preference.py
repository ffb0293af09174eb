"""Tests of L{edgegate.tls.acme.solvers.preference}."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.certificates import ACMEAuthority, ChallengeKind, DNSChallenges, DynamicUpdates
from edgegate.tls.acme.solvers.http_01 import HTTP01Solver
from edgegate.tls.acme.solvers.preference import preferred, solvers
from edgegate.tls.acme.solvers.solver import NotAnswered
from edgegate.tls.acme.store import CertificateStore
from tests.tls.acme.certificates import managed


class PreferenceTests(SynchronousTestCase):
    """Which challenge is answered."""

    def setUp(self) -> None:
        issuer = managed(Path(self.mktemp()).absolute()).issuer
        self.usual = solvers(CertificateStore(issuer), ACMEAuthority("https://ca.example/dir"))

    def test_usual(self) -> None:
        """It is HTTP-01 where nothing is said."""
        (only,) = self.usual
        self.assertIsInstance(only, HTTP01Solver)
        self.assertIs(preferred(self.usual, "a.example.com", {"dns-01": 1, "http-01": 2, "of-tomorrow-01": 3}), only)

    def test_not_offered(self) -> None:
        """Where none can be answered, what was offered is told."""
        for host, offered, words in (
            ("a.example.com", ("dns-01", "tls-alpn-01"), "does not offer HTTP-01, but dns-01, tls-alpn-01"),
            ("a.example.com", (), "does not offer HTTP-01, but nothing"),
            ("*.example.com", ("http-01",), "does not offer a challenge that is for *.example.com, but http-01"),
        ):
            error = self.assertRaises(NotAnswered, preferred, self.usual, host, offered)
            self.assertIn(words, str(error))

    def test_order(self) -> None:
        """The order is the issuer's; what can't prove a host is passed over."""
        dns = DNSChallenges(DynamicUpdates("192.0.2.1"))
        store = CertificateStore(managed(Path(self.mktemp()).absolute()).issuer)
        both = (ChallengeKind.HTTP_01, ChallengeKind.DNS_01)
        offered = {"dns-01", "http-01"}
        for order in (both, both[::-1]):
            found = solvers(store, ACMEAuthority("https://ca.example/dir", challenges=order, dns=dns))
            self.assertEqual(tuple(each.kind for each in found), order)
            self.assertIs(preferred(found, "a.example.com", offered).kind, order[0])
            self.assertIs(preferred(found, "a.example.com", {"http-01"}).kind, ChallengeKind.HTTP_01)
            self.assertIs(preferred(found, "*.example.com", offered).kind, ChallengeKind.DNS_01)
            self.assertIs(preferred(found, f"{'a.' * 115}example.com", offered).kind, ChallengeKind.HTTP_01)
            error = self.assertRaises(NotAnswered, preferred, found, "*.example.com", {"http-01"})
            self.assertIn("does not offer DNS-01, but http-01", str(error))
