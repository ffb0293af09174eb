"""Tests of L{edgegate.cli.admin_client}; a listener is asked in tests/admin/test_site."""

from __future__ import annotations

from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, UNIXClientEndpoint
from twisted.internet.testing import MemoryReactor
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface.verify import verifyObject

from edgegate.cli.admin_client import OneEndpoint, described
from edgegate.model.addresses import TCPAddress, UNIXAddress


class DescribedTests(SynchronousTestCase):
    """Which gateway has answered."""

    ADDRESS = TCPAddress("127.0.0.1", 1)

    def said(self, **fields: str) -> str:
        """What is said of an answer with these headers."""
        headers = Headers({f"edgegate-{name}": [value] for name, value in fields.items()})
        return described(headers, self.ADDRESS)

    def test_gateway(self) -> None:
        """It is named by its address, its process and its files, whose names can't speak to the terminal."""
        self.assertEqual(
            self.said(pid="7", config="/etc/b%C3%BC%20b%1B[2J"),
            "the gateway at 127.0.0.1:1: pid 7, config /etc/b\N{LATIN SMALL LETTER U WITH DIAERESIS} b\\x1b[2J",
        )

    def test_nobody(self) -> None:
        """What does not say who it is is told, too."""
        for fields in ({}, {"pid": "\x1b"}):
            self.assertEqual(self.said(**fields), "what answers at 127.0.0.1:1, which does not say who it is")


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
