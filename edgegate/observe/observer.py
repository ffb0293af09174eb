"""
What an observer can be told.

An observer has a method for each event that it wants to be told of, and no
others: it has at least one of those below. What nobody wants costs nothing.

A connection that was taken is rejected, or carries HTTP (it begins, and ends),
or is relayed (the relay begins, and ends). A request begins on a connection of
HTTP and ends; in between come the tries to have a backend answer it. Whatever
begins ends exactly once.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from edgegate.observe.events import Connection, Ended, RejectedConnection, RelayEnd, UpstreamTry


@runtime_checkable
class ConnectionTaken(Protocol):
    """Wants to be told when a client has connected."""

    def connection_taken(self) -> None:
        """A client's connection was taken."""


@runtime_checkable
class ConnectionRefused(Protocol):
    """Wants to be told when a client could not connect."""

    def connection_refused(self) -> None:
        """There are too many connections: one was closed at once."""


@runtime_checkable
class ConnectionRejected(Protocol):
    """Wants to be told when a connection came to nothing."""

    def connection_rejected(self, rejected: RejectedConnection) -> None:
        """A connection ended before anything was served on it."""


@runtime_checkable
class ConnectionBegan(Protocol):
    """Wants to be told when a connection begins to carry HTTP."""

    def connection_began(self, connection: Connection) -> None:
        """A connection was told apart, its handshake, if it had one, is complete, and HTTP is spoken on it."""


@runtime_checkable
class ConnectionEnded(Protocol):
    """Wants to be told when a connection that carried HTTP is no more."""

    def connection_ended(self, connection: Connection) -> None:
        """
        Called exactly once for each connection that began, with all its requests ended, or about to.

        @param connection: As it was served last: a reload may have given it another Snapshot's listener.
        """


@runtime_checkable
class RequestBegan(Protocol):
    """Wants to be told when a request begins."""

    def request_began(self, exchange: Ended) -> None:
        """The head of a request is whole, or what came is no request. It is not routed yet, and its answer is open."""


@runtime_checkable
class UpstreamTried(Protocol):
    """Wants to be told of each try to have a backend answer."""

    def upstream_tried(self, tried: UpstreamTry) -> None:
        """The outcome of a try is known. A request that needs no backend has none."""


@runtime_checkable
class RequestEnded(Protocol):
    """Wants to be told when a request ends."""

    def request_ended(self, exchange: Ended) -> None:
        """Called exactly once for each request, however it ended."""


@runtime_checkable
class RelayBegan(Protocol):
    """Wants to be told when a relay begins."""

    def relay_began(self, connection: Connection) -> None:
        """A client's connection is to be relayed; its backend is not connected yet."""


@runtime_checkable
class RelayEnded(Protocol):
    """Wants to be told when a relay ends."""

    def relay_ended(self, relay: RelayEnd) -> None:
        """Called exactly once for each relay, after both its connections ended or none to a backend was made."""


Observer = (
    ConnectionTaken
    | ConnectionRefused
    | ConnectionRejected
    | ConnectionBegan
    | ConnectionEnded
    | RequestBegan
    | UpstreamTried
    | RequestEnded
    | RelayBegan
    | RelayEnded
)
"""Who is told of at least one of these."""
