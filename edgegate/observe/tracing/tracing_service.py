"""Tracing put together of its parts: what makes spans, and what sends them."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from edgegate.model.tracing import SpanFormat, Tracing
from edgegate.observe.export.exporter import BatchExporter
from edgegate.observe.export.otlp import service_resource
from edgegate.observe.tracing.otlp import OTLPWriter
from edgegate.observe.tracing.sampling import Sampler
from edgegate.observe.tracing.tracer import SpanWriter, Tracer
from edgegate.observe.tracing.zipkin import ZipkinWriter


class TracingService(BatchExporter):
    """
    Sends the spans that its tracer makes, from the start of the gateway to its end.

    @ivar tracer: Is told of requests.
    """

    tracer: Tracer


def tracing_service(reactor: IReactorTime, tracing: Tracing | None) -> TracingService | None:
    """Return what traces requests, if they are to be traced."""
    if tracing is None:
        return None
    # what few need is not loaded by all
    from edgegate.observe.export.collector import HTTPCollector  # noqa: PLC0415

    provider = tracing.provider
    writer = _writer(tracing)
    collector = HTTPCollector(reactor, provider.url, writer.content_type, provider.timeout, provider.headers)
    service = TracingService(reactor, collector, writer)
    sampler = Sampler(tracing.sampling, tracing.by_request_id)
    service.tracer = Tracer(tracing, writer.span, service.add, sampler)
    return service


def _writer(tracing: Tracing) -> SpanWriter:
    if tracing.provider.format is SpanFormat.ZIPKIN:
        return ZipkinWriter(tracing.service)
    return OTLPWriter(service_resource(tracing.service, tracing.node))
