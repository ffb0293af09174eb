# Hot path: told of each request.
"""
Counts requests for Prometheus when they end; an C{edgegate.observe.observer.Observer}.

What a request is counted in hangs at it: the L{Meter} of its endpoint, or of
its cluster where none was chosen, and that of its port. So nothing is looked up
for a request that ends as the one before.
"""

from __future__ import annotations

from time import monotonic
from typing import Final, Protocol

from edgegate.errors import BODY_TOO_LARGE, response_flags
from edgegate.http.exchange import Exchange
from edgegate.http.grpc_messages import counted_status
from edgegate.observe.events import Ended
from edgegate.observe.metrics.buckets import bucket_of
from edgegate.observe.metrics.families import CLUSTERS, FAULTS, HTTP, REQUESTS
from edgegate.observe.metrics.meters import Meter, Meters

NO_FLAGS: Final = "-"

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

    __slots__ = ("_meters", "tags")

    def __init__(self, meters: Meters) -> None:
        self._meters = meters
        self.tags: Tags | None = None

    def request_ended(self, exchange: Ended) -> None:
        """A request ended."""
        assert isinstance(exchange, Exchange)
        milliseconds = int((monotonic() - exchange.started) * 1000)
        bucket = bucket_of(milliseconds)
        flags = NO_FLAGS
        if exchange.fault is not None or exchange.flags:
            flags = self._count_fault(exchange)
        bodies = exchange.bodies
        meter = exchange.meter
        if meter is None:
            meter = self._meters.unknown
        else:
            self._count_cluster(meter, exchange, flags)
        if bodies is not None:
            grpc: str | None = bodies.grpc_status
        else:
            grpc = None if exchange.backend is not None else _own_grpc_status(exchange)
        tags, status = self.tags, exchange.status
        series = (
            meter.requests(status, flags, grpc)
            if tags is None
            else meter.tagged(status, flags, grpc, tags.of(exchange))
        )
        numbers = series.numbers
        received, sent = exchange.received, exchange.sent
        numbers[0] += 1
        numbers[DURATION] += milliseconds
        numbers[DURATION + 1 + bucket] += 1
        numbers[REQUEST_BYTES] += received
        numbers[REQUEST_BYTES + 1 + bucket_of(received)] += 1
        numbers[RESPONSE_BYTES] += sent
        numbers[RESPONSE_BYTES + 1 + bucket_of(sent)] += 1
        if not series.touched:
            self._meters.touch(REQUESTS, series)
        if bodies is not None:
            meter.count_messages(bodies.request_messages, bodies.response_messages)
        port = exchange.connection.meter
        if port is not None:
            numbers = port.requests.numbers
            numbers[HTTP_TOTAL] += 1
            numbers[HTTP_RECEIVED] += received
            numbers[HTTP_SENT] += sent
            if 100 <= exchange.status < 600:
                numbers[HTTP_STATUSES - 1 + exchange.status // 100] += 1
            numbers[HTTP_TIME] += milliseconds
            numbers[HTTP_TIME + 1 + bucket] += 1
            if flags != NO_FLAGS:
                self._count_flags(exchange, numbers, flags)
            if not port.requests.touched:
                self._meters.touch(HTTP, port.requests)

    def _count_cluster(self, meter: Meter, exchange: Exchange, flags: str) -> None:
        """Count what Envoy counts for a cluster."""
        cluster = meter.cluster
        numbers = cluster.numbers
        attempts = exchange.attempts
        numbers[0] += attempts
        if 100 <= exchange.status < 600:
            numbers[STATUSES - 1 + exchange.status // 100] += 1
        spent = exchange.upstream_time
        if spent >= 0:
            numbers[RECEIVED] += exchange.sent
            numbers[SENT] += exchange.received
            numbers[UPSTREAM_TIME] += spent
            numbers[UPSTREAM_TIME + 1 + bucket_of(spent)] += 1
        if attempts > 1:
            numbers[RETRIES] += attempts - 1
            if exchange.fault is None and exchange.status < 500:
                numbers[RETRY_SUCCESS] += 1
        if flags != NO_FLAGS:
            for flag in flags.split(","):
                place = BY_FLAG.get(flag)
                if place is not None:
                    numbers[place] += 1
        if not cluster.touched:
            self._meters.touch(CLUSTERS, cluster)

    def _count_fault(self, exchange: Exchange) -> str:
        """Count why a request went wrong; return its response flags, with commas."""
        fault = exchange.fault
        flags = ",".join(response_flags(fault, exchange.flags)) or NO_FLAGS
        if fault is not None:
            self._meters.count(FAULTS, (fault.reason, flags))
        return flags

    def _count_flags(self, exchange: Exchange, numbers: list[int], flags: str) -> None:
        """Count what Envoy counts of a port's requests that went wrong."""
        for flag in flags.split(","):
            if flag == "DC":
                numbers[HTTP_RESET] += 1
            elif flag == "NR":
                numbers[HTTP_NO_ROUTE] += 1
        if exchange.fault is BODY_TOO_LARGE:
            numbers[HTTP_TOO_LARGE] += 1


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
