# Hot path: chooses for each request of clusters with PASSTHROUGH.
"""
The endpoint that the client itself connected to (Istio's C{PASSTHROUGH}).

In a mesh a client's connection is caught on its way to an endpoint, and goes on
to it. Clients of a gateway mostly connect to the gateway: then no endpoint is
meant, and they are taken in turn. An address that is no endpoint's is never
connected to, whatever a client asks for.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgegate.model.addresses import Address
from edgegate.upstream.balancing.hash_balancer import hash64
from edgegate.upstream.balancing.round_robin import RoundRobin
from edgegate.upstream.endpoint import EndpointState


class OriginalDestination:
    """Endpoints by L{destination_key}."""

    __slots__ = ("_by_key", "_in_turn")

    def __init__(self, endpoints: Sequence[EndpointState]) -> None:
        self._by_key = {destination_key(endpoint.address): endpoint for endpoint in endpoints}
        self._in_turn = RoundRobin(endpoints)

    def choose(self, key: int | None) -> EndpointState:
        """Return the endpoint of a key, or else the one whose turn it is."""
        endpoint = self._by_key.get(key) if key is not None else None
        return self._in_turn.choose(None) if endpoint is None else endpoint


def destination_key(address: Address) -> int:
    """Return the key of requests that came for an address."""
    return hash64(str(address).encode())
