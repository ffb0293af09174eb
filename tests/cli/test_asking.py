"""Tests of L{edgegate.cli.asking}; a listener is asked in tests/admin/test_site."""

from __future__ import annotations

from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, UNIXClientEndpoint
from twisted.internet.testing import MemoryReactor
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface.verify import verifyObject

from edgegate.cli.asking import OneEndpoint
from edgegate.routing.snapshot import TCPAddress, UNIXAddress


class OneEndpointTests(SynchronousTestCase):
    """Where requests go."""

    def test_kinds(self) -> None:
        """To one address, of whatever kind, whatever the URL."""
        for address, kind in (
            (TCPAddress("127.0.0.1", 1), TCP4ClientEndpoint),
            (TCPAddress("::1", 1), TCP6ClientEndpoint),
            (UNIXAddress("/a"), UNIXClientEndpoint),
        ):
            factory = OneEndpoint(MemoryReactor(), address)
            verifyObject(IAgentEndpointFactory, factory)
            self.assertIsInstance(factory.endpointForURI(None), kind)
