"""How much there may be at one time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

NO_LIMIT: Final = 1 << 60
"""More than there can be of anything."""

HANDSHAKES: Final = 1000
"""Connections of one port that are not told apart yet, or shake hands."""


@dataclass(frozen=True, slots=True)
class OverloadLimits:
    """
    Of all processes that serve the same files; L{None}: what L{OverloadLimits.settled} makes of the descriptors there
    are.

    @ivar connections: Clients' connections.
    @ivar listener_connections: Those of one port.
    @ivar client_connections: Those of one client address, or of one /64 of IPv6.
    @ivar handshakes: Connections of one port that are not told apart yet, or shake hands.
    """

    connections: int | None = None
    listener_connections: int = NO_LIMIT
    client_connections: int | None = None
    handshakes: int | None = None

    def settled(self, connections: int, proxied: bool = False, processes: int = 1) -> OverloadLimits:
        """
        Return the limits of one process, of which none is L{None}.

        @param connections: What the descriptors of a process allow.
        @param proxied: Whether the clients' addresses are those of proxies, of which each has many.
        @param processes: How many serve the same files: what is said is divided among them.
        """

        def share(limit: int) -> int:
            return limit if limit >= NO_LIMIT else -(-limit // processes)

        most = connections if self.connections is None else share(self.connections)
        # one address can't keep all others out
        each = NO_LIMIT if proxied else max(most // 2, 1)
        return replace(
            self,
            connections=most,
            listener_connections=share(self.listener_connections),
            client_connections=each if self.client_connections is None else share(self.client_connections),
            handshakes=max(min(HANDSHAKES, most // 2), 1) if self.handshakes is None else share(self.handshakes),
        )
