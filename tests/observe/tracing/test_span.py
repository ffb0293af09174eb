"""Tests of L{edgegate.observe.tracing.span}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.tracing.span import Span


class SpanTests(SynchronousTestCase):
    """What one hop did."""

    def test_ended(self) -> None:
        """None ends before it began, whatever the clocks say: collectors take no such span."""
        for started, ended, expected in ((5, 9, 9), (5, 5, 5), (5, 4, 5)):
            span = Span(b"1" * 32, b"2" * 16, b"", b"", "a", True, started, ended, [], False)
            self.assertEqual((span.started, span.ended), (5, expected))
