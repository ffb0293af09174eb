"""Tests of L{edgegate.observe.tracing.tracing_service}."""

from __future__ import annotations

import os
import pickle

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.tracing import CustomTag, SpanFormat, TagSource, Tracing, TracingProvider
from edgegate.observe.observers import Observers
from edgegate.observe.tracing.otlp import OTLPWriter
from edgegate.observe.tracing.tracing_service import TracingService, _writer, tracing_service


def tracing(form: SpanFormat = SpanFormat.OTLP, node: str = "here") -> Tracing:
    """Return how requests are traced."""
    tags = (CustomTag("a", TagSource.LITERAL, "b"),)
    return Tracing(TracingProvider(form, "http://collector.example/"), 100, service="edge", node=node, tags=tags)


class TracingServiceTests(SynchronousTestCase):
    """What is made of values."""

    def test_off(self) -> None:
        """Where nothing is to be traced there is nothing."""
        self.assertIsNone(tracing_service(Clock(), None))
        self.assertIsNone(Observers([]).tracer)

    def test_made(self) -> None:
        """Observers find the tracer."""
        service = tracing_service(Clock(), tracing())
        assert isinstance(service, TracingService)
        self.assertIs(Observers([service.tracer]).tracer, service.tracer)

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
        self.assertEqual(pickle.loads(pickle.dumps(tracing())), tracing())
