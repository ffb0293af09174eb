"""Tests of L{edgegate.server.clock}; tests/acceptance/test_clock sets the clock of a gateway."""

from __future__ import annotations

import time

from twisted.internet.selectreactor import SelectReactor
from twisted.trial.unittest import SynchronousTestCase

from edgegate.server.clock import count_monotonic


class ClockTests(SynchronousTestCase):
    """A reactor of its own."""

    def test_clock(self) -> None:
        """Timers go by a clock that nobody sets, unless there are some already."""
        reactor = SelectReactor()
        self.addCleanup(reactor.disconnectAll)
        before = reactor.seconds
        pending = reactor.callLater(3600, self.fail)
        count_monotonic(reactor)
        self.assertIs(reactor.seconds, before)
        pending.cancel()
        reactor.runUntilCurrent()
        count_monotonic(reactor)
        self.assertIs(reactor.seconds, time.monotonic)
