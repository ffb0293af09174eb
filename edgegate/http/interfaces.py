"""The seams between HTTP's channels, what answers them, and what they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from zope.interface import Interface

from edgegate.net.addresses import ConnectionInfo

if TYPE_CHECKING:
    from edgegate.http.exchange import Exchange


class Served(Protocol):
    """
    A client's connection: a channel, or what took its place once it spoke HTTP no more.

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
