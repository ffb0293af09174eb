"""Tracing put together of its parts: what makes spans, and what sends them, as options and files say."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime

from edgegate.model.tracing import DeclaredTracing, Propagation, SpanFormat, Tracing
from edgegate.observe.export.exporter import BatchExporter
from edgegate.observe.export.otlp import service_resource
from edgegate.observe.tracing.otlp import OTLPWriter
from edgegate.observe.tracing.sampling import Sampler
from edgegate.observe.tracing.tracer import SpanWriter, Tracer
from edgegate.observe.tracing.wanted import TracingOptions, wanted_tracing
from edgegate.observe.tracing.zipkin import ZipkinWriter


class TracingService(Service):
    """
    Has requests be traced, from the start of the gateway to its end.

    What waits for a collector stays as long as spans go there: other files may change anything else. One that spans go
    to no longer gets what waits for it, as at the end.

    @ivar trace_by: Is told who traces from now on; L{None}: nobody does.
    @ivar tracer: Who does.
    """

    def __init__(
        self, reactor: IReactorTime, asked: TracingOptions, environment: Mapping[str, str] = os.environ
    ) -> None:
        """
        @param environment: The process's.
        """
        self.trace_by: Callable[[Tracer | None], None] = _nobody_listens
        self.tracer: Tracer | None = None
        self._reactor = reactor
        self._asked = asked
        self._environment = environment
        self._wanted: Tracing | None = None
        self._writer: SpanWriter | None = None
        self._exporter: BatchExporter | None = None
        self._left: dict[BatchExporter, Deferred[None]] = {}  # whose last spans are being sent
        self._gone: dict[str, int] = {}  # what has become of the spans of those that have ended

    def use(self, declared: DeclaredTracing | None) -> None:
        """
        Trace as is wanted from now on.

        @param declared: What the files say; L{None}: nothing.
        """
        wanted = wanted_tracing(self._asked, declared)
        if wanted == self._wanted:
            return
        if wanted is None or self._wanted is None or _sent(wanted) != _sent(self._wanted):
            self._leave()
        if wanted is None:
            self.tracer = None
        else:
            if self._exporter is None:
                self._send_to(wanted)
            assert self._writer is not None
            assert self._exporter is not None
            sampler = Sampler(wanted.sampling, wanted.by_request_id)
            self.tracer = Tracer(wanted, self._writer.span, self._exporter.add, sampler)
        self._wanted = wanted
        self.trace_by(self.tracer)

    def outcomes(self) -> tuple[tuple[str, int], ...]:
        """Return what has become of spans so far, with how many; nothing where none was ever wanted."""
        counts = dict(self._gone)
        for exporter in (self._exporter, *self._left):
            if exporter is not None:
                _add(counts, exporter)
        return tuple(counts.items())

    def stopService(self) -> Deferred[None]:
        """
        Send what is left; requests that end from now on leave no spans.

        @return: Fires when that was taken, or was not, which takes seconds at most.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        self._leave()
        return DeferredList(list(self._left.values())).addCallback(lambda _: None)

    # ------------------------------------------------------------------------------------------------------------------

    def _send_to(self, tracing: Tracing) -> None:
        # what few need is not loaded by all
        from edgegate.observe.export.collector import HTTPCollector  # noqa: PLC0415

        provider = tracing.provider
        self._writer = writer = _writer(tracing)
        headers = list(provider.headers)
        for name, variable in provider.environment_headers:
            value = self._environment.get(variable)
            if value is not None:
                headers.append((name, value))
        collector = HTTPCollector(self._reactor, provider.url, writer.content_type, provider.timeout, headers)
        self._exporter = BatchExporter(self._reactor, collector, writer)

    def _leave(self) -> None:
        """Send what waits for a collector, and nothing more."""
        exporter, self._exporter = self._exporter, None
        if exporter is not None:
            ended = self._left[exporter] = exporter.stopService()
            ended.addBoth(lambda _: self._forget(exporter))

    def _forget(self, exporter: BatchExporter) -> None:
        if self._left.pop(exporter, None) is not None:
            _add(self._gone, exporter)


def _nobody_listens(_: Tracer | None) -> None:
    """There is nothing that could be traced yet."""


def _add(counts: dict[str, int], exporter: BatchExporter) -> None:
    for outcome, spans in exporter.outcomes():
        counts[outcome] = counts.get(outcome, 0) + spans


def _sent(tracing: Tracing) -> tuple[object, ...]:
    """Return where spans go, and what their batches say."""
    return replace(tracing.provider, propagation=Propagation.W3C), tracing.service, tracing.node


def _writer(tracing: Tracing) -> SpanWriter:
    if tracing.provider.format is SpanFormat.ZIPKIN:
        return ZipkinWriter(tracing.service)
    return OTLPWriter(service_resource(tracing.service, tracing.node))
