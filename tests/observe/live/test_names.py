"""Tests of L{edgegate.observe.live.names}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.live.names import endpoint_id, host_id, listener_id, no_host, route_id
from tests.admin.served import SECURE, SNAPSHOT


class NamesTests(SynchronousTestCase):
    """What is called how."""

    def test_names(self) -> None:
        """Each part begins with the name of what it is a part of."""
        listener = SNAPSHOT.listeners[1]
        host = host_id(listener, SECURE, "shop.example")
        self.assertEqual(listener_id(listener), "[::]:443")
        self.assertEqual(host, "[::]:443|https.443|shop.example")
        self.assertEqual((route_id(host, 1), route_id(host, None)), (f"{host}|1", f"{host}|-"))
        self.assertEqual(no_host(listener), "[::]:443||")
        self.assertEqual(endpoint_id("outbound|80||web", "10.0.0.1:80"), "outbound|80||web|10.0.0.1:80")
