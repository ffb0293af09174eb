"""Tests of L{edgegate.observe.tracing.tracing_service}."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from dataclasses import replace

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.tracing import (
    CustomTag,
    DeclaredTracing,
    Propagation,
    SpanFormat,
    TagSource,
    Tracing,
    TracingProvider,
)
from edgegate.observe.export.exporter import INTERVAL, LAST_SECONDS
from edgegate.observe.tracing.otlp import OTLPWriter
from edgegate.observe.tracing.trace import Trace
from edgegate.observe.tracing.tracer import Tracer
from edgegate.observe.tracing.tracing_service import TracingService, _writer
from edgegate.observe.tracing.wanted import TracingOptions

PROVIDER = TracingProvider(SpanFormat.OTLP, "http://127.0.0.1:4318/v1/traces")
SAID = DeclaredTracing(PROVIDER, sampling=100)
ID = b"693bb3ac-4ad5-4986-9759-b309b682fc52"


def tracing(form: SpanFormat = SpanFormat.OTLP, node: str = "here") -> Tracing:
    """Return how requests are traced."""
    tags = (CustomTag("a", TagSource.LITERAL, "b"),)
    return Tracing(TracingProvider(form, "http://collector.example/"), 100, service="edge", node=node, tags=tags)


class WriterTests(SynchronousTestCase):
    """What writes spans."""

    def test_resource(self) -> None:
        """OTLP says which service and which of its processes has made the spans."""
        for node, expected in (
            ("here", {"service.name": "edge", "service.instance.id": f"here:{os.getpid()}", "host.name": "here"}),
            ("", {"service.name": "edge"}),
        ):
            writer = _writer(tracing(node=node))
            assert isinstance(writer, OTLPWriter)
            request = ExportTraceServiceRequest()
            request.ParseFromString(writer.batch([]))
            attributes = request.resource_spans[0].resource.attributes
            self.assertEqual({each.key: each.value.string_value for each in attributes}, expected)

    def test_zipkin(self) -> None:
        """Zipkin gets JSON."""
        self.assertEqual(_writer(tracing(SpanFormat.ZIPKIN)).content_type, "application/json")

    def test_pickled(self) -> None:
        """The values can be sent to another process."""
        for value in (tracing(), SAID):
            self.assertEqual(pickle.loads(pickle.dumps(value)), value)


class TracingServiceTests(SynchronousTestCase):
    """Who traces, as options and files say."""

    def serve(self, asked: TracingOptions | None = None, environment: Mapping[str, str] = {}) -> TracingService:
        """Return a service; C{told} is who it has told of tracers."""
        self.reactor = MemoryReactorClock()
        self.told: list[Tracer | None] = []
        service = TracingService(self.reactor, asked or TracingOptions(), environment)  # type: ignore[arg-type]
        service.trace_by = self.told.append
        service.startService()  # type: ignore[no-untyped-call]
        return service

    def ends(self, service: TracingService) -> None:
        """Have a request end that is traced: a copy, which needs no exchange."""
        tracer = service.tracer
        assert tracer is not None
        trace = tracer.begin([], ID)
        assert isinstance(trace, Trace)
        tracer.shadow_ended(trace, b"0" * 15 + b"1", "c", 0.0, None, 200)

    def sent(self) -> list[tuple[str, int, bytes]]:
        """Return what was sent to whom over new connections."""
        found = []
        for host, port, factory, _, _ in self.reactor.tcpClients:
            protocol = factory.buildProtocol(None)
            transport = StringTransport()
            protocol.makeConnection(transport)
            found.append((host, port, transport.value()))
        self.reactor.tcpClients.clear()
        return found

    def test_nothing(self) -> None:
        """Where nobody wants it nothing is traced, and there is nothing to count."""
        service = self.serve()
        service.use(None)
        service.use(DeclaredTracing(sampling=100))
        self.assertEqual((service.tracer, self.told, service.outcomes()), (None, [], ()))
        self.successResultOf(service.stopService())

    def test_reload(self) -> None:
        """Other shares and tags are another tracer; what waits is sent with what comes."""
        service = self.serve()
        service.use(SAID)
        self.ends(service)
        service.use(replace(SAID, sampling=50.0, tags=(CustomTag("a", TagSource.LITERAL, "b"),)))
        service.use(replace(SAID, provider=replace(PROVIDER, propagation=Propagation.B3), sampling=100))
        self.ends(service)
        self.assertEqual(len(set(self.told)), 3)
        self.reactor.advance(INTERVAL)
        ((host, port, request),) = self.sent()
        self.assertEqual((host, port), ("127.0.0.1", 4318))
        message = ExportTraceServiceRequest()
        message.ParseFromString(request.partition(b"\r\n\r\n")[2])
        self.assertEqual(len(message.resource_spans[0].scope_spans[0].spans), 2)

    def test_unchanged(self) -> None:
        """Files that say the same change nothing."""
        service = self.serve()
        service.use(SAID)
        service.use(replace(SAID, origin=None))
        self.assertEqual(len(self.told), 1)

    def test_another_collector(self) -> None:
        """What waits for a collector that is left goes there, at once; what became of it still counts."""
        service = self.serve()
        service.use(SAID)
        self.ends(service)
        service.use(replace(SAID, provider=replace(PROVIDER, url="http://127.0.0.1:9/x")))
        self.ends(service)
        self.assertEqual([each[:2] for each in self.sent()], [("127.0.0.1", 4318)])
        self.reactor.advance(INTERVAL)
        self.assertEqual([each[:2] for each in self.sent()], [("127.0.0.1", 9)])
        # neither answers
        self.assertEqual(dict(service.outcomes()), {"sent": 0, "failed": 1, "dropped": 0})

    def test_off_and_end(self) -> None:
        """Files that turn it off leave nobody who traces; the end waits for what is being sent, for a while."""
        service = self.serve()
        service.use(SAID)
        self.ends(service)
        service.use(replace(SAID, disabled=True))
        self.assertIsNone(self.told[-1])
        ended = service.stopService()
        self.assertNoResult(ended)
        self.reactor.advance(LAST_SECONDS)
        self.successResultOf(ended)
        self.assertEqual(dict(service.outcomes()), {"sent": 0, "failed": 1, "dropped": 0})

    def test_headers(self) -> None:
        """A collector gets headers, whose values may be in the environment."""
        named = replace(PROVIDER, headers=(("x-a", "b"),), environment_headers=(("x-t", "TOKEN"), ("x-u", "NONE")))
        service = self.serve(TracingOptions(named, 100), {"TOKEN": "secret"})
        service.use(None)
        self.ends(service)
        self.reactor.advance(INTERVAL)
        ((_, _, request),) = self.sent()
        lines = request.partition(b"\r\n\r\n")[0].lower().split(b"\r\n")
        self.assertIn(b"x-a: b", lines)
        self.assertIn(b"x-t: secret", lines)
        self.assertFalse(any(line.startswith(b"x-u") for line in lines))
