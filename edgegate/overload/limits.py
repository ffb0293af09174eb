"""How much there may be at one time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Final

NO_LIMIT: Final = 1 << 60
"""More than there can be of anything."""

HANDSHAKES: Final = 1000
"""Connections of one port that shake hands: OpenSSL takes some 50 KiB for each."""


REQUESTS: Final = 20_000
"""Requests that are under way: each takes some 10 KiB, be it one of hundreds on a connection of HTTP/2."""

BUFFERED: Final = 4
"""What part of the memory may be bytes that wait: most of the rest are connections and the kernel's own buffers."""

LAG: Final = 0.5
"""Seconds that each turn of the loop may take: nobody waits longer than that for the first look at a request."""


@dataclass(frozen=True, slots=True)
class OverloadLimits:
    """
    Of all processes that serve the same files; L{None}: what L{OverloadLimits.settled} makes of the descriptors there
    are.

    @ivar connections: Clients' connections.
    @ivar listener_connections: Those of one port.
    @ivar client_connections: Those of one client address, or of one /64 of IPv6.
    @ivar handshakes: Connections of one port that shake hands.
    @ivar requests: Requests that are under way.
    @ivar client_requests: Those of one client address, or of one /64 of IPv6.
    @ivar lag: Seconds that each turn of the loop may take, before new requests are refused.
    @ivar request_seconds: That a request may take in all, unless it is a call of gRPC.
    @ivar grpc_seconds: That a call of gRPC may take in all.
    @ivar buffer_bytes: Bytes that wait, because those who are to take them don't keep up.
    @ivar connection_requests: Requests of one connection, which ends with the last of them.
    @ivar connection_seconds: After which a connection ends with what is under way on it.
    """

    connections: int | None = None
    listener_connections: int = NO_LIMIT
    client_connections: int | None = None
    handshakes: int | None = None
    requests: int = REQUESTS
    client_requests: int | None = None
    lag: float = LAG
    request_seconds: float = inf
    grpc_seconds: float = inf
    buffer_bytes: int | None = None
    connection_requests: int = NO_LIMIT
    connection_seconds: float = inf

    def settled(
        self, connections: int, proxied: bool = False, processes: int = 1, memory: int = NO_LIMIT
    ) -> OverloadLimits:
        """
        Return the limits of one process, of which none is L{None}.

        @param connections: What the descriptors of a process allow.
        @param proxied: Whether the clients' addresses are those of proxies, of which each has many.
        @param memory: Bytes that all processes may have.
        @param processes: How many serve the same files: what is said is divided among them.
        """

        def share(limit: int) -> int:
            return limit if limit >= NO_LIMIT else -(-limit // processes)

        most = connections if self.connections is None else share(self.connections)
        # one address can't keep all others out
        each = NO_LIMIT if proxied else max(most // 2, 1)
        requests = share(self.requests)
        asked = NO_LIMIT if proxied or requests >= NO_LIMIT else max(requests // 2, 1)
        return replace(
            self,
            connections=most,
            listener_connections=share(self.listener_connections),
            client_connections=each if self.client_connections is None else share(self.client_connections),
            buffer_bytes=share(memory // BUFFERED if self.buffer_bytes is None else self.buffer_bytes),
            requests=requests,
            client_requests=asked if self.client_requests is None else share(self.client_requests),
            handshakes=max(min(share(HANDSHAKES), most // 2), 1) if self.handshakes is None else share(self.handshakes),
        )
