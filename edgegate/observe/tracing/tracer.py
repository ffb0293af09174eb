# Hot path: begins the trace of each request.
"""Traces requests: decides which, and makes the spans of those when they have ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic, time
from typing import Final, Protocol

from edgegate.model.tracing import Tracing
from edgegate.observe.events import Ended
from edgegate.observe.tracing.context import Field
from edgegate.observe.tracing.operation import operation, upstream_operation
from edgegate.observe.tracing.sampling import Sampler
from edgegate.observe.tracing.span import Span
from edgegate.observe.tracing.tags import Tags
from edgegate.observe.tracing.trace import Propagator, Trace

_CLIENT_TRACE: Final = b"x-client-trace-id"
"""By this a client has its request traced (Envoy)."""


class SpanWriter(Protocol):
    """Writes spans as a collector reads them."""

    @property
    def content_type(self) -> str:
        """Of what is sent."""

    def span(self, span: Span) -> bytes:
        """Return a span as it stands in a batch."""

    def batch(self, spans: Sequence[bytes]) -> bytes:
        """Return a batch."""


class Tracer:
    """
    An L{edgegate.observe.observer.Observer} that is asked for the traces of requests when they begin.

    A span is written at once, when its request has ended: what waits for the collector is bytes, and no request stays
    in memory for it.
    """

    __slots__ = ("_propagator", "_sampler", "_send", "_tags", "_write")

    def __init__(
        self, tracing: Tracing, write: Callable[[Span], bytes], send: Callable[[bytes], None], sampler: Sampler
    ) -> None:
        """
        @param write: Returns a span as it stands in a batch.
        @param send: Takes it, and neither waits nor fails.
        """
        self._propagator = Propagator(tracing.provider.propagation, tracing.propagates)
        self._sampler = sampler
        self._tags = Tags(tracing)
        self._write = write
        self._send = send

    def begin(self, fields: Sequence[Field], request_id: bytes) -> Trace:
        """
        Return the trace of a request: the one that its fields tell of, or a new one.

        @param request_id: The one that it has, or is given.
        """
        propagator, sampler = self._propagator, self._sampler
        carried = forced = False
        for name, _ in fields:
            if name in propagator.names:
                carried = True
            elif name == _CLIENT_TRACE:
                forced = True
        context = propagator.read(fields) if carried else None
        decided = None if context is None else context.sampled
        sampled = forced or sampler.traced(request_id) if decided is None else decided
        return Trace(propagator, context, carried, sampled, sampler.marked(request_id, sampled, forced))

    def request_ended(self, exchange: Ended) -> None:
        """Make the spans of a request, if it is sampled."""
        trace = exchange.trace
        if trace is None or not trace.sampled:
            return
        now = monotonic()
        # of the same moment by both clocks
        ahead = time() - now
        tries, trace.tries = trace.tries, []
        common = self._tags.common
        tags, error = self._tags.of_request(exchange, trace)
        started, ended = _nanoseconds(exchange.started + ahead), _nanoseconds(now + ahead)
        name = operation(exchange)
        span = Span(
            trace.trace_id, trace.span_id, trace.parent_id, trace.state, name, True, started, ended, tags, error, common
        )
        self._send(self._write(span))
        for tried in tries:
            # one after whose response another try was to be made has ended with its head
            last = tried is tries[-1] and tried.status != 0 and not tried.retried
            tags, error = self._tags.of_try(exchange, trace, tried, last)
            span = Span(
                trace.trace_id,
                tried.span_id,
                trace.span_id,
                trace.state,
                upstream_operation(exchange.cluster),
                False,
                _nanoseconds(tried.started + ahead),
                ended if last else _nanoseconds(tried.ended + ahead),
                tags,
                error,
                common,
            )
            self._send(self._write(span))

    def shadow_ended(
        self, trace: Trace, span_id: bytes, cluster: str, started: float, endpoint: object, status: int
    ) -> None:
        """
        Make the span of a request's copy.

        @param cluster: The name of the mirror's.
        @param started: When it began, in seconds of C{monotonic}.
        @param endpoint: The address of the mirror; L{None}: none was asked.
        @param status: Of its response, or 0.
        """
        now = monotonic()
        ahead = time() - now
        tags, error = self._tags.of_shadow(cluster, endpoint, status)
        name, began = f"async {cluster} egress", _nanoseconds(started + ahead)
        span = Span(
            trace.trace_id,
            span_id,
            trace.span_id,
            trace.state,
            name,
            False,
            began,
            _nanoseconds(now + ahead),
            tags,
            error,
            self._tags.common,
        )
        self._send(self._write(span))


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e6) * 1000
