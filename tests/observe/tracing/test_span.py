"""Tests of L{edgegate.observe.tracing.span}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.tracing.span import Span


class SpanTests(SynchronousTestCase):
    """What one hop did."""

    def span(self, started: int, ended: int) -> Span:
        """Return a span with these times."""
        return Span(b"1" * 32, b"2" * 16, b"3" * 16, b"a=1", "web:80/*", True, started, ended, [("a", "b")], False, [])

    def test_times(self) -> None:
        """A clock that was set back in its middle makes no span that ends before it has begun."""
        self.assertEqual((self.span(5, 9).started, self.span(5, 9).ended), (5, 9))
        self.assertEqual((self.span(9, 5).started, self.span(9, 5).ended), (9, 9))

    def test_kept(self) -> None:
        """All else is as it was told, and nothing can be put beside it."""
        span = self.span(0, 0)
        self.assertEqual((span.trace_id, span.span_id, span.parent_id), (b"1" * 32, b"2" * 16, b"3" * 16))
        self.assertEqual((span.state, span.name, span.server, span.error), (b"a=1", "web:80/*", True, False))
        self.assertEqual((span.tags, span.common), ([("a", "b")], []))
        self.assertRaises(AttributeError, setattr, span, "other", 1)
