"""Tests of L{edgegate.net.addresses}."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from time import monotonic

from twisted.internet.interfaces import IAddress
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from edgegate.model.addresses import TCPAddress
from edgegate.model.origin import Origin
from edgegate.net.addresses import ConnectionInfo
from edgegate.routing.snapshot import FilterChain, Listener
from tests.net.pairs import HERE, THERE

ORIGIN = Origin("a.yaml", 1, "Gateway default/gw")
LISTENER = Listener("[::]:80", TCPAddress("::", 80), 80, ORIGIN)


class DownstreamTests(SynchronousTestCase):
    """What factories are given."""

    def test_value(self) -> None:
        """It is an address that does not change; who took it and when is no part of what it says."""
        before = monotonic()
        downstream = ConnectionInfo(LISTENER, FilterChain("http.80", ORIGIN), THERE, HERE)
        verifyObject(IAddress, downstream)
        self.assertTrue(before <= downstream.since <= monotonic())
        self.assertEqual(downstream, replace(downstream, entry=self, since=0.0))
        self.assertRaises(FrozenInstanceError, setattr, downstream, "tls", True)
