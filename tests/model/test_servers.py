"""Tests of L{edgegate.model.servers}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress
from edgegate.model.origin import Origin
from edgegate.model.servers import Server, Traffic

HERE = Origin("shop.yaml", 7, "Gateway default/gw")


class ServerTests(SynchronousTestCase):
    """What is opened."""

    def test_traffic(self) -> None:
        """Some kinds of traffic are found without SNI, and of some requests are routed."""
        self.assertEqual({each for each in Traffic if each.plain}, {Traffic.HTTP, Traffic.TCP})
        self.assertEqual({each for each in Traffic if each.http}, {Traffic.HTTP, Traffic.HTTPS})

    def test_each_is_itself(self) -> None:
        """Two servers that say the same are two, since what is attached to one is not to the other."""
        server = Server("http.80", HERE, Traffic.HTTP, (), TCPAddress("::", 80), 80, HERE, HERE)
        self.assertNotEqual(replace(server), server)
        self.assertEqual(server.parent, "Gateway default/gw")
