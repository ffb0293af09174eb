"""Tests of L{edgegate.workers.worker_metrics} and L{edgegate.workers.metrics_reporter}."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.metrics.families import CLUSTER_GAUGES, CLUSTERS, OWN, REJECTED
from edgegate.observe.metrics.meters import NO_DESTINATION, Meters
from edgegate.observe.metrics.options import MetricsOptions
from edgegate.workers.generation import Worker
from edgegate.workers.messages import CounterBatch, GaugeRows, Measure
from edgegate.workers.worker_metrics import PATIENCE, WorkerMetrics
from tests.server.test_readings import FakeGateway


class FakePeer:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def send(self, value: object) -> None:
        """Take it."""
        self.told.append(value)


def cluster(connections: int) -> GaugeRows:
    """Return what a worker says of a cluster, to the first who asks."""
    return GaugeRows(1, [(CLUSTER_GAUGES.name, ("web",), (1, 1, 0, 0, 0, connections, 0, 0, 0, 0, 0))], False)


class WorkerMetricsTests(SynchronousTestCase):
    """Two workers that are asked."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.metrics = WorkerMetrics(self.clock, FakeGateway(), MetricsOptions())
        self.peers = [FakePeer(), FakePeer()]
        self.workers = [Worker(slot, slot, cast(Any, peer)) for slot, peer in enumerate(self.peers)]

    def count(self, number: int) -> None:
        """Have a worker tell that it has counted."""
        meters = Meters()
        meters.count(REJECTED, ("timeout",), by=number)
        self.metrics.counted(CounterBatch(meters.drain()))

    def counted(self) -> list[list[int]]:
        """Return what all have counted."""
        return [each.numbers for each in self.metrics.meters.of(REJECTED)]

    def test_summed(self) -> None:
        """What all count is added up, and their connections are; one answer may come in pieces."""
        self.count(3)
        measured = self.metrics.measure(self.workers)
        self.assertEqual([peer.told for peer in self.peers], [[Measure(1)], [Measure(2)]])
        self.count(4)
        self.metrics.read(cluster(5))
        self.metrics.read(GaugeRows(1, [], True))
        self.assertNoResult(measured)
        self.metrics.read(GaugeRows(2, cluster(6).rows, True))
        found = self.successResultOf(measured)
        self.assertEqual(self.counted(), [[7]])
        ((labels, numbers),) = found.gauges.of(CLUSTER_GAUGES)
        self.assertEqual((labels, numbers[0], numbers[5]), (("web",), 1, 11))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_clusters_gone(self) -> None:
        """Of clusters that no worker serves any more nothing is left in the end, if all workers have said so."""
        meters = Meters()
        for name in ("web", "old"):
            meters.meter(name, NO_DESTINATION).count_cluster(0)
        self.metrics.counted(CounterBatch(meters.drain()))
        left = []
        for number in (1, 3, 5):
            measured = self.metrics.measure(self.workers)
            self.metrics.read(GaugeRows(number, cluster(5).rows, True))
            if number == 1:
                self.metrics.lost(self.workers[1])
            else:
                self.metrics.read(GaugeRows(number + 1, [], True))
            self.successResultOf(measured)
            left.append([each.labels[0] for each in self.metrics.meters.of(CLUSTERS)])
        self.assertEqual(left, [["web", "old"], ["web", "old"], ["web"]])

    def test_gone(self) -> None:
        """Of one that dies what it has counted stays; the others are waited for."""
        self.count(3)
        measured = self.metrics.measure(self.workers)
        # the rest of its rows never comes
        self.metrics.read(cluster(5))
        self.metrics.lost(self.workers[0])
        self.assertNoResult(measured)
        self.metrics.read(GaugeRows(2, cluster(6).rows, True))
        found = self.successResultOf(measured)
        self.assertEqual(self.counted(), [[3]])
        ((_, numbers),) = found.gauges.of(CLUSTER_GAUGES)
        self.assertEqual((numbers[0], numbers[5]), (1, 6))

    def test_restarts(self) -> None:
        """Workers that end by themselves are counted, those that were to end are not."""
        self.workers[0].missed = True
        for worker in self.workers:
            self.metrics.lost(worker)
        ((_, restarts),) = [each.numbers for each in self.metrics.meters.of(OWN)]
        self.assertEqual(restarts, 1)

    def test_hangs(self) -> None:
        """One that does not answer is not waited for long, and answers nobody later."""
        measured = self.metrics.measure(self.workers)
        self.metrics.read(cluster(1))
        self.metrics.read(GaugeRows(2, [], True))
        self.clock.advance(PATIENCE)
        self.assertEqual(self.successResultOf(measured).gauges.of(CLUSTER_GAUGES), [])
        self.metrics.read(cluster(1))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nobody(self) -> None:
        """Without workers there is what the gateway itself tells."""
        self.successResultOf(self.metrics.measure([]))
