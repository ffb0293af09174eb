"""Tests of L{edgegate.server.first_certificates}."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.routing.snapshot import Snapshot
from edgegate.server.first_certificates import Awaited, FirstCertificates, awaited
from edgegate.tls.acme.keys import placeholder
from edgegate.tls.secret_store import Secrets
from tests.tls.acme.certificates import made, managed

A, B = Awaited("a.example.com", "n/ca", 60.0, "a.yaml:1"), Awaited("b.example.com", "n/ca", 20.0, "a.yaml:2")


class AwaitedTests(SynchronousTestCase):
    """What is waited for."""

    def test_awaited(self) -> None:
        """What is to be issued, by issuers that say so; what is there is not waited for."""
        folder = Path("/nowhere")
        usual = managed(folder, "usual.example.com")
        waits = [
            replace(each, issuer=replace(each.issuer, waits=True, readiness_timeout=5.0))
            for each in (managed(folder, "missing.example.com"), managed(folder, "there.example.com"))
        ]
        pairs = [placeholder(usual), placeholder(waits[0]), made(waits[1], 0, 10)]
        found = awaited(Snapshot(certificates=(usual, *waits)), Secrets(pairs))
        self.assertEqual(found, (Awaited("missing.example.com", "default/ca", 5.0, "gw.yaml:7"),))


class FirstCertificatesTests(SynchronousTestCase):
    """Waiting."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.missing = [A, B]
        self.first = FirstCertificates(self.clock, lambda: self.missing)
        self.over: list[None] = []

    def begin(self) -> None:
        """Begin, and hear when it is over."""
        self.first.begin()
        self.first.when_over().addCallback(self.over.append)

    def test_none(self) -> None:
        """Where none is missing, or is to be waited for, there is no wait."""
        for missing in ([], [replace(A, timeout=0.0)]):
            self.missing = missing
            self.begin()
            self.assertEqual((self.first.waiting, self.first.left), (False, 0.0))
        self.assertEqual((len(self.over), self.clock.getDelayedCalls()), (2, []))

    def test_issued(self) -> None:
        """It is over once all are there, and stays so, whatever is missing later."""
        self.begin()
        self.assertEqual((self.first.waiting, self.first.left, self.over), (True, 60.0, []))
        self.missing = [B]
        self.first.look()
        self.assertTrue(self.first.waiting)
        self.missing = []
        self.first.look()
        self.assertEqual((self.first.waiting, self.over, self.clock.getDelayedCalls()), (False, [None], []))
        self.missing = [A]
        self.first.look()
        self.assertFalse(self.first.waiting)

    def test_added(self) -> None:
        """What files ask for meanwhile is not waited for; what they ask for no more is not either."""
        self.missing = [A]
        self.begin()
        self.missing = [replace(A, place="b.yaml:9", timeout=1.0)]
        self.first.look()
        self.assertTrue(self.first.waiting, "it is the same one elsewhere in the files")
        self.missing = [B]
        self.first.look()
        self.assertEqual(self.over, [None])

    def test_late(self) -> None:
        """Each is waited for as long as its issuer says, and is told of then."""
        self.begin()
        self.clock.advance(20)
        self.assertEqual((self.first.waiting, self.first.left), (True, 40.0))
        self.clock.advance(40)
        self.assertEqual((self.first.waiting, self.over, self.clock.getDelayedCalls()), (False, [None], []))

    def test_stopped(self) -> None:
        """A gateway that ends tells nobody that it is ready."""
        self.begin()
        self.first.stop()
        self.assertEqual((self.first.waiting, self.over, self.clock.getDelayedCalls()), (False, [], []))
        self.first.look()
        self.assertEqual(self.over, [])
