"""Tests of L{edgegate.upstream.health.active}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.model.clusters import Probe
from edgegate.upstream.health.active import ActiveHealthChecks, Health, target
from tests.upstream.asked import FakeAsk

WEB = TCPAddress("10.0.0.1", 80)

ASKED = "10.0.0.1:8080"


class HealthTests(SynchronousTestCase):
    """What answers make of an endpoint."""

    def test_first_answer(self) -> None:
        """The first answer counts at once."""
        health = Health(Probe(80, failures=3, successes=3))
        self.assertTrue(health.answered(False))
        self.assertIs(health.healthy, False)

    @given(st.integers(1, 4), st.integers(1, 4), st.lists(st.booleans(), max_size=60))
    def test_in_a_row(self, failures: int, successes: int, answers: list[bool]) -> None:
        """From then on as many answers in a row as the probe says."""
        health = Health(Probe(80, failures=failures, successes=successes))
        expected: bool | None = None
        row = 0
        for index, well in enumerate(answers):
            row = row + 1 if index and answers[index - 1] is well else 1
            if expected is None or (well is not expected and row >= (successes if well else failures)):
                self.assertTrue(health.answered(well))
                expected = well
            else:
                self.assertFalse(health.answered(well))
            self.assertIs(health.healthy, expected)


class ProbingTests(SynchronousTestCase):
    """Endpoints that are asked."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.ask = FakeAsk()
        self.probing = ActiveHealthChecks(self.clock, self.ask)
        self.heard: list[bool] = []
        self.probe = Probe(8080, "/healthy", initial_delay=3.0, timeout=2.0, period=5.0, failures=2)
        self.lines: list[str] = []
        globalLogPublisher.addObserver(self.log)
        self.addCleanup(globalLogPublisher.removeObserver, self.log)

    def log(self, event: dict[str, object]) -> None:
        if event["log_namespace"] == "edgegate.upstream.health.active":
            self.lines.append(str(event["log_format"]).format(**event))

    def test_again_and_again(self) -> None:
        """An endpoint is asked after its delay, then in every period, and what changes is told and logged."""
        self.probing.watch(WEB, self.probe, self.heard.append)
        self.clock.advance(2.9)
        self.assertEqual(self.ask.asked, 0)
        self.clock.advance(0.1)
        self.ask.well(ASKED)
        self.assertEqual(self.heard, [True])
        for _ in range(2):
            self.clock.advance(5)
            self.ask.unwell(ASKED)
        self.clock.advance(5)
        self.ask.well(ASKED)
        self.assertEqual((self.heard, self.ask.asked), ([True, False, True], 4))
        self.assertEqual(
            self.lines,
            [
                "endpoint 10.0.0.1:8080 is healthy: it answers",
                "endpoint 10.0.0.1:8080 is unhealthy: it is on fire",
                "endpoint 10.0.0.1:8080 is healthy: it answers",
            ],
        )

    def test_too_slow(self) -> None:
        """No answer in time is a bad one."""
        self.probing.watch(WEB, self.probe, self.heard.append)
        self.clock.advance(3)
        self.clock.advance(2)
        self.assertEqual((self.heard, self.ask.cancelled), ([False], 1))
        self.clock.advance(3)
        self.assertEqual(self.ask.asked, 2)

    def test_shared(self) -> None:
        """Clusters with the same endpoint and probe cost one question; who comes later hears at once."""
        later: list[bool] = []
        self.probing.watch(WEB, self.probe, self.heard.append)
        self.clock.advance(3)
        self.ask.unwell(ASKED)
        self.probing.watch(TCPAddress("10.0.0.1", 81), self.probe, later.append)
        self.assertEqual((later, len(self.probing)), ([False], 1))
        self.probing.unwatch(WEB, self.probe, self.heard.append)
        self.clock.advance(5)
        self.ask.well(ASKED)
        self.assertEqual((self.heard, later), ([False], [False, True]))

    def test_nobody_wants_to_know(self) -> None:
        """Where the last cluster goes nobody is asked any more, not even where a question is under way."""
        self.probing.watch(WEB, self.probe, self.heard.append)
        self.clock.advance(3)
        self.probing.unwatch(WEB, self.probe, self.heard.append)
        self.assertEqual((self.ask.cancelled, self.clock.getDelayedCalls(), self.heard), (1, [], []))

    def test_as_slow_as_the_period(self) -> None:
        """A question that lasts a whole period ends before the next, and nothing is left when nobody wants to know."""
        probe = Probe(8080, "/healthy", timeout=1.0, period=1.0)
        self.probing.watch(WEB, probe, self.heard.append)
        for _ in range(30):
            self.clock.advance(0.1)
        self.assertEqual(self.ask.asked - self.ask.cancelled, 1)
        self.probing.unwatch(WEB, probe, self.heard.append)
        self.assertEqual((self.ask.asked - self.ask.cancelled, self.clock.getDelayedCalls()), (0, []))

    def test_stop(self) -> None:
        """After the stop nobody is asked."""
        self.probing.watch(WEB, self.probe, self.heard.append)
        self.probing.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_target(self) -> None:
        """A probe has a port of its own, may have a host, and asks a UNIX socket itself."""
        self.assertEqual(target(WEB, Probe(81)), TCPAddress("10.0.0.1", 81))
        self.assertEqual(target(WEB, Probe(81, host="health.example")), TCPAddress("health.example", 81))
        self.assertEqual(target(UNIXAddress("/run/web"), Probe(81)), UNIXAddress("/run/web"))
