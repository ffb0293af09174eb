"""Which route a connection takes."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from edgegate.model.addresses import Address, TCPAddress
from edgegate.model.hosts import covers
from edgegate.model.routes import TCPRoute
from edgegate.net.addresses import ConnectionInfo


@lru_cache(maxsize=1024)
def networks(subnets: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    """
    Return CIDR notations as networks. They are worked out once per route, not per connection.

    @raise ValueError: One is no CIDR notation.
    """
    return tuple(ip_network(subnet.partition("%")[0], strict=False) for subnet in subnets)


def holds(subnets: tuple[str, ...], end: Address) -> bool:
    """Whether a subnet holds the address of one end of a connection. A UNIX path is in none."""
    if not isinstance(end, TCPAddress):
        return False
    address = ip_address(end.host)
    # what a dual-stack socket makes of an IPv4 client (RFC 4291 section 2.5.5.2)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address.version == network.version and address in network for network in networks(subnets))


def route_of(downstream: ConnectionInfo) -> TCPRoute | None:
    """
    Return the first of the filter chain's routes that takes the connection (Istio's L4 and TLS match attributes).

    @return: L{None} where none does: the connection is closed, C{NO_ROUTE}.
    """
    name = downstream.server_name
    for route in downstream.chain.tcp or ():
        if route.sni_hosts and not any(covers(pattern, name) for pattern in route.sni_hosts):
            continue
        if route.destination_subnets and not holds(route.destination_subnets, downstream.local):
            continue
        if route.source_subnets and not holds(route.source_subnets, downstream.peer):
            continue
        return route
    return None
