"""Tests of L{edgegate.overload.limits}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.overload.limits import HANDSHAKES, NO_LIMIT, OverloadLimits


class OverloadLimitsTests(SynchronousTestCase):
    """What there may be where nobody says it."""

    def test_by_descriptors(self) -> None:
        """The connections are those that descriptors allow, and one client has no more than half of them."""
        found = OverloadLimits().settled(9000)
        self.assertEqual((found.connections, found.client_connections, found.handshakes), (9000, 4500, HANDSHAKES))
        self.assertEqual(found.listener_connections, NO_LIMIT)

    def test_few(self) -> None:
        """Also where there are very few, something is allowed of each."""
        found = OverloadLimits().settled(1)
        self.assertEqual((found.connections, found.client_connections, found.handshakes), (1, 1, 1))

    def test_proxies(self) -> None:
        """Behind proxies an address is that of many clients."""
        self.assertEqual(OverloadLimits().settled(9000, proxied=True).client_connections, NO_LIMIT)

    def test_said(self) -> None:
        """What is said counts."""
        said = OverloadLimits(
            connections=10, listener_connections=8, client_connections=3, handshakes=2, buffer_bytes=9
        )
        self.assertEqual(said.settled(9000, proxied=True), said)

    def test_memory(self) -> None:
        """A quarter of the memory may be bytes that wait, of all processes together."""
        self.assertEqual(OverloadLimits().settled(9000, memory=1 << 30, processes=2).buffer_bytes, 1 << 27)
        self.assertEqual(OverloadLimits(buffer_bytes=100).settled(9000, memory=1 << 30).buffer_bytes, 100)

    def test_processes(self) -> None:
        """Several processes share what is said; each has descriptors of its own."""
        found = OverloadLimits(client_connections=5, handshakes=4).settled(9000, processes=2)
        self.assertEqual((found.connections, found.client_connections, found.handshakes), (9000, 3, 2))
        self.assertEqual(OverloadLimits().settled(9000, processes=3).handshakes, 334)
        self.assertEqual(found.listener_connections, NO_LIMIT)
