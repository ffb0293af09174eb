"""Tests of L{edgegate.upstream.health.host_health}."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.clusters import Endpoint, OutlierDetection, Probe
from edgegate.net.wheel import TimerWheel
from edgegate.upstream.health.active import ActiveHealthChecks
from edgegate.upstream.health.host_health import HostHealth
from tests.upstream.asked import FakeAsk
from tests.upstream.members import members

RULES = OutlierDetection(consecutive_5xx=2, interval=5.0, base_ejection=10.0, max_ejected=1.0)


class FitnessTests(SynchronousTestCase):
    """Which endpoints are fit."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, 0.5)
        self.ask = FakeAsk()
        self.changes = 0
        self.fitness = HostHealth("web", self.wheel, ActiveHealthChecks(self.clock, self.ask), self.changed)
        self.one, self.two = self.endpoints = members(1, 1)

    def changed(self) -> None:
        self.changes += 1

    def advance(self, seconds: float) -> None:
        self.clock.pump([0.5] * int(seconds * 2))

    def probe(self, probe: Probe | None) -> None:
        self.one.said = Endpoint(self.one.address, probe=probe)

    def test_ejected_and_back(self) -> None:
        """An endpoint that fails is out for its time, and counts as new when it is back."""
        self.fitness.watch(self.endpoints, RULES)
        self.fitness.failed(self.one)
        self.assertEqual((self.one.fit, self.changes), (True, 0))
        self.fitness.answered(self.one, 500)
        self.assertEqual((self.one.fit, self.two.fit, self.changes), (False, True, 1))
        self.advance(9)
        self.assertFalse(self.one.fit)
        self.advance(9)
        self.assertEqual((self.one.fit, self.changes), (True, 2))
        self.assertGreater(self.one.since, 9)
        self.advance(60)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_connected(self) -> None:
        """A connection that could be made ends a row of failures."""
        self.fitness.watch(self.endpoints, RULES)
        self.fitness.failed(self.one)
        self.fitness.connected(self.one)
        self.fitness.failed(self.one)
        self.assertTrue(self.one.fit)

    def test_rules_go(self) -> None:
        """Where the files do not want it any more nobody is ejected, and no answer is counted."""
        self.fitness.watch(self.endpoints, RULES)
        for _ in range(2):
            self.fitness.failed(self.one)
        self.fitness.watch(self.endpoints, None)
        self.assertTrue(self.one.fit)
        self.assertIsNone(self.fitness.outliers)
        for _ in range(9):
            self.fitness.failed(self.one)
            self.fitness.answered(self.one, 500)
        self.fitness.connected(self.one)
        self.assertTrue(self.one.fit)

    def test_rules_come_back(self) -> None:
        """What was counted by rules that went is not counted by later ones."""
        self.fitness.watch(self.endpoints, RULES)
        self.fitness.failed(self.one)
        self.fitness.watch(self.endpoints, None)
        self.fitness.watch(self.endpoints, RULES)
        self.fitness.failed(self.one)
        self.assertTrue(self.one.fit)
        self.fitness.failed(self.one)
        self.assertFalse(self.one.fit)

    def test_rules_change(self) -> None:
        """New rules change nothing about who is ejected."""
        self.fitness.watch(self.endpoints, RULES)
        for _ in range(2):
            self.fitness.failed(self.one)
        self.fitness.watch(self.endpoints, OutlierDetection(interval=5.0))
        self.assertFalse(self.one.fit)

    def test_probed(self) -> None:
        """An endpoint is as fit as its probes say."""
        self.probe(Probe(81, tcp=True, failures=1))
        self.fitness.watch(self.endpoints, None)
        self.assertTrue(self.fitness.probed)
        self.clock.advance(0)
        self.ask.unwell("10.0.0.1:81")
        self.assertEqual((self.one.fit, self.changes), (False, 1))
        self.fitness.watch(self.endpoints, None)
        self.assertFalse(self.one.fit)
        self.clock.advance(10)
        self.ask.well("10.0.0.1:81")
        self.assertEqual((self.one.fit, self.one.since, self.changes), (True, 10.0, 2))

    def test_probe_goes(self) -> None:
        """Without a probe, or without the endpoint, nobody is asked."""
        self.probe(Probe(81, tcp=True))
        self.fitness.watch(self.endpoints, None)
        self.clock.advance(0)
        self.ask.unwell("10.0.0.1:81")
        self.probe(None)
        self.fitness.watch(self.endpoints, None)
        self.assertTrue(self.one.fit)
        self.probe(Probe(82, tcp=True))
        self.fitness.watch(self.endpoints, None)
        self.fitness.watch([self.two], None)
        self.assertFalse(self.fitness.probed)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop(self) -> None:
        """After the stop no timer is left."""
        self.probe(Probe(81, tcp=True))
        self.fitness.watch(self.endpoints, RULES)
        for _ in range(2):
            self.fitness.failed(self.one)
        self.fitness.stop()
        self.advance(40)
        self.assertEqual((self.clock.getDelayedCalls(), self.ask.asked), ([], 0))
