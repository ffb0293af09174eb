"""Tests of L{edgegate.tls.acme.solvers.tls_alpn_01}."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls.acme.challenges import ChallengeAnswers
from edgegate.tls.acme.solvers.solver import Challenge
from edgegate.tls.acme.solvers.tls_alpn_01 import TLSALPN01Solver
from edgegate.tls.acme.store import CertificateStore
from edgegate.tls.acme.tls_alpn import digest_of
from tests.tls.acme.certificates import managed
from tests.tls.acme.test_challenges import Later

TOKEN = "t" * 43


class TLSALPN01SolverTests(SynchronousTestCase):
    """Answers in a store."""

    def setUp(self) -> None:
        issuer = managed(Path(self.mktemp()).absolute()).issuer
        self.solver = TLSALPN01Solver(CertificateStore(issuer))
        self.answers = ChallengeAnswers(Later())
        self.answers.storages = (issuer.storage,)

    def test_answered(self) -> None:
        """The answer is there as long as it is wanted, whatever the token and the length of the host."""
        for host in ("a.example.com", ".".join(["a" * 60] * 4)):
            with self.solver.answered(Challenge(host, "../x", f"{TOKEN}.key")):
                found = self.answers.digests([host, "b.example.com"])
                self.assertEqual(found, {host: digest_of(f"{TOKEN}.key")})
            self.assertEqual(self.answers.digests([host]), {})

    def test_wildcard(self) -> None:
        """It proves hosts, one by one."""
        self.assertTrue(self.solver.proves("a.example.com"))
        self.assertFalse(self.solver.proves("*.example.com"))
        with self.assertRaises(ValueError), self.solver.answered(Challenge("*.example.com", TOKEN, "x")):
            self.fail("it is none")

    def test_no_answer(self) -> None:
        """An authority whose token is no ASCII is not answered."""
        with self.assertRaises(ValueError):
            self.solver.answered(Challenge("a.example.com", "ü", "ü.key"))
