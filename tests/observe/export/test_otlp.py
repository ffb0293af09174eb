"""Tests of L{edgegate.observe.export.otlp}: what OpenTelemetry's own messages read of it."""

from __future__ import annotations

import os

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope, KeyValue
from twisted.trial.unittest import SynchronousTestCase

from edgegate import __version__
from edgegate.observe.export.otlp import OTLPBatches, attribute, service_resource
from edgegate.protobuf.writing import bytes_field, text_field


class OTLPBatchesTests(SynchronousTestCase):
    """What a collector reads, of traces as of logs."""

    def setUp(self) -> None:
        """Make what writes batches."""
        self.batches = OTLPBatches([("service.name", "edge"), ("long", "x" * 200)])

    def test_traces(self) -> None:
        """A batch is of one service and one library, and has all spans."""
        found = ExportTraceServiceRequest()
        found.ParseFromString(self.batches.batch([bytes_field(2, text_field(5, name)) for name in ("one", "two")]))
        (resource,) = found.resource_spans
        (scope,) = resource.scope_spans
        self.assertEqual(
            [(each.key, each.value.string_value) for each in resource.resource.attributes],
            [("service.name", "edge"), ("long", "x" * 200)],
        )
        self.assertEqual(scope.scope, InstrumentationScope(name="edgegate", version=__version__))
        self.assertEqual([each.name for each in scope.spans], ["one", "two"])

    def test_logs(self) -> None:
        """Logs have the same shape."""
        found = ExportLogsServiceRequest()
        found.ParseFromString(self.batches.batch([bytes_field(2, bytes_field(5, text_field(1, "a line")))]))
        (resource,) = found.resource_logs
        (scope,) = resource.scope_logs
        self.assertEqual(len(resource.resource.attributes), 2)
        self.assertEqual(scope.scope.name, "edgegate")
        self.assertEqual([each.body.string_value for each in scope.log_records], ["a line"])

    def test_attributes(self) -> None:
        """Texts of any length are read as they were; what no UTF-8 can say is escaped."""
        for text, read in (("", ""), ("é" * 60, "é" * 60), ("x" * 20_000, "x" * 20_000), ("a\ud800", "a\\ud800")):
            message = attribute(15, "key", text)
            # its number and length stand before it
            found = KeyValue()
            found.ParseFromString(message[message.index(b"\x0a\x03key") :])
            self.assertEqual((found.key, found.value.string_value), ("key", read))

    def test_resource(self) -> None:
        """Processes of one machine are told apart; without its name nothing is said of either."""
        self.assertEqual(
            service_resource("edge", "here"),
            [("service.name", "edge"), ("service.instance.id", f"here:{os.getpid()}"), ("host.name", "here")],
        )
        self.assertEqual(service_resource("edge", ""), [("service.name", "edge")])
