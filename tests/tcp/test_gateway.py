"""Tests of L{edgegate.tcp.gateway}."""

from __future__ import annotations

from math import inf
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.wheel import TimerWheel
from edgegate.observe.observers import Observers
from edgegate.tcp.dial import Reached
from edgegate.tcp.gateway import TCPGateway


class TCPGatewayTests(SynchronousTestCase):
    """What relays share."""

    def test_idle_timeout(self) -> None:
        """The cluster's word counts where it says something, and its 0 is never."""
        anything: Any = None
        gateway = TCPGateway(anything, TimerWheel(Clock()), anything, Observers([]), 600.0)
        found = [
            gateway.idle_timeout_of(Reached(anything, anything, idle_timeout=seconds)) for seconds in (None, 5.0, 0)
        ]
        self.assertEqual(found, [600.0, 5.0, inf])
