"""An echo service that greets, as github.com/cjimti/go-echo does: it says where a connection came out."""

from __future__ import annotations

from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.tcp import Server
from zope.interface import implementer


@implementer(IHalfCloseableProtocol)
class Echo(Protocol):
    """
    Greets, then sends back what it receives.

    It stops reading while the client does not read, and a client that has
    finished writing still gets all that it sent before the connection ends.
    """

    transport: Server

    def __init__(self, node: str) -> None:
        self._node = node

    def connectionMade(self) -> None:
        """Greet with node, port and client."""
        host, peer = self.transport.getHost(), self.transport.getPeer()
        self.transport.write(
            f"Welcome, you are connected to node {self._node}.\n"
            f"Listening on port {host.port}.\n"
            f"Serving client {peer.host}:{peer.port}.\n".encode()
        )
        # What this connection reads is what it writes: when it has written too much, it stops reading.
        self.transport.registerProducer(self.transport, True)

    def dataReceived(self, data: bytes) -> None:
        """Send it back."""
        self.transport.write(data)

    def readConnectionLost(self) -> None:
        """The client has finished: send what is left, then finish too."""
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """The client takes no more: there is nothing left to do for it."""
        self.transport.loseConnection()


class EchoFactory(Factory[Echo]):
    """Makes an L{Echo} for each connection."""

    noisy = False

    def __init__(self, node: str) -> None:
        """
        @param node: What the greeting calls this machine.
        """
        self.node = node

    def buildProtocol(self, addr: IAddress | None) -> Echo:
        """Make one."""
        return Echo(self.node)
