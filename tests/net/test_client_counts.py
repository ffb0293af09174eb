"""Tests of L{edgegate.net.client_counts}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.client_counts import NOBODY, ClientCounts


class ClientCountsTests(SynchronousTestCase):
    """What a client has."""

    def test_new(self) -> None:
        """A new one has nothing, and may be looked at for idle connections at once."""
        counts = ClientCounts("192.0.2.1", 5)
        self.assertEqual((counts.connections, counts.requests, counts.ending), (0, 0, 0))
        self.assertLess(counts.looked, 0)

    def test_nobody(self) -> None:
        """Who is not told apart may have more requests than there can be."""
        self.assertGreaterEqual(NOBODY.most_requests, 1 << 60)
