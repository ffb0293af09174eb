# Hot path: called for each request where requests are traced.
"""The trace of a request in HTTP: taken from its head, and told to each backend."""

from __future__ import annotations

from functools import partial
from time import monotonic

from edgegate.http.exchange import Exchange
from edgegate.http.field_block import FieldBlock
from edgegate.http.router.shadow import Shadow
from edgegate.http.router.upstream_callbacks import UpstreamCallbacks
from edgegate.observe.tracing.trace import Trace, new_span_id
from edgegate.observe.tracing.tracer import Tracer


def begin_trace(exchange: Exchange, tracer: Tracer) -> None:
    """Begin the trace of a request, whose id tells from then on whether it is sampled."""
    head = exchange.head
    exchange.trace = trace = tracer.begin(head.fields, exchange.client.request_id(head))
    exchange.request_id = trace.request_id


def trace_request(request: UpstreamCallbacks, trace: Trace, changed: bool) -> None:
    """
    Have a backend be told of the trace, in place of what the client has said of one.

    @param changed: Whether the head may have more than the client's fields.
    """
    if trace.propagator.writes and (trace.carried or changed):
        request.head = request.head.without(trace.propagator.names)
    trace_try(request, trace)


def trace_try(request: UpstreamCallbacks, trace: Trace) -> None:
    """Begin the span of a try, and have its backend be told."""
    fields = trace.begin_try()
    request.context = FieldBlock(*fields) if fields else None


def trace_check(request: UpstreamCallbacks, trace: Trace) -> bytes:
    """Have a service that is asked about a request be told of the trace; return the id of the span of that."""
    span_id, propagator = new_span_id(), trace.propagator
    if propagator.writes:
        request.head = request.head.without(propagator.names)
        request.context = FieldBlock(*propagator.write(trace, span_id))
    return span_id


def trace_shadow(shadow: Shadow, trace: Trace, cluster: str, tracer: Tracer | None) -> None:
    """
    Have a mirror be told of the trace, and the copy be a span of its own: it may last longer than its request.

    @param cluster: The name of the mirror's.
    """
    span_id, propagator = new_span_id(), trace.propagator
    if propagator.writes:
        shadow.context = FieldBlock(*propagator.write(trace, span_id))
    if trace.sampled and tracer is not None:
        shadow.on_end = partial(tracer.shadow_ended, trace, span_id, cluster, monotonic())
