"""Tests of L{edgegate.observe.export.exporter}."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.export.exporter import (
    BATCH,
    BATCH_BYTES,
    INTERVAL,
    LAST_SECONDS,
    LONGEST_PAUSE,
    MOST_BYTES,
    BatchExporter,
    CollectorError,
)
from edgegate.observe.tracing.span import Span


class Lines:
    """Writes batches as lines."""

    content_type = "text/plain"

    def span(self, span: Span) -> bytes:
        """Nobody asks here."""
        raise NotImplementedError

    def batch(self, spans: Sequence[bytes]) -> bytes:
        """Return lines."""
        return b"\n".join(spans)


class FakeCollector:
    """Takes batches, and answers when the test does."""

    url = "http://collector.example/"

    def __init__(self) -> None:
        self.batches: list[bytes] = []
        self.answers: list[Deferred[None]] = []
        self.closed = self.broken = False

    def send(self, body: bytes) -> Deferred[None]:
        """Take a batch."""
        if self.broken:
            raise RuntimeError("broken")
        self.batches.append(body)
        self.answers.append(Deferred())
        return self.answers[-1]

    def close(self) -> Deferred[None]:
        """Take note of it."""
        self.closed = True
        return succeed(None)


class ExporterTests(SynchronousTestCase):
    """When spans are sent, and which are lost."""

    def setUp(self) -> None:
        """Make an exporter."""
        self.clock = Clock()
        self.collector = FakeCollector()
        self.exporter = BatchExporter(self.clock, self.collector, Lines())  # type: ignore[arg-type]
        self.exporter.startService()

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many spans were sent, failed, and were dropped."""
        return self.exporter.sent, self.exporter.failed, self.exporter.dropped

    def fill(self, count: int = 1) -> None:
        """Give it spans."""
        for number in range(count):
            self.exporter.add(b"%d" % number)

    def test_together(self) -> None:
        """Spans wait for others, and are sent together; where there are none nothing is."""
        self.fill(2)
        self.clock.advance(INTERVAL - 0.1)
        self.assertEqual(self.collector.batches, [])
        self.clock.advance(0.1)
        self.assertEqual(self.collector.batches, [b"0\n1"])
        self.collector.answers[0].callback(None)
        self.assertEqual(self.counts, (2, 0, 0))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_many(self) -> None:
        """A whole batch does not wait, nor is it sent in the turn of a request."""
        self.fill(BATCH + 1)
        self.assertEqual(self.collector.batches, [])
        self.clock.advance(0)
        self.assertEqual([each.count(b"\n") + 1 for each in self.collector.batches], [BATCH])
        self.collector.answers[0].callback(None)
        self.clock.advance(INTERVAL)
        self.assertEqual(self.collector.batches[1:], [b"%d" % BATCH])

    def test_large(self) -> None:
        """So many bytes don't wait either, and no batch has more, but of one span that has."""
        large = b"x" * (BATCH_BYTES // 2)
        for _ in range(3):
            self.exporter.add(large)
        self.exporter.add(b"y" * (BATCH_BYTES + 1))
        self.clock.advance(0)
        self.assertEqual(self.collector.batches, [b"\n".join([large] * 2)])
        self.collector.answers[0].callback(None)
        self.clock.advance(0)
        self.assertEqual(self.collector.batches[1:], [large])
        self.collector.answers[1].callback(None)
        self.clock.advance(0)
        self.assertEqual([len(each) for each in self.collector.batches[2:]], [BATCH_BYTES + 1])
        self.collector.answers[2].callback(None)
        self.assertEqual((self.counts, self.clock.getDelayedCalls()), ((4, 0, 0), []))

    def test_large_while_failing(self) -> None:
        """A collector that fails is not asked sooner for them."""
        self.fill()
        self.clock.advance(INTERVAL)
        self.collector.answers[0].errback(CollectorError("it answers 503"))
        self.fill()
        self.exporter.add(b"x" * BATCH_BYTES)
        self.clock.advance(INTERVAL - 1)
        self.assertEqual(len(self.collector.batches), 1)
        self.clock.advance(1)
        self.assertEqual(len(self.collector.batches), 2)

    def test_one_at_a_time(self) -> None:
        """While a batch is under way no other is sent; then the rest is, at once where it is a whole one."""
        self.fill(3 * BATCH)
        self.clock.advance(INTERVAL)
        self.clock.advance(INTERVAL)
        self.assertEqual(len(self.collector.batches), 1)
        self.collector.answers[0].callback(None)
        self.clock.advance(0)
        self.assertEqual(len(self.collector.batches), 2)

    def test_bound(self) -> None:
        """Spans of so many bytes wait; more are lost, and counted, until some were sent."""
        large = b"x" * (MOST_BYTES // 4)
        with capturedLogs() as logged:
            for _ in range(6):
                self.exporter.add(large)
        (said,) = [formatEvent(event) for event in logged]
        self.assertEqual(said, f"too many spans wait for {self.collector.url}: others are dropped")
        self.assertEqual(self.counts, (0, 0, 2))
        self.assertEqual(dict(self.exporter.outcomes()), {"sent": 0, "failed": 0, "dropped": 2})
        self.clock.advance(INTERVAL)
        self.exporter.add(large)
        self.assertEqual(self.counts, (0, 0, 2))

    def test_failing(self) -> None:
        """A collector that fails loses batches, and is asked less and less often until it takes one."""
        asked = []
        for _ in range(7):
            self.fill(BATCH)
            before = self.clock.seconds()
            while len(self.collector.answers) == len(asked):
                self.clock.advance(1)
            asked.append(self.clock.seconds() - before)
            self.fill()
            self.collector.answers[-1].errback(CollectorError("it answers 503"))
        self.assertEqual(asked, [1, 5, 10, 20, 40, LONGEST_PAUSE, LONGEST_PAUSE])
        self.assertEqual(self.counts, (0, 7 * BATCH, 0))
        self.clock.advance(LONGEST_PAUSE)
        self.collector.answers[-1].callback(None)
        self.assertEqual(self.exporter.sent, 7)
        self.fill()
        self.clock.advance(INTERVAL)
        self.assertEqual(len(self.collector.batches), 9)

    def test_broken(self) -> None:
        """An error of ours when a batch is made loses that batch."""
        self.collector.broken = True
        self.fill()
        self.clock.advance(INTERVAL)
        self.assertEqual(self.counts, (0, 1, 0))
        self.collector.broken = False
        self.fill()
        self.clock.advance(INTERVAL)
        self.assertEqual(len(self.collector.batches), 1)

    def test_end(self) -> None:
        """The end sends what is left, behind what is under way, and then leaves."""
        self.fill(BATCH + 1)
        self.clock.advance(0)
        ended = self.exporter.stopService()
        self.collector.answers[0].callback(None)
        self.assertNoResult(ended)
        self.assertEqual(len(self.collector.batches), 2)
        self.collector.answers[1].callback(None)
        self.successResultOf(ended)
        self.assertTrue(self.collector.closed)
        self.assertEqual(self.counts, (BATCH + 1, 0, 0))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_end_at_rest(self) -> None:
        """The end of one that has nothing comes at once; what comes then is lost."""
        self.successResultOf(self.exporter.stopService())
        self.fill()
        self.assertEqual(self.counts, (0, 0, 1))

    def test_end_of_patience(self) -> None:
        """The end does not wait for a collector that is slow."""
        self.fill(2 * BATCH)
        ended = self.exporter.stopService()
        self.clock.advance(LAST_SECONDS)
        self.successResultOf(ended)
        self.assertEqual(self.counts, (0, BATCH, BATCH))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_end_while_failing(self) -> None:
        """At the end a collector that fails gets no more than one batch."""
        self.fill(2 * BATCH)
        ended = self.exporter.stopService()
        self.collector.answers[0].errback(CollectorError("it answers 503"))
        self.successResultOf(ended)
        self.assertEqual(self.counts, (0, BATCH, BATCH))
