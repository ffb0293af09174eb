"""
What the data plane tells those who count and log.

Addresses and connections are plain objects here, shown by C{str}: whoever
observes knows none of the parts that it is told of.
"""

from __future__ import annotations

from typing import Protocol

from edgegate.errors import Fault


class Observer(Protocol):
    """Is told how relays end."""

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
