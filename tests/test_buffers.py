"""Tests of L{edgegate.buffers}; what is counted is tested with those who count."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.buffers import Buffers


class BuffersTests(SynchronousTestCase):
    """Bytes that wait."""

    def test_begin(self) -> None:
        """At first nothing waits, and everything may."""
        self.assertEqual((Buffers().held, Buffers().bound > 1 << 50), (0, True))
