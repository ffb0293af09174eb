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
        found = OverloadLimits().settled(9000, proxied=True)
        self.assertEqual((found.client_connections, found.client_requests), (NO_LIMIT, NO_LIMIT))

    def test_said(self) -> None:
        """What is said counts."""
        said = OverloadLimits(
            connections=10,
            listener_connections=8,
            client_connections=3,
            handshakes=2,
            client_requests=5,
            buffer_bytes=9,
        )
        self.assertEqual(said.settled(9000, proxied=True), said)

    def test_requests_of_a_client(self) -> None:
        """One client has no more than half of the requests that there may be, and any number where all may."""
        for requests, processes, expected in ((9000, 1, 4500), (9000, 2, 2250), (1, 1, 1), (NO_LIMIT, 1, NO_LIMIT)):
            found = OverloadLimits(requests=requests).settled(9000, processes=processes)
            self.assertEqual(found.client_requests, expected)
        self.assertEqual(OverloadLimits(client_requests=5).settled(9000, processes=2).client_requests, 3)

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
