"""
Takes records, such as spans, to a collector: many at a time, off the requests' way, and never more than so many bytes
of them wait.

A collector that is down, slow, or refuses costs no request anything: what it does not take is lost, and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from edgegate.observe.log_throttle import LogThrottle

log = Logger(namespace=__name__)

INTERVAL = 5.0
"""Seconds that a record waits for others, as spans do in Istio."""

BATCH = 512
"""Records that are sent at once, and without waiting for more."""

MOST_BYTES = 4 << 20
"""Bytes of records that wait at most, in a process."""

BATCH_BYTES = MOST_BYTES // 4
"""Bytes of records that are sent at once, unless one alone has more, and without waiting for more."""

LONGEST_PAUSE = 60.0
"""Seconds until a collector that failed is asked again, at most; they begin with L{INTERVAL} and double."""

LAST_SECONDS = 2.0
"""Seconds that the end of the gateway waits for the collector to take the last records."""

COMPLAINTS = 60.0
"""Seconds between two complaints that records are dropped."""


class CollectorError(Exception):
    """A collector did not take a batch; the text says why."""


class Collector(Protocol):
    """Where batches go; an L{edgegate.observe.export.collector.HTTPCollector}."""

    url: str

    def send(self, body: bytes) -> Deferred[None]:
        """
        Send a batch. It may be cancelled.

        @return: Fails with a L{CollectorError}, or whatever else went wrong; after a time in any case.
        """

    def close(self) -> Deferred[None]:
        """Leave no connection behind."""


class BatchWriter(Protocol):
    """Makes one message of many records."""

    def batch(self, records: Sequence[bytes]) -> bytes:
        """Return a batch."""


class BatchExporter(Service):
    """
    Sends records, one batch at a time, from the start of the gateway to its end.

    @ivar sent: Records that the collector has taken.
    @ivar failed: Those that were sent, and that it has not taken.
    @ivar dropped: Those that were not sent: too many waited, or the gateway ended.
    @ivar batches: Requests that were made to it.
    """

    def __init__(
        self,
        clock: IReactorTime,
        collector: Collector,
        writer: BatchWriter,
        interval: float = INTERVAL,
        what: str = "traces",
        records: str = "spans",
    ) -> None:
        """
        @param interval: Seconds that a record waits for others.
        @param what: What is sent, as the log calls it; C{records}: what it is made of.
        """
        self.sent = self.failed = self.dropped = self.batches = 0
        self._clock = clock
        self._collector = collector
        self._writer = writer
        self._interval = interval
        self._what = what
        self._records = records
        self._waiting: list[bytes] = []
        self._bytes = 0
        self._timer: IDelayedCall | None = None
        self._sending: Deferred[None] | None = None
        self._pause = 0.0
        self._ended: Deferred[None] | None = None
        self._complaints = LogThrottle(COMPLAINTS)

    def outcomes(self) -> tuple[tuple[str, int], ...]:
        """Return what has become of records so far, with how many."""
        return ("sent", self.sent), ("failed", self.failed), ("dropped", self.dropped)

    def add(self, record: bytes) -> None:
        """Take a record, as its writer has written it; one too many is lost."""
        if self._bytes + len(record) > MOST_BYTES or self._ended is not None:
            self.dropped += 1
            if self._ended is None and self._complaints.due(None, self._clock.seconds()) is not None:
                words = "too many {records} wait for {url}: others are dropped"
                log.warn(words, records=self._records, url=self._collector.url)  # noqa: G010
            return
        self._waiting.append(record)
        self._bytes += len(record)
        if self._sending is None:
            if self._timer is None:
                self._timer = self._clock.callLater(self._interval, self._send)
            elif self._whole and not self._pause:
                self._timer.reset(0)

    def stopService(self) -> Deferred[None]:
        """
        Send what is left.

        @return: Fires when that was taken, or was not, or after L{LAST_SECONDS}.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        ended: Deferred[None] = Deferred(lambda _: self._give_up())
        self._ended = ended
        if self._sending is None:
            self._go_on()
        ended.addTimeout(LAST_SECONDS, self._clock)
        ended.addErrback(lambda _: None)
        return ended.addCallback(lambda _: self._collector.close())

    # ------------------------------------------------------------------------------------------------------------------

    @property
    def _whole(self) -> bool:
        """Whether a whole batch waits."""
        return len(self._waiting) >= BATCH or self._bytes >= BATCH_BYTES

    def _take(self) -> list[bytes]:
        """Take a batch of what waits."""
        size = 0
        records: list[bytes] = []
        for record in self._waiting[:BATCH]:
            if records and size + len(record) > BATCH_BYTES:
                break
            size += len(record)
            records.append(record)
        del self._waiting[: len(records)]
        self._bytes -= size
        return records

    def _send(self) -> None:
        """Send a batch."""
        self._timer = None
        records = self._take()
        self.batches += 1
        try:
            sending = self._collector.send(self._writer.batch(records))
        except Exception:
            sending = fail()
        self._sending = sending
        sending.addCallbacks(self._taken, self._lost, (len(records),), errbackArgs=(len(records),))
        sending.addBoth(lambda _: self._go_on())

    def _taken(self, _: None, count: int) -> None:
        self.sent += count
        if self._pause:
            self._pause = 0.0
            log.info("{what} are sent to {url} again", what=self._what, url=self._collector.url)

    def _lost(self, failure: Failure, count: int) -> None:
        self.failed += count
        if not self._pause:
            words = "{what} can't be sent to {url}, {records} are lost meanwhile: {reason}"
            log.warn(words, what=self._what, url=self._collector.url, records=self._records, reason=_reason(failure))  # noqa: G010
        self._pause = min(max(2 * self._pause, INTERVAL), LONGEST_PAUSE)

    def _go_on(self) -> None:
        """The batch before is over: arrange for the next."""
        self._sending = None
        ended = self._ended
        if ended is None:
            if self._waiting:
                at_once = self._whole and not self._pause
                self._timer = self._clock.callLater(0 if at_once else self._pause or self._interval, self._send)
        elif self._waiting and not self._pause:
            self._send()
        else:
            self.dropped += len(self._waiting)
            self._waiting = []
            if not ended.called:
                ended.callback(None)

    def _give_up(self) -> None:
        """The gateway's end waits no longer."""
        self._pause = self._pause or INTERVAL
        if self._sending is not None:
            self._sending.cancel()


def _reason(failure: Failure) -> str:
    """Return what went wrong, in a line."""
    return failure.getErrorMessage() or type(failure.value).__name__
