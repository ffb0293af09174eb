# Hot path: told of each request.
"""
Counts requests for Prometheus when they end; an C{edgegate.observe.observer.Observer}.

What a request is counted in hangs at it: the L{Meter} of its endpoint, or of
its cluster where none was chosen, and that of its port. So nothing is looked up
for a request that ends as the one before.

Numbers grow by C{numbers[place] = numbers[place] + more}: of C{+=} mypyc makes
an addition of Python's objects. What is 0 is not added.
"""

from __future__ import annotations

from time import monotonic
from typing import Final, Protocol

from edgegate.errors import BODY_TOO_LARGE, DURATION_EXCEEDED, FAULT_ABORT, INTERNAL, Fault, Source, response_flags
from edgegate.http.examples import SLOW, Examples
from edgegate.http.exchange import Exchange, HTTPFilters
from edgegate.http.grpc_messages import counted_status
from edgegate.observe.events import Ended
from edgegate.observe.metrics.buckets import bucket_of
from edgegate.observe.metrics.families import CLUSTERS, FAULTS, FILTERS, HTTP, REQUESTS
from edgegate.observe.metrics.meters import Meter, Meters, Series

NO_FLAGS: Final = "-"

DELAYED: Final = "DI"
"""The response flag of what the filter of faults has held back."""

# Places of the families' numbers; tests compare them with the tables. Behind the sum of a histogram are its buckets.
DURATION: Final = 1
REQUEST_BYTES: Final = 22
RESPONSE_BYTES: Final = 43

RETRIES: Final = 1
RETRY_SUCCESS: Final = 2
RECEIVED: Final = 13
SENT: Final = 14
STATUSES: Final = 15
UPSTREAM_TIME: Final = 20

BY_FLAG: Final = {"URX": 3, "UT": 4, "UR": 5, "DC": 6, "UO": 7, "UH": 8, "UC": 9}
"""The numbers of a cluster that count response flags."""

HTTP_TOTAL: Final = 1
HTTP_RESET: Final = 2
HTTP_TOO_LARGE: Final = 3
HTTP_NO_ROUTE: Final = 4
HTTP_RECEIVED: Final = 5
HTTP_SENT: Final = 6
HTTP_STATUSES: Final = 7
HTTP_TIME: Final = 12


class Tags(Protocol):
    """Says which labels requests have besides."""

    def of(self, exchange: Ended) -> tuple[str, ...]:
        """Return expressions and values by turns, for a request that has ended."""


class RequestMetrics:
    """
    Counts each request where it belongs.

    @ivar tags: L{None}: requests have no labels besides the usual ones.
    """

    __slots__ = ("_examples", "_fault", "_faults", "_meters", "tags")

    def __init__(self, meters: Meters, examples: Examples | None = None) -> None:
        """
        @param examples: Keep requests that failed, and slow ones.
        """
        self._meters = meters
        self.tags: Tags | None = None
        self._examples = Examples() if examples is None else examples
        # the one that was counted last, and its series
        self._fault: Fault = INTERNAL
        self._faults: Series = meters.series(FAULTS, (INTERNAL.reason, INTERNAL.flag))

    def request_ended(self, exchange: Ended) -> None:  # noqa: PLR0912, PLR0915 (each request goes through it)
        """A request ended."""
        assert isinstance(exchange, Exchange)
        now = monotonic()
        milliseconds = int((now - exchange.started) * 1000)
        bucket = bucket_of(milliseconds)
        status = exchange.status
        hundreds = status // 100 if 100 <= status < 600 else 0
        flags = NO_FLAGS
        if exchange.fault is not None or exchange.flags:
            flags = self._count_fault(exchange)
        bodies = exchange.bodies
        meter = exchange.meter
        if meter is None:
            meter = self._meters.unknown
        else:
            self._count_cluster(meter, exchange, flags, hundreds)
        if bodies is not None:
            grpc: str | None = bodies.grpc_status
        else:
            grpc = None if exchange.backend is not None else _own_grpc_status(exchange)
        series = (
            meter.requests(status, flags, grpc)
            if self.tags is None
            else meter.tagged(status, flags, grpc, self.tags.of(exchange))
        )
        received, sent = exchange.received, exchange.sent
        numbers = series.numbers
        numbers[0] = numbers[0] + 1
        place = DURATION + 1 + bucket
        numbers[place] = numbers[place] + 1
        if milliseconds:
            numbers[DURATION] = numbers[DURATION] + milliseconds
        place = REQUEST_BYTES + 1
        if received:
            place += bucket_of(received)
            numbers[REQUEST_BYTES] = numbers[REQUEST_BYTES] + received
        numbers[place] = numbers[place] + 1
        place = RESPONSE_BYTES + 1
        if sent:
            place += bucket_of(sent)
            numbers[RESPONSE_BYTES] = numbers[RESPONSE_BYTES] + sent
        numbers[place] = numbers[place] + 1
        trace = exchange.trace
        if trace is not None and trace.sampled:
            series.exemplars[bucket] = (trace.trace_id, milliseconds, now)
        if not series.touched:
            self._meters.touch(REQUESTS, series)
        if bodies is not None:
            meter.count_messages(bodies.request_messages, bodies.response_messages)
        if exchange.filters is not None:
            self._count_verdicts(exchange, exchange.filters)
        port = exchange.connection.meter
        if port is not None:
            self._count_port(port.requests, exchange, flags, hundreds, milliseconds, bucket)
        if exchange.status >= 500 or milliseconds >= SLOW or exchange.fault is not None:
            self._examples.note(exchange, milliseconds)

    def _count_port(
        self, port: Series, exchange: Exchange, flags: str, hundreds: int, milliseconds: int, bucket: int
    ) -> None:
        """Count what Envoy counts for a port."""
        numbers = port.numbers
        received, sent = exchange.received, exchange.sent
        numbers[HTTP_TOTAL] = numbers[HTTP_TOTAL] + 1
        if received:
            numbers[HTTP_RECEIVED] = numbers[HTTP_RECEIVED] + received
        if sent:
            numbers[HTTP_SENT] = numbers[HTTP_SENT] + sent
        if hundreds:
            place = HTTP_STATUSES - 1 + hundreds
            numbers[place] = numbers[place] + 1
        if milliseconds:
            numbers[HTTP_TIME] = numbers[HTTP_TIME] + milliseconds
        place = HTTP_TIME + 1 + bucket
        numbers[place] = numbers[place] + 1
        if flags != NO_FLAGS:
            self._count_flags(exchange, numbers, flags)
        if not port.touched:
            self._meters.touch(HTTP, port)

    def _count_cluster(self, meter: Meter, exchange: Exchange, flags: str, hundreds: int) -> None:
        """Count what Envoy counts for a cluster."""
        cluster = meter.cluster
        numbers = cluster.numbers
        attempts = exchange.attempts
        numbers[0] = numbers[0] + attempts
        if hundreds:
            place = STATUSES - 1 + hundreds
            numbers[place] = numbers[place] + 1
        spent = exchange.upstream_time
        if spent >= 0:
            received, sent = exchange.received, exchange.sent
            if sent:
                numbers[RECEIVED] = numbers[RECEIVED] + sent
            if received:
                numbers[SENT] = numbers[SENT] + received
            if spent:
                numbers[UPSTREAM_TIME] = numbers[UPSTREAM_TIME] + spent
            place = UPSTREAM_TIME + 1 + bucket_of(spent)
            numbers[place] = numbers[place] + 1
        if attempts > 1:
            numbers[RETRIES] = numbers[RETRIES] + attempts - 1
            if exchange.fault is None and exchange.status < 500:
                numbers[RETRY_SUCCESS] = numbers[RETRY_SUCCESS] + 1
        if flags != NO_FLAGS:
            for flag in flags.split(","):
                place = BY_FLAG.get(flag, 0)
                if place:
                    numbers[place] = numbers[place] + 1
        if not cluster.touched:
            self._meters.touch(CLUSTERS, cluster)

    def _count_verdicts(self, exchange: Exchange, filters: HTTPFilters) -> None:
        """Count what a route's filters made of a request; that they let it pass is not counted."""
        if exchange.flags and DELAYED in exchange.flags.split(","):
            self._meters.count(FILTERS, ("fault", "delayed"))
        name = filters.answering
        if name:
            verdict = verdict_of(exchange)
            if verdict:
                self._meters.count(FILTERS, (name, verdict))

    def _count_fault(self, exchange: Exchange) -> str:
        """Count why a request went wrong; return its response flags, with commas."""
        fault, others = exchange.fault, exchange.flags
        if fault is None:
            return others
        if others:
            flags = ",".join(response_flags(fault, others))
            self._meters.count(FAULTS, (fault.reason, flags))
            return flags
        if fault is not self._fault:
            self._fault, self._faults = fault, self._meters.series(FAULTS, (fault.reason, fault.flag))
        series = self._faults
        numbers = series.numbers
        numbers[0] = numbers[0] + 1
        if not series.touched:
            self._meters.touch(FAULTS, series)
        return fault.flag

    def _count_flags(self, exchange: Exchange, numbers: list[int], flags: str) -> None:
        """Count what Envoy counts of a port's requests that went wrong."""
        for flag in flags.split(","):
            if flag == "DC":
                numbers[HTTP_RESET] = numbers[HTTP_RESET] + 1
            elif flag == "NR":
                numbers[HTTP_NO_ROUTE] = numbers[HTTP_NO_ROUTE] + 1
        if exchange.fault is BODY_TOO_LARGE:
            numbers[HTTP_TOO_LARGE] = numbers[HTTP_TOO_LARGE] + 1


def verdict_of(exchange: Exchange) -> str:
    """Return what the filter said with which a request ended; empty: nothing, the request ended before it did."""
    fault = exchange.fault
    if fault is None:
        return "answered" if exchange.status < 400 else "denied"
    if fault is INTERNAL:
        return "failed"
    if fault.flag == FAULT_ABORT.flag:
        return "faulted"
    # a client that has left, or was too slow, while it was held
    return "" if fault.source is Source.DOWNSTREAM or fault.flag == DURATION_EXCEEDED.flag else "denied"


def _own_grpc_status(exchange: Exchange) -> str | None:
    """Return with which status of gRPC a request ended that no backend was asked for, as L{Meter.requests} wants it."""
    if not exchange.speaks_grpc:
        return None
    response = exchange.response
    if response is not None:
        for name, value in response.fields:
            if name == b"grpc-status":
                return counted_status(value)
    return ""
