"""The seams between HTTP's connections, what answers them, and what they belong to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

from twisted.internet.interfaces import ITransport
from zope.interface import Interface

from edgegate.http.exchange import Exchange
from edgegate.http.overdue import Overdue
from edgegate.net.addresses import ConnectionInfo
from edgegate.overload.idle import Idle


class Served(Idle, Protocol):
    """
    A client's connection of HTTP, or what took its place once it spoke HTTP no more.

    @ivar downstream: The connection.
    """

    downstream: ConnectionInfo

    def move(self, downstream: ConnectionInfo) -> None:
        """Go on under a new Snapshot."""

    def retire(self) -> None:
        """End the connection with what comes next on it."""

    def drain(self) -> None:
        """End the connection with what is under way or on its way to us, or now where nothing is."""

    def abort(self) -> None:
        """End the connection now."""

    def end_overdue(self, overdue: Overdue) -> None:
        """Give up the requests on it that have taken too long; a tunnel may last."""


class ServedProtocol(Served, Protocol):
    """A client's connection that is told what happens on its transport, as C{IProtocol} is."""

    def makeConnection(self, transport: ITransport) -> None:
        """The connection is ready; from now on it owns it."""

    def dataReceived(self, data: bytes) -> None:
        """The client sent something."""


class Droppable(Protocol):
    """Work of the gateway's own, for which no client waits."""

    def drop(self) -> None:
        """Give it up."""


class IResource(Interface):
    """Answers exchanges, whatever the HTTP version that carries them."""

    def render(exchange: Exchange) -> None:
        """
        Begin to answer one exchange.

        The request's head is whole, its body may still be on its way: it goes
        to C{exchange.upload}, which the resource sets if it wants the body.
        The response is given now or later by C{exchange.answer}, C{send} and
        C{finish}, or whole by C{reply} or C{fail}.
        """


class Dispatcher(ABC):
    """Finds what answers: the side of the gateway that connections know."""

    __slots__ = ()

    @abstractmethod
    def resource_for(self, exchange: Exchange) -> IResource:
        """Find what answers an exchange, and take note of its route."""

    def http2(self, downstream: ConnectionInfo) -> ServedProtocol | None:
        """Return who serves a client that speaks HTTP/2, as its first bytes have shown; L{None}: nobody."""
        return None
