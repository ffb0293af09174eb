"""Tests of L{edgegate.workers.metrics_reporter}."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.metrics.families import LISTENER_GAUGES, REJECTED
from edgegate.observe.metrics.gauges import Row
from edgegate.observe.metrics.meters import Meters
from edgegate.workers.messages import CounterBatch, GaugeRows, Measure
from edgegate.workers.metrics_reporter import AT_ONCE, INTERVAL, MetricsReporter


class Supervisor:
    """Remembers what it was told, as long as it reads."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.reads = True

    def send(self, value: object) -> None:
        """Take it."""
        self.told.append(value)

    def offer(self, value: object) -> bool:
        """Take it, unless too much waits."""
        if self.reads:
            self.told.append(value)
        return self.reads


class Readings:
    """So many rows to read."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.samples = 0
        self.declared = None
        self.fault: Exception | None = None

    def sample(self) -> None:
        """Count it."""
        self.samples += 1
        if self.fault is not None:
            raise self.fault

    def rows(self) -> Iterator[Row | None]:
        """Yield them."""
        yield None
        for number in range(self.count):
            yield LISTENER_GAUGES.name, (str(number),), (number,)


class MetricsReporterTests(SynchronousTestCase):
    """What a worker says."""

    def setUp(self) -> None:
        self.clock, self.meters, self.supervisor = Clock(), Meters(), Supervisor()
        self.readings = Readings(AT_ONCE * 2 + 1)
        self.metrics = MetricsReporter(self.clock, self.meters, cast(Any, self.readings), cast(Any, self.supervisor))

    def told(self) -> int:
        """Return how much was told of what was counted."""
        batches = [each.batch for each in self.supervisor.told if isinstance(each, CounterBatch)]
        return sum(numbers[0] for batch in batches for _, _, numbers, _ in batch)

    def test_each_second(self) -> None:
        """What was counted is told each second, once; nothing is told where nothing was."""
        self.metrics.start()
        self.meters.count(REJECTED, ("timeout",))
        for _ in range(2):
            self.clock.advance(INTERVAL)
            self.clock.advance(0)
        self.assertEqual((self.told(), len(self.supervisor.told), self.readings.samples), (1, 1, 2))
        self.meters.count(REJECTED, ("timeout",))
        self.metrics.stop()
        self.assertEqual((self.told(), self.clock.getDelayedCalls()), (2, []))

    def test_later(self) -> None:
        """Where the supervisor does not read it is told once it does."""
        self.metrics.start()
        self.supervisor.reads = False
        self.meters.count(REJECTED, ("timeout",))
        self.clock.advance(INTERVAL)
        self.meters.count(REJECTED, ("timeout",))
        self.assertEqual(self.told(), 0)
        self.supervisor.reads = True
        self.clock.advance(INTERVAL)
        self.clock.advance(0)
        self.assertEqual(self.told(), 2)
        self.metrics.stop()

    def test_sample_fails(self) -> None:
        """Where a sample fails that is logged, and what was counted is told: each second, who asks, and at the end."""
        self.metrics.start()
        self.readings.fault = OSError("no such file")
        for number in (1, 2):
            self.meters.count(REJECTED, ("timeout",))
            self.clock.advance(INTERVAL)
            self.assertEqual(self.told(), number)
        self.meters.count(REJECTED, ("timeout",))
        self.metrics.answer(Measure(7))
        self.clock.advance(0)
        self.assertEqual((self.told(), self.supervisor.told[-1].last), (3, True))
        self.meters.count(REJECTED, ("timeout",))
        self.metrics.stop()
        self.assertEqual(self.told(), 4)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 4)

    def test_asked(self) -> None:
        """Who asks is told what was counted first, and then the rest in pieces, of which the last says so."""
        self.meters.count(REJECTED, ("timeout",))
        self.metrics.answer(Measure(7))
        self.clock.advance(0)
        first, *pieces = self.supervisor.told
        self.assertIsInstance(first, CounterBatch)
        self.assertEqual({piece.number for piece in pieces}, {7})
        self.assertEqual([len(piece.rows) for piece in pieces], [AT_ONCE, AT_ONCE, 1])
        self.assertEqual([piece.last for piece in pieces], [False, False, True])
        self.assertTrue(all(isinstance(piece, GaugeRows) for piece in pieces))
