"""A worker's metrics, as it tells them to the supervisor: what it counted each second, the rest when it is asked."""

from __future__ import annotations

from collections.abc import Iterator

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from edgegate.net.peer import Peer
from edgegate.observe.metrics.gauges import Row
from edgegate.observe.metrics.meters import Meters
from edgegate.server.readings import PlaneReadings
from edgegate.server.turns import in_turns
from edgegate.workers.messages import CounterBatch, GaugeRows, Measure

log = Logger(namespace=__name__)

INTERVAL = 1.0
"""Seconds from one time to the next: what a worker that dies has not told is lost."""

AT_ONCE = 200
"""Series and rows that are told at once: about a millisecond's work."""


class MetricsReporter:
    """Tells them."""

    def __init__(self, reactor: IReactorTime, meters: Meters, readings: PlaneReadings, supervisor: Peer) -> None:
        self._reactor = reactor
        self._meters = meters
        self._readings = readings
        self._supervisor = supervisor
        self._under_way = self._ended = False
        self._telling = LoopingCall(self._tell)
        self._telling.clock = reactor

    def start(self) -> None:
        """Tell from now on."""
        self._telling.start(INTERVAL, now=False)

    def stop(self) -> None:
        """Tell what there is for the last time."""
        self._ended = True
        if self._telling.running:
            self._telling.stop()
        self._sample()
        while not self._meters.drained:
            self._supervisor.send(CounterBatch(self._meters.drain(AT_ONCE)))

    def answer(self, measure: Measure) -> None:
        """Tell all."""
        in_turns(self._reactor, self._steps(measure.number)).whenDone().addErrback(_failed)

    def _tell(self) -> None:
        """Tell what was counted, in turns, unless that is under way still."""
        if not self._under_way:
            self._under_way = True
            in_turns(self._reactor, self._counted()).whenDone().addErrback(_failed).addBoth(self._told)

    def _told(self, result: object) -> None:
        self._under_way = False

    def _counted(self) -> Iterator[None]:
        """Tell what was counted; where the supervisor does not read, it is told the next time."""
        self._sample()
        yield
        while not (self._meters.drained or self._ended):
            batch = self._meters.drain(AT_ONCE)
            if not self._supervisor.offer(CounterBatch(batch)):
                self._meters.add(batch)
                return
            yield

    def _steps(self, number: int) -> Iterator[None]:
        self._sample()
        yield
        while not self._meters.drained:
            self._supervisor.send(CounterBatch(self._meters.drain(AT_ONCE)))
            yield
        rows: list[Row] = []
        for row in self._readings.rows():
            if row is not None:
                rows.append(row)
            if len(rows) >= AT_ONCE:
                self._supervisor.send(GaugeRows(number, rows, False))
                rows = []
            yield
        self._supervisor.send(GaugeRows(number, rows, True, self._readings.declared))

    def _sample(self) -> None:
        """Count what nobody counts as it happens; where that fails, all else is told."""
        try:
            self._readings.sample()
        except Exception:
            log.failure("a part of the metrics can't be read")


def _failed(failure: Failure) -> None:
    log.failure("metrics can't be told to the supervisor", failure)
