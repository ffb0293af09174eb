"""Tests of L{edgegate.admin.metrics_page}."""

from __future__ import annotations

import gzip
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.metrics_page import MOST_WAITING, PATIENCE, STUCK
from edgegate.admin.site import admin_site, metrics_site
from edgegate.observe.metrics.families import LIMITS, REJECTED
from edgegate.observe.metrics.gauges import Gauges
from edgegate.observe.metrics.measured import Measured
from edgegate.observe.metrics.meters import Meters
from edgegate.observe.metrics.options import MetricsOptions
from tests.admin.asking import Answer, asked, connected
from tests.admin.served import PretendedGateway

LINE = b'edgegate_connections_rejected_total{reason="timeout"} 3\n'


class MeasuredGateway(PretendedGateway):
    """A gateway with some metrics."""

    def __init__(self) -> None:
        super().__init__()
        self.meters = Meters()
        self.meters.count(REJECTED, ("timeout",), by=3)
        self.waiting: list[Deferred[Measured]] | None = None

    def measure(self) -> Deferred[Measured]:
        """Return them at once, or when the test says."""
        if self.waiting is None:
            return succeed(Measured(self.meters, Gauges(), MetricsOptions()))
        self.waiting.append(Deferred())
        return self.waiting[-1]


class FullTransport(StringTransport):
    """One whose other side does not read, as is found at the first bytes."""

    found = False

    def write(self, data: bytes) -> None:
        """Take something, and no more for now."""
        super().write(data)
        if self.producer is not None and not self.found:
            self.found = True
            self.producer.pauseProducing()


class MetricsPageTests(SynchronousTestCase):
    """The page, over Twisted's own HTTP."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.gateway = MeasuredGateway()
        self.full = False
        self.site = admin_site(self.clock, self.gateway)

    def ask(self, path: str, *fields: str, method: str = "GET") -> tuple[StringTransport, Any]:
        """Ask, and let the page be made."""
        transport, channel = connected(self.site)
        if self.full:
            transport.__class__ = FullTransport
        lines = [f"{method} {path} HTTP/1.0", "Host: localhost", *fields, "", ""]
        channel.dataReceived("\r\n".join(lines).encode())  # type: ignore[attr-defined]
        self.turn()
        return transport, channel

    def turn(self) -> None:
        """Let the loop go on."""
        self.clock.advance(0)

    def test_paths(self) -> None:
        """The page has the paths of Prometheus and of Envoy."""
        for path in ("/metrics", "/stats/prometheus"):
            answer = Answer(self.ask(path)[0].value())
            self.assertEqual(answer.status, 200)
            self.assertIn(LINE, answer.body)
            self.assertEqual(answer.fields[b"content-type"], b"text/plain; version=0.0.4; charset=utf-8")
        self.assertEqual(Answer(self.ask("/stats/none")[0].value()).status, 404)

    def test_open_metrics(self) -> None:
        """Who asks for OpenMetrics gets it."""
        answer = Answer(self.ask("/metrics", "Accept: application/openmetrics-text")[0].value())
        self.assertTrue(answer.fields[b"content-type"].startswith(b"application/openmetrics-text; version=1.0.0"))
        self.assertTrue(answer.body.endswith(LINE + b"# EOF\n"), answer.body[-200:])

    def test_gzip(self) -> None:
        """What is asked for compressed is, and is the same."""
        answer = Answer(self.ask("/metrics", "Accept-Encoding: gzip")[0].value())
        self.assertEqual(answer.fields[b"content-encoding"], b"gzip")
        self.assertEqual(gzip.decompress(answer.body), Answer(self.ask("/metrics")[0].value()).body)

    def test_methods(self) -> None:
        """HEAD has no body; nothing is posted."""
        answer = Answer(self.ask("/metrics", method="HEAD")[0].value())
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(Answer(self.ask("/metrics", method="POST")[0].value()).status, 405)
        self.assertEqual(Answer(self.ask("/stats/prometheus", method="POST")[0].value()).status, 405)

    def test_slow_reader(self) -> None:
        """Who does not read has nothing made for them meanwhile; after a minute they are cut off, and others go on."""
        for number in range(20_000):
            self.gateway.meters.count(LIMITS, (f"limit {number}",))
        self.full = True
        transport, channel = self.ask("/metrics")
        before = len(transport.value())
        self.assertLess(before, 500_000)
        self.turn()
        self.assertEqual(len(transport.value()), before)
        self.full = False
        other, _ = self.ask("/stats/prometheus")
        self.assertEqual(other.value(), b"")
        self.clock.advance(PATIENCE)
        self.assertTrue(transport.disconnecting or transport.disconnected)
        channel.connectionLost(Failure(ConnectionLost()))
        self.turn()
        self.assertIn(LINE, other.value())

    def test_reads_again(self) -> None:
        """Who reads again gets the rest."""
        for number in range(20_000):
            self.gateway.meters.count(LIMITS, (f"limit {number}",))
        self.full = True
        transport, _ = self.ask("/metrics")
        transport.producer.resumeProducing()
        self.turn()
        self.assertIn(b'{limit="limit 19999"} 1\n', transport.value())

    def test_makes_way(self) -> None:
        """Who gets no further is cut off sooner where somebody waits, and goes on as long as nobody does."""
        for number in range(20_000):
            self.gateway.meters.count(LIMITS, (f"limit {number}",))
        self.full = True
        transport, channel = self.ask("/metrics")
        self.clock.advance(STUCK + 1)
        self.assertFalse(transport.disconnecting or transport.disconnected)
        self.full = False
        other, _ = self.ask("/metrics")
        self.clock.advance(1)
        self.assertTrue(transport.disconnecting or transport.disconnected)
        channel.connectionLost(Failure(ConnectionLost()))
        self.turn()
        self.assertIn(LINE, other.value())

    def test_gone_take_no_place(self) -> None:
        """Those who have gone while they waited keep nobody away."""
        self.gateway.waiting = []
        for _, channel in [self.ask("/metrics") for _ in range(MOST_WAITING + 1)][1:]:
            channel.connectionLost(Failure(ConnectionLost()))
        late, _ = self.ask("/metrics")
        waiting, self.gateway.waiting = self.gateway.waiting, None
        waiting[0].callback(Measured(self.gateway.meters, Gauges(), MetricsOptions()))
        self.turn()
        self.turn()
        self.assertIn(LINE, late.value())

    def test_one_at_a_time(self) -> None:
        """Others wait, so many and no more; who has gone is not answered."""
        self.gateway.waiting = []
        asked = [self.ask("/metrics") for _ in range(MOST_WAITING + 2)]
        self.assertEqual(len(self.gateway.waiting), 1)
        self.assertEqual(Answer(asked[-1][0].value()).status, 503)
        asked[1][1].connectionLost(Failure(ConnectionLost()))
        waiting, self.gateway.waiting = self.gateway.waiting, None
        waiting[0].callback(Measured(self.gateway.meters, Gauges(), MetricsOptions()))
        for _ in asked:
            self.turn()
        answered = [LINE in transport.value() for transport, _ in asked]
        self.assertEqual(answered, [True, False, *[True] * (MOST_WAITING - 1), False])

    def test_alone(self) -> None:
        """A site of its own has these pages, by whatever name it is called, and nothing that could be changed."""
        site = metrics_site(self.clock, self.gateway)
        answer = asked(site, "GET /metrics", host="edge.example:15090")
        self.assertEqual(answer.status, 200)
        self.assertIn(LINE, answer.body)
        for request, status in (
            ("POST /metrics", 405),
            ("POST /reload", 404),
            ("GET /", 404),
            ("GET /config_dump", 404),
        ):
            self.assertEqual(asked(site, request, host="edge.example").status, status, request)

    def test_fails(self) -> None:
        """A page that can't be made is cut off, is logged, and holds up nobody."""
        self.gateway.waiting = []
        transport, _ = self.ask("/metrics")
        waiting, self.gateway.waiting = self.gateway.waiting, None
        fail_with: Deferred[Measured] = fail(ValueError("no"))
        fail_with.addErrback(waiting[0].errback)
        self.turn()
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertNotIn(b"200", transport.value())
        self.assertIn(LINE, self.ask("/metrics")[0].value())
