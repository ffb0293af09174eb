"""Tests of L{edgegate.net.route_probe}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.route_probe import has_route


class RouteTests(SynchronousTestCase):
    """Ways that every machine has, and has not."""

    def test_routes(self) -> None:
        """There is a way to this machine, and none to everybody or to what is no address."""
        self.assertTrue(has_route("127.0.0.1"))
        for host in ("255.255.255.255", "::x"):
            self.assertFalse(has_route(host), host)
