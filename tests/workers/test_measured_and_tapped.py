"""
Tests of what a supervisor shows of a worker's requests: L{edgegate.workers.metrics_reporter} and
L{edgegate.workers.tap_reporter} at the one end of a channel, L{edgegate.workers.worker_metrics} and
L{edgegate.workers.worker_taps} at the other.
"""

from __future__ import annotations

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread

from edgegate.observe.metrics.families import CLUSTER_GAUGES, LISTENER_GAUGES, REQUESTS
from edgegate.observe.metrics.options import MetricsOptions
from edgegate.observe.tap import TapFilter, Tapped
from edgegate.workers.generation import Worker
from edgegate.workers.messages import CounterBatch, Drain, GaugeRows, TappedRequest
from edgegate.workers.worker_metrics import WorkerMetrics
from edgegate.workers.worker_taps import WorkerTaps
from tests.server.test_readings import FakeGateway
from tests.workers.beside import WorkerCase


class MeasuredAndTappedTests(WorkerCase):
    """One worker that serves."""

    async def begin(self) -> None:
        """Have it serve, and have what shows it."""
        await self.serving()
        self.metrics = WorkerMetrics(Clock(), FakeGateway(), MetricsOptions())
        self.taps = WorkerTaps()
        self.worker = Worker(0, 0, self.heard.peer)
        self.addCleanup(self.end)

    async def end(self) -> None:
        """End the worker."""
        self.heard.peer.send(Drain(0.0))
        await self.reactor.stopped
        await self.heard.gone

    def hear(self) -> None:
        """Take all that was told."""
        told, self.heard.told = self.heard.told, []
        for value in told:
            if isinstance(value, CounterBatch):
                self.metrics.counted(value)
            elif isinstance(value, GaugeRows):
                self.metrics.read(value)
            elif isinstance(value, TappedRequest):
                self.taps.seen(self.worker, value)

    async def test_measured(self) -> None:
        """What has ended is counted as soon as somebody asks; what is under way is shown beside."""
        await self.begin()
        self.assertTrue((await self.ask()).endswith(b"served"))
        answered = ensureDeferred(self.ask("/silent"))
        backend, _ = await deferToThread(self.silent.accept)
        self.addCleanup(backend.close)
        measured = self.metrics.measure([self.worker])
        while not measured.called:
            last = await self.heard.next(GaugeRows)
            self.heard.told.append(last)
            self.hear()
        found = await measured
        self.assertEqual([each.numbers[0] for each in found.meters.of(REQUESTS)], [1])
        ((bind, (taken,)),) = found.gauges.of(LISTENER_GAUGES)
        self.assertEqual((bind, taken), ((f"127.0.0.1_{self.port}",), 1))
        ((labels, numbers),) = found.gauges.of(CLUSTER_GAUGES)
        self.assertIn("silent.example", labels[0])
        self.assertEqual((numbers[0], numbers[5], numbers[6]), (1, 1, 1))
        await self.end()
        self.assertEqual(await answered, b"reset")

    async def test_tapped(self) -> None:
        """A request that a tap wants is shown with the worker's number, and others are not told of."""
        await self.begin()
        shown: list[Tapped] = []
        end = self.taps.begin(TapFilter(path="/cart", requests=2), shown.append, [self.worker])
        for path in ("/", "/cart/1", "/", "/cart/2"):
            await self.ask(path)
        while len(shown) < 2:
            self.heard.told.append(await self.heard.next(TappedRequest))
            self.hear()
        # the one that was waited for is heard behind those that came with it
        found = sorted((each["worker"], each["target"]) for each in shown)
        self.assertEqual(found, [(0, "/cart/1"), (0, "/cart/2")])
        end()
        await self.ask("/cart/3")
        self.assertEqual(len(shown), 2)
