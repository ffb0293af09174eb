"""Tests of L{edgegate.observe.counters}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CLIENT_GONE, NO_ROUTE
from edgegate.observe.counters import Counters
from edgegate.observe.events import RejectedConnection, RelayEnd
from tests.observe.test_log_lines import AnyConnection, AnyRequest


class CountersTests(SynchronousTestCase):
    """What happened, in numbers."""

    def test_requests(self) -> None:
        """Requests by the hundreds of their status and by their faults, and their bytes."""
        counters = Counters()
        counters.request_ended(AnyRequest(status=204))
        counters.request_ended(AnyRequest(status=404, fault=NO_ROUTE))
        counters.request_ended(AnyRequest(status=0, fault=CLIENT_GONE))
        self.assertEqual((counters.requests, counters.statuses), (3, [1, 0, 1, 0, 1, 0]))
        self.assertEqual(counters.flags, {"NR": 1, "DC": 1})
        self.assertEqual((counters.sent, counters.received), (3 * 1234, 3 * 56))

    def test_connections(self) -> None:
        """Connections, relays, and those that came to nothing."""
        counters = Counters()
        counters.connection_taken()
        counters.connection_refused()
        counters.connection_rejected(RejectedConnection("peer", "local", "timeout"))
        counters.relay_ended(RelayEnd(AnyConnection(), CLIENT_GONE, sent=3, received=4))
        self.assertEqual((counters.connections, counters.refused, counters.rejected, counters.relays), (1, 1, 1, 1))
        self.assertEqual((counters.sent, counters.received, counters.flags), (3, 4, {"DC": 1}))
