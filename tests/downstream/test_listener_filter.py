"""Tests of L{edgegate.downstream.listener_filter}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.downstream.listener_filter import Serving
from edgegate.routing.hosts import HostTable
from edgegate.tls.sni import ContextMap
from tests.downstream.arriving import PASSED, SECURE, SNI, listener
from tests.tls.handshakes import secrets


class ServingTests(SynchronousTestCase):
    """What a Snapshot says of a port, as listener filters ask for it."""

    def test_what_is_spoken(self) -> None:
        """Whether a server ends TLS for HTTP, and whether one relays what comes by TLS."""
        for table, https, relays in (
            (SNI, True, True),
            (HostTable([("a.example", SECURE)]), True, False),
            (HostTable([("c.example", PASSED)]), False, True),
            (None, False, False),
        ):
            served = listener(None, table)
            serving = Serving(served, ContextMap(served, secrets()))
            self.assertEqual((serving.speaks_https, serving.relays_tls), (https, relays))
