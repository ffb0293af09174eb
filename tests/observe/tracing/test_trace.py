"""Tests of L{edgegate.observe.tracing.trace}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.tracing import Propagation
from edgegate.observe.tracing.context import TraceContext
from edgegate.observe.tracing.trace import Propagator, Trace, new_span_id

TRACE, SPAN = b"4bf92f3577b34da6a3ce929d0e0e4736", b"00f067aa0ba902b7"
W3C = [(b"traceparent", b"00-%b-%b-01" % (TRACE, SPAN)), (b"tracestate", b"a=1")]
B3 = [(b"x-b3-traceid", b"0" * 31 + b"7"), (b"x-b3-spanid", b"0" * 15 + b"8"), (b"x-b3-sampled", b"0")]


class PropagatorTests(SynchronousTestCase):
    """The headers by which traces go on."""

    def test_names(self) -> None:
        """It knows those of its own way alone."""
        w3c, b3, both = (Propagator(each).names for each in (Propagation.W3C, Propagation.B3, Propagation.B3_W3C))
        self.assertEqual(w3c, {b"traceparent", b"tracestate"})
        self.assertIn(b"b3", b3)
        self.assertEqual(both, w3c | b3)
        self.assertFalse(w3c & b3)

    def test_read(self) -> None:
        """B3 comes before W3C; where it has only decided, the trace is that of W3C, and the decision stays."""
        for propagation, fields, expected in (
            (Propagation.W3C, B3, None),
            (Propagation.B3, W3C, None),
            (Propagation.W3C, W3C + B3, (TRACE, True)),
            (Propagation.B3_W3C, W3C + B3, (b"0" * 31 + b"7", False)),
            (Propagation.B3_W3C, W3C, (TRACE, True)),
            (Propagation.B3_W3C, [*W3C, (b"b3", b"0")], (TRACE, False)),
            (Propagation.B3_W3C, [(b"b3", b"0")], (b"", False)),
            (Propagation.B3_W3C, [], None),
        ):
            found = Propagator(propagation).read(fields)
            told = None if found is None else (found.trace_id, found.sampled)
            self.assertEqual(told, expected, (propagation, fields))

    def test_write(self) -> None:
        """Backends are told in the same way."""
        trace = Trace(Propagator(Propagation.B3_W3C), TraceContext(TRACE, SPAN, True, b"a=1"), True, True, b"")
        told = dict(trace.propagator.write(trace, b"0" * 15 + b"9"))
        self.assertEqual(told[b"traceparent"], b"00-%b-0000000000000009-01" % TRACE)
        self.assertEqual((told[b"tracestate"], told[b"x-b3-traceid"]), (b"a=1", TRACE))
        self.assertEqual((told[b"x-b3-parentspanid"], told[b"x-b3-spanid"]), (trace.span_id, b"0" * 15 + b"9"))


class TraceTests(SynchronousTestCase):
    """The trace of a request."""

    def test_begun(self) -> None:
        """A new one has ids of its own, also where somebody has only decided."""
        seen = set()
        for context in (None, TraceContext(b"", b"", True, b"")):
            trace = Trace(Propagator(Propagation.W3C), context, False, True, b"")
            self.assertRegex(trace.trace_id + trace.span_id, rb"^[0-9a-f]{48}$")
            self.assertEqual((trace.parent_id, trace.state), (b"", b""))
            seen |= {trace.trace_id, trace.span_id, new_span_id()}
        self.assertEqual(len(seen), 6)

    def test_tries(self) -> None:
        """Each try has its own span; where nothing is to be told nothing is."""
        for writes, names in ((True, [b"traceparent"]), (False, [])):
            trace = Trace(Propagator(Propagation.W3C, writes), None, False, True, b"")
            ids = set()
            for _ in range(2):
                self.assertEqual([name for name, _ in trace.begin_try()], names)
                ids.add(trace.try_id)
            self.assertEqual(len(ids | {trace.span_id}), 3)

    def test_grpc(self) -> None:
        """Trailers tell after the head."""
        trace = Trace(Propagator(Propagation.W3C), None, False, True, b"")
        trace.note([(b"grpc-status", b"0")])
        trace.note([(b"x", b"y"), (b"grpc-status", b"14"), (b"grpc-message", b"gone")])
        self.assertEqual((trace.grpc_status, trace.grpc_message), (b"14", b"gone"))
