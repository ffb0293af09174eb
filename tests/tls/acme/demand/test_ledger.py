"""Tests of L{edgegate.tls.acme.demand.ledger}."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls.acme.demand.ledger import AT_IT, BIGGEST, FORGOTTEN, Ledger, NoneLeft
from tests.model.test_on_demand import on_demand
from tests.tls.acme.certificates import managed

NOW = 1_700_000_000.0


class LedgerTests(SynchronousTestCase):
    """How many may be issued."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.clock = Clock()
        self.clock.advance(NOW)

    def make(self, certificates: int = 3, period: float = 3600.0, most: int = 100, name: str = "default/ca") -> Ledger:
        """Make one: each is another process."""
        issuer = replace(managed(self.folder).issuer, name=name)
        rules = replace(on_demand(issuer), certificates=certificates, period=period, most=most)
        return Ledger(rules, self.clock.seconds)

    def test_rate(self) -> None:
        """So many are begun in a time, whoever begins them; then it is told when there is room again."""
        for number in range(3):
            self.make().reserve(f"{number}.example.com")
            self.clock.advance(100)
        error = self.assertRaises(NoneLeft, self.make().reserve, "3.example.com")
        self.assertEqual(error.until, NOW + 3600.0)
        self.make(name="default/other").reserve("3.example.com")
        self.clock.advance(3300)
        self.make().reserve("3.example.com")
        self.assertRaises(NoneLeft, self.make().reserve, "4.example.com")

    def test_at_it(self) -> None:
        """Two that begin with one host at a time count once; one that tries again after a failure counts again."""
        self.make().reserve("a.example.com")
        self.make().reserve("a.example.com")
        self.clock.advance(AT_IT)
        self.make().reserve("a.example.com")
        self.make().reserve("b.example.com")
        self.assertRaises(NoneLeft, self.make().reserve, "c.example.com")

    def test_most(self) -> None:
        """So many hosts have one at a time; one whose certificate has ended, or that got none, makes room."""
        ledger = self.make(100, most=2)
        ledger.reserve("a.example.com")
        ledger.keep("a.example.com", NOW + 9 * FORGOTTEN)
        ledger.reserve("b.example.com")
        self.assertRaises(NoneLeft, ledger.reserve, "c.example.com")
        self.assertEqual(ledger.hosts(), ["a.example.com", "b.example.com"])
        self.clock.advance(FORGOTTEN)
        ledger.reserve("a.example.com")
        ledger.reserve("c.example.com")
        self.assertEqual(ledger.hosts(), ["a.example.com", "c.example.com"])
        ledger.keep("c.example.com", NOW + 9 * FORGOTTEN)
        self.clock.advance(9 * FORGOTTEN)
        self.assertEqual(ledger.hosts(), [])

    def test_too_long(self) -> None:
        """Names that are as long as can be fill it before it is more than can be read."""
        ledger = self.make(5000, most=5000)
        ledger.reserve("a.example.com")
        (path,) = self.folder.rglob("on-demand/default.ca.ledger")
        long = ".".join(["a" * 60] * 3)
        hosts = {f"{number:03}.{long}.example": (NOW, 0) for number in range(BIGGEST // 215)}
        path.write_text(json.dumps({"issues": [], "hosts": hosts}, separators=(",", ":")))
        with self.assertRaises(NoneLeft) as caught:
            for number in range(100):
                ledger.reserve(f"x{number:03}.{long}.example")
        self.assertIn("too long", str(caught.exception))
        self.assertGreaterEqual(len(ledger.hosts()), len(hosts))
        ledger.keep(ledger.hosts()[0], NOW + 9e6)

    def test_broken(self) -> None:
        """What can't be understood is as if there were nothing; nothing is written by who only reads."""
        self.assertEqual(self.make().hosts(), [])
        self.assertFalse(self.folder.exists())
        self.make().reserve("a.example.com")
        (path,) = self.folder.rglob("on-demand/default.ca.ledger")
        for content in ("", "[]", "{", '{"issues": [null]}', '{"hosts": {"a": 1}}', '{"issues": 5}'):
            path.write_text(content)
            self.assertEqual(self.make().hosts(), [], content)
        self.make().reserve("b.example.com")
        self.assertEqual(self.make().hosts(), ["b.example.com"])

    def test_at_one_time(self) -> None:
        """No more are begun than may be, however many begin at one time."""

        def begin(number: int) -> bool:
            try:
                self.make(7).reserve(f"h{number}.example.com")
            except NoneLeft:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            begun = list(pool.map(begin, range(24)))
        self.assertEqual((sum(begun), len(self.make(7).hosts())), (7, 7))
