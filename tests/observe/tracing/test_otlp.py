"""Tests of L{edgegate.observe.tracing.otlp}: what OpenTelemetry's own messages read of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from twisted.trial.unittest import SynchronousTestCase

from edgegate import __version__
from edgegate.observe.tracing.otlp import OTLPWriter
from edgegate.observe.tracing.span import Span

TRACE, ONE, TWO = b"4bf92f3577b34da6a3ce929d0e0e4736", b"00f067aa0ba902b7", b"00f067aa0ba902b8"


def span(
    trace_id: bytes = TRACE,
    parent_id: bytes = b"",
    state: bytes = b"",
    name: str = "web:80/*",
    server: bool = True,
    tags: list[tuple[str, str]] | None = None,
    error: bool = False,
    common: list[tuple[str, str]] | None = None,
) -> Span:
    """Return a span of a second."""
    return Span(trace_id, ONE, parent_id, state, name, server, 10**18, 10**18 + 10**9, tags or [], error, common or [])


class OTLPTests(SynchronousTestCase):
    """What a collector reads."""

    def setUp(self) -> None:
        """Make a writer."""
        self.writer = OTLPWriter([("service.name", "gateway"), ("host.name", "here")])

    def read(self, *spans: Span) -> ExportTraceServiceRequest:
        """Write a batch, and read it."""
        found = ExportTraceServiceRequest()
        found.ParseFromString(self.writer.batch([self.writer.span(each) for each in spans]))
        return found

    def test_batch(self) -> None:
        """A batch is of one service and one library, and has all spans in their order."""
        (resource,) = self.read(span(), span(name="other")).resource_spans
        self.assertEqual(
            [(each.key, each.value.string_value) for each in resource.resource.attributes],
            [("service.name", "gateway"), ("host.name", "here")],
        )
        (scope,) = resource.scope_spans
        self.assertEqual((scope.scope.name, scope.scope.version), ("edgegate", __version__))
        self.assertEqual([each.name for each in scope.spans], ["web:80/*", "other"])

    def test_span(self) -> None:
        """All that a span has is where it belongs."""
        written = span(parent_id=TWO, state=b"a=1", server=False, tags=[("a", "b"), ("c", "")], error=True)
        (found,) = self.read(written).resource_spans[0].scope_spans[0].spans
        self.assertEqual((found.trace_id.hex().encode(), found.span_id.hex().encode()), (TRACE, ONE))
        self.assertEqual((found.parent_span_id.hex().encode(), found.trace_state), (TWO, "a=1"))
        self.assertEqual((found.start_time_unix_nano, found.end_time_unix_nano), (10**18, 10**18 + 10**9))
        self.assertEqual((found.kind, found.status.code), (ProtoSpan.SPAN_KIND_CLIENT, Status.STATUS_CODE_ERROR))
        self.assertEqual([(each.key, each.value.string_value) for each in found.attributes], [("a", "b"), ("c", "")])

    def test_least(self) -> None:
        """What a span has not is not there; a short id of B3 is filled up."""
        (found,) = self.read(span(trace_id=ONE)).resource_spans[0].scope_spans[0].spans
        self.assertEqual(found.trace_id.hex().encode(), b"0" * 16 + ONE)
        self.assertEqual((found.parent_span_id, found.trace_state, found.HasField("status")), (b"", "", False))
        self.assertEqual(found.kind, ProtoSpan.SPAN_KIND_SERVER)

    def test_common(self) -> None:
        """Tags that all spans have stand before their own; those of other files replace them."""
        first, second = [("zone", "z1"), ("node_id", "here")], [("zone", "z2")]
        written = [span(tags=[("a", "b")], common=common) for common in (first, first, second, first)]
        spans = self.read(*written).resource_spans[0].scope_spans[0].spans
        found = [[(each.key, each.value.string_value) for each in one.attributes] for one in spans]
        own = [("a", "b")]
        self.assertEqual(found, [first + own, first + own, second + own, first + own])

    @given(st.lists(st.tuples(st.text(max_size=300), st.text(max_size=20_000)), max_size=20))
    def test_texts(self, tags: list[tuple[str, str]]) -> None:
        """Texts of any length are read as they were; what no UTF-8 can say is escaped."""
        (found,) = self.read(span(tags=tags)).resource_spans[0].scope_spans[0].spans
        self.assertEqual([(each.key, each.value.string_value) for each in found.attributes], tags)

    def test_surrogates(self) -> None:
        """What UTF-8 can't say is escaped, so that the batch can be read."""
        (found,) = self.read(span(name="a\ud800")).resource_spans[0].scope_spans[0].spans
        self.assertEqual(found.name, "a\\ud800")
