"""The metrics of all workers together. What one has counted stays counted when it is gone."""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from edgegate.model.metrics import DeclaredMetrics
from edgegate.observe.metrics.families import CLUSTER_GAUGES, OWN
from edgegate.observe.metrics.gauges import Gauges, Row
from edgegate.observe.metrics.measured import Measured
from edgegate.observe.metrics.meters import Meters
from edgegate.observe.metrics.options import MetricsOptions
from edgegate.server.readings import WORKER_RESTARTS, GatewayReadings, Reloading
from edgegate.workers.generation import Worker
from edgegate.workers.messages import CounterBatch, GaugeRows, Measure

PATIENCE = 5.0
"""Seconds for which a worker is waited for; of one that takes longer there is nothing but what it has counted."""


class _Asked:
    """
    One worker that was asked.

    @ivar rows: What it has told so far.
    @ivar answered: Whether it has told all. Before that none of it is shown: it would be taken for all of it.
    @ivar declared: What files say of Istio's metrics.
    """

    def __init__(self, worker: Worker, gauges: Gauges) -> None:
        self.worker = worker
        self.gauges = gauges
        self.rows: list[Row] = []
        self.answered = False
        self.declared: DeclaredMetrics | None = None
        self.done: Deferred[None] = Deferred()
        self.limit: IDelayedCall | None = None

    def end(self) -> None:
        if self.limit is not None and self.limit.active():
            self.limit.cancel()
        self.done.callback(None)


class WorkerMetrics:
    """
    Takes what workers tell, and asks them.

    @ivar meters: What all have counted.
    """

    def __init__(self, reactor: IReactorTime, gateway: Reloading, options: MetricsOptions) -> None:
        self.meters = Meters(options.clusters)
        self._reactor = reactor
        self._options = options
        self._own = GatewayReadings(gateway, self.meters)
        self._asked: dict[int, _Asked] = {}
        self._count = 0

    def measure(self, workers: Iterable[Worker]) -> Deferred[Measured]:
        """
        Return what all processes together have to show.

        @param workers: Those that live, whichever files they serve.
        """
        gauges = Gauges()
        for row in self._own.rows():
            gauges.put(row)
        asked = [self._ask(worker, gauges) for worker in workers]
        return gatherResults([each.done for each in asked]).addCallback(lambda _: self._measured(asked, gauges))

    def counted(self, counted: CounterBatch) -> None:
        """A worker has counted."""
        self.meters.add(counted.batch)

    def read(self, read: GaugeRows) -> None:
        """A worker has answered, or begun to."""
        asked = self._asked.get(read.number)
        if asked is None:
            return
        asked.rows += read.rows
        if read.last:
            for row in asked.rows:
                asked.gauges.put(row)
            asked.answered, asked.declared = True, read.declared
            self._end(read.number)

    def lost(self, worker: Worker) -> None:
        """A worker is gone: it will not answer."""
        if worker.missed:
            self.meters.count(OWN, (), WORKER_RESTARTS)
        for number, asked in tuple(self._asked.items()):
            if asked.worker is worker:
                self._end(number)

    def _measured(self, asked: list[_Asked], gauges: Gauges) -> Measured:
        if asked and all(each.answered for each in asked):
            # all that live have said which clusters they serve
            self.meters.serve([labels[0] for labels, _ in gauges.of(CLUSTER_GAUGES)])
        # workers of the newest files are the last
        declared = next((each.declared for each in reversed(asked) if each.answered), None)
        return Measured(self.meters, gauges, self._options, declared)

    def _ask(self, worker: Worker, gauges: Gauges) -> _Asked:
        self._count += 1
        asked = self._asked[self._count] = _Asked(worker, gauges)
        asked.limit = self._reactor.callLater(PATIENCE, self._end, self._count)
        worker.peer.send(Measure(self._count))
        return asked

    def _end(self, number: int) -> None:
        asked = self._asked.pop(number, None)
        if asked is not None:
            asked.end()
