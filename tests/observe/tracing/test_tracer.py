"""Tests of L{edgegate.observe.tracing.tracer}."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic, time
from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED
from edgegate.model.tracing import Tracing
from edgegate.observe.tracing.sampling import Sampler
from edgegate.observe.tracing.span import Span
from edgegate.observe.tracing.trace import Trace, Try
from edgegate.observe.tracing.tracer import Tracer
from tests.observe.tracing.test_tags import ENDPOINT, PROVIDER, Asked

TRACE, SPAN = b"4bf92f3577b34da6a3ce929d0e0e4736", b"00f067aa0ba902b7"
REQUEST_ID = b"00000000-0000-4000-8000-000000000000"


@dataclass
class Traced(Asked):
    """A request that has ended, with its trace."""

    trace: Trace | None = None
    port: int = 80


def parent(sampled: bool) -> list[tuple[bytes, bytes]]:
    """Return the fields by which a client tells of its trace."""
    return [(b"traceparent", b"00-%b-%b-%02x" % (TRACE, SPAN, sampled))]


class TracerTests(SynchronousTestCase):
    """Which requests are traced, and what is made of them."""

    def setUp(self) -> None:
        """Keep the spans that are made."""
        self.spans: list[Span] = []
        self.sent: list[bytes] = []

    def tracer(self, percent: float = 100, tracing: Tracing = Tracing(PROVIDER)) -> Tracer:  # noqa: B008 (frozen)
        """Return one that writes the name of each span."""

        def write(span: Span) -> bytes:
            self.spans.append(span)
            return span.name.encode()

        return Tracer(tracing, write, self.sent.append, Sampler(percent))

    def ended(self, tracer: Tracer, *tries: Try, **others: Any) -> Trace:
        """Have a request end."""
        trace = tracer.begin([], REQUEST_ID)
        trace.tries.extend(tries)
        tracer.request_ended(cast(Any, Traced(trace=trace, **others)))
        return trace

    def test_decided(self) -> None:
        """A client's decision is kept; without one the share decides, or a client that wants its request traced."""
        client_trace = [(b"x-client-trace-id", b"1")]
        for percent, fields, sampled, carried in (
            (0, [], False, False),
            (100, [], True, False),
            (0, client_trace, True, False),
            (0, parent(True), True, True),
            (100, parent(False), False, True),
            (100, parent(False) + client_trace, False, True),
            (100, [(b"traceparent", b"nonsense")], True, True),
        ):
            trace = self.tracer(percent).begin(fields, REQUEST_ID)
            self.assertEqual((trace.sampled, trace.carried), (sampled, carried), (percent, fields))
            mark = b"4" if not sampled else b"b" if fields == client_trace else b"9"
            self.assertEqual(trace.request_id[14:15], mark, fields)

    def test_taken_up(self) -> None:
        """The trace that a request comes with goes on."""
        trace = self.tracer().begin(parent(True), REQUEST_ID)
        self.assertEqual((trace.trace_id, trace.parent_id), (TRACE, SPAN))
        self.assertNotEqual(trace.span_id, SPAN)

    def test_nothing_made(self) -> None:
        """Nothing is made of requests that are not sampled, or have no trace."""
        self.ended(self.tracer(0))
        self.tracer().request_ended(cast(Any, Traced(trace=None)))
        self.assertEqual((self.spans, self.sent), ([], []))

    def test_spans(self) -> None:
        """The request's span comes first, then one of each try, within it; times are since the epoch."""
        now = monotonic()
        refused = Try(b"2" * 16, 1, ENDPOINT, "HTTP/1.1", now - 9, now - 8, 0, CONNECT_REFUSED)
        answered = Try(b"3" * 16, 2, ENDPOINT, "HTTP/1.1", now - 7, now - 6, 200, None)
        trace = self.ended(self.tracer(), refused, answered, started=now - 10)
        server, first, last = self.spans
        cluster = "outbound|80||web.default.svc.cluster.local"
        self.assertEqual(self.sent, [b"egress shop.example", *[f"router {cluster}; egress".encode()] * 2])
        self.assertEqual([span.server for span in self.spans], [True, False, False])
        self.assertEqual({span.trace_id for span in self.spans}, {trace.trace_id})
        self.assertEqual([span.span_id for span in self.spans], [trace.span_id, b"2" * 16, b"3" * 16])
        self.assertEqual([span.parent_id for span in self.spans], [b"", trace.span_id, trace.span_id])
        self.assertEqual([span.error for span in self.spans], [False, True, False])
        self.assertEqual([round((each.ended - each.started) / 1e9) for each in self.spans], [10, 1, 7])
        self.assertLess(abs(server.ended - time() * 1e9), 60e9)
        self.assertEqual((last.ended, trace.tries), (server.ended, []))
        self.assertLess(first.ended, last.started)

    def test_retried(self) -> None:
        """A try whose response another one was to take the place of has ended with its head, though no other came."""
        now = monotonic()
        tried = Try(b"2" * 16, 1, ENDPOINT, "HTTP/1.1", now - 9, now - 8, 503, None)
        tried.retried = True
        self.ended(self.tracer(), tried, started=now - 10)
        self.assertEqual(round((self.spans[1].ended - self.spans[1].started) / 1e9), 1)

    def test_shadow(self) -> None:
        """A request's copy has a span within the request's."""
        tracer = self.tracer()
        trace = tracer.begin(parent(True), REQUEST_ID)
        tracer.shadow_ended(trace, b"5" * 16, "copy", monotonic() - 3, ENDPOINT, 200)
        (span,) = self.spans
        self.assertEqual(self.sent, [b"async copy egress"])
        self.assertEqual((span.trace_id, span.parent_id, span.span_id), (TRACE, trace.span_id, b"5" * 16))
        self.assertEqual(round((span.ended - span.started) / 1e9), 3)
        self.assertFalse(span.server or span.error)
