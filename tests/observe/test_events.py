"""Tests of L{edgegate.observe.events}."""

from __future__ import annotations

from time import monotonic

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.events import RejectedConnection, RelayEnd
from tests.observe.test_log_lines import AnyConnection


class EventsTests(SynchronousTestCase):
    """What is told."""

    def test_misfit(self) -> None:
        """A rejected connection knows when it came, and is a connection as far as it got."""
        before = monotonic()
        rejected = RejectedConnection("peer", "local", "timeout")
        self.assertTrue(before <= rejected.since <= monotonic())
        self.assertEqual(
            (rejected.peer, rejected.local, rejected.server_name, rejected.unknown), ("peer", "local", "", False)
        )

    def test_relay(self) -> None:
        """A relay that came to nothing has no backend and no bytes."""
        relay = RelayEnd(AnyConnection())
        self.assertEqual(
            (relay.upstream, relay.cluster, relay.sent, relay.received, relay.fault), (None, "", 0, 0, None)
        )
