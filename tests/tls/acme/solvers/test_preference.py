"""Tests of L{edgegate.tls.acme.solvers.preference}."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.certificates import ACMEAuthority
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
