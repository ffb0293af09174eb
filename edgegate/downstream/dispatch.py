# Hot path: chooses the protocol of each new connection.
"""From a client's connection that has been told apart to the protocol that serves it."""

from __future__ import annotations

from typing import ClassVar, cast

from twisted.internet.interfaces import IAddress, IProtocol, IProtocolFactory
from zope.interface import classImplements

from edgegate.http.gateway import HTTPGateway
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.sockets import Socket
from edgegate.tcp.copying import RelayProtocol
from edgegate.tcp.gateway import TCPGateway
from edgegate.tcp.relay import relay_socket


class Dispatch:
    """
    The protocol factory of all listeners: the filter chain says whether HTTP or bytes are served.

    @ivar http: Serves HTTP.
    @ivar tcp: Serves relays.
    """

    noisy: ClassVar[bool] = False

    def __init__(self, http: HTTPGateway, tcp: TCPGateway) -> None:
        self.http = http
        self.tcp = tcp

    def buildProtocol(self, addr: IAddress) -> IProtocol:
        """
        Return the protocol for a connection whose handshake, if it had one, is complete.

        @param addr: A L{ConnectionInfo}.
        """
        assert isinstance(addr, ConnectionInfo)
        if addr.chain.http is None:
            return RelayProtocol(addr, self.tcp)
        return cast(IProtocol, self.http.connection(addr))

    def relay_socket(self, downstream: ConnectionInfo, sock: Socket) -> None:
        """Relay a client whose bytes are not looked at; the socket is the relay's from now on."""
        relay_socket(self.tcp, downstream, sock)

    def doStart(self) -> None:
        """Nothing is to be done."""

    def doStop(self) -> None:
        """Nothing is to be done."""


classImplements(Dispatch, IProtocolFactory)
