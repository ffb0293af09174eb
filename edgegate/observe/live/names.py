"""
What live data calls the parts of a Snapshot: the same in each process that serves it, and after a reload.

Nothing of what a client sends is in a name.
"""

from __future__ import annotations

from typing import Final

from edgegate.routing.snapshot import FilterChain, Listener

NO_ROUTE: Final = "-"
"""The place of what no route of a host took."""


def listener_id(listener: Listener) -> str:
    """Name a port."""
    return str(listener.bind)


def host_id(listener: Listener, chain: FilterChain, domain: str) -> str:
    """Name a virtual host; of what has none the chain's name and the domain are empty, see L{no_host}."""
    return f"{listener.bind}|{chain.name}|{domain}"


def no_host(listener: Listener) -> str:
    """Name what came to a port and had no virtual host there."""
    return f"{listener.bind}||"


def route_id(host: str, place: int | None) -> str:
    """
    Name a route.

    @param host: See L{host_id}.
    @param place: Among those of its host, from 0; L{None}: no route was taken.
    """
    return f"{host}|{NO_ROUTE if place is None else place}"


def endpoint_id(cluster: str, address: str) -> str:
    """Name an endpoint of a cluster."""
    return f"{cluster}|{address}"
