"""Tests for the demo's echo service."""

from __future__ import annotations

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from edgegate.demo.echo import Echo, EchoFactory

GREETING = b"Welcome, you are connected to node laptop.\nListening on port 2701.\nServing client 192.0.2.7:40123.\n"


def connected() -> tuple[Echo, StringTransport]:
    """Return an echo service's protocol with a client on it."""
    echo = EchoFactory("laptop").buildProtocol(None)
    transport = StringTransport(
        hostAddress=IPv4Address("TCP", "127.0.0.1", 2701), peerAddress=IPv4Address("TCP", "192.0.2.7", 40123)
    )
    echo.makeConnection(transport)
    return echo, transport


class EchoTests(SynchronousTestCase):
    """What a client of the echo service sees."""

    def test_greets(self) -> None:
        """A connection is greeted with the node, its port and the client's address."""
        _, transport = connected()
        self.assertEqual(transport.value(), GREETING)

    def test_echoes(self) -> None:
        """What the client sends comes back."""
        echo, transport = connected()
        transport.clear()
        echo.dataReceived(b"hello ")
        echo.dataReceived(b"world\n")
        self.assertEqual(transport.value(), b"hello world\n")

    def test_stops_reading_when_the_client_does_not_read(self) -> None:
        """When too much waits to be sent, no more is read until it has gone."""
        _, transport = connected()
        transport.producer.pauseProducing()
        self.assertEqual(transport.producerState, "paused")
        transport.producer.resumeProducing()
        self.assertEqual(transport.producerState, "producing")

    def test_finishes_when_the_client_has_finished(self) -> None:
        """A client that closes its side gets all of its own words, then the end."""
        echo, transport = connected()
        self.assertTrue(verifyObject(IHalfCloseableProtocol, echo))
        echo.dataReceived(b"last words")
        echo.readConnectionLost()
        self.assertTrue(transport.value().endswith(b"last words"))
        self.assertIsNone(transport.producer)
        self.assertTrue(transport.disconnecting)

    def test_ends_when_the_client_takes_no_more(self) -> None:
        """A client that can't be written to any more is let go."""
        echo, transport = connected()
        echo.writeConnectionLost()
        self.assertTrue(transport.disconnecting)
