"""Tests of L{edgegate.tls.acme.solvers.http_01}."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls.acme.solvers.http_01 import HTTP01Solver
from edgegate.tls.acme.solvers.solver import Challenge
from edgegate.tls.acme.store import CertificateStore, challenge_answer
from tests.tls.acme.certificates import managed

TOKEN = "t" * 43


class HTTP01SolverTests(SynchronousTestCase):
    """Answers in a store."""

    def setUp(self) -> None:
        issuer = managed(Path(self.mktemp()).absolute()).issuer
        self.storage = issuer.storage
        self.solver = HTTP01Solver(CertificateStore(issuer))

    def test_answered(self) -> None:
        """The answer is there as long as it is wanted."""
        with self.solver.answered(Challenge("a.example.com", TOKEN, f"{TOKEN}.key")):
            self.assertEqual(challenge_answer(self.storage, TOKEN), f"{TOKEN}.key".encode())
        self.assertIsNone(challenge_answer(self.storage, TOKEN))

    def test_token(self) -> None:
        """What is no token is no name of a file."""
        with self.assertRaises(ValueError), self.solver.answered(Challenge("a.example.com", "../" + TOKEN, "x")):
            self.fail("it is none")

    def test_wildcard(self) -> None:
        """It proves hosts, one by one."""
        self.assertTrue(self.solver.proves("a.example.com"))
        self.assertFalse(self.solver.proves("*.example.com"))
