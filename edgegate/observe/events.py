"""
What the data plane tells those who count and log.

Addresses and connections are plain objects here, shown by C{str}: whoever
observes knows none of the parts that it is told of.
"""

from __future__ import annotations

from typing import Protocol

from edgegate.errors import Fault


class Ended(Protocol):
    """What is looked at of a request that ended; an C{edgegate.http.exchange.Exchange}."""

    status: int
    sent: int
    received: int
    fault: Fault | None


class Observer(Protocol):
    """Is told how connections begin, and how requests and relays end."""

    def connection_taken(self) -> None:
        """A client's connection was taken."""

    def connection_refused(self) -> None:
        """There are too many connections: one was closed at once."""

    def connection_misfit(self, reason: str) -> None:
        """A connection ended before anything was served on it: by its ClientHello, its handshake, its silence."""

    def request_ended(self, exchange: Ended) -> None:
        """Called exactly once for each request, however it ended."""

    def relay_ended(
        self, downstream: object, fault: Fault | None, upstream: object | None, sent: int, received: int
    ) -> None:
        """
        Called exactly once for each relay, after both its connections ended or none to a backend was made.

        @param downstream: The client's connection, an C{edgegate.net.addresses.Downstream}.
        @param fault: Why it ended; L{None} where both sides finished.
        @param upstream: The address of the endpoint that was connected to; L{None} where none was.
        @param sent: Bytes that came from the backend for the client.
        @param received: Bytes that came from the client for the backend.
        """
