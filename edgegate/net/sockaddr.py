# Hot path: reads the address of each new connection.
"""Between the addresses of the Snapshot, those of the socket module and those of Twisted."""

from __future__ import annotations

import ipaddress
import socket

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.address import UNIXAddress as TwistedUNIXAddress

from edgegate.model.addresses import Address, TCPAddress, UNIXAddress

SocketAddress = tuple[str, int] | tuple[str, int, int, int] | str | bytes

AnyTwistedAddress = IPv4Address | IPv6Address | TwistedUNIXAddress

_MAPPED = "::ffff:"


def family_of(address: Address) -> socket.AddressFamily:
    """Return the address family of an address whose host is an IP literal."""
    if isinstance(address, UNIXAddress):
        return socket.AF_UNIX
    return socket.AF_INET6 if ":" in address.host else socket.AF_INET


def socket_address(address: Address) -> SocketAddress:
    """
    Return an address as connect() and bind() take it.

    @raise ValueError: The host is no IP literal: nothing here may ask a resolver, which would block.
    """
    if isinstance(address, UNIXAddress):
        return "\0" + address.path[1:] if address.path.startswith("@") else address.path
    host, _, zone = address.host.partition("%")
    ipaddress.ip_address(host)
    if ":" not in host:
        return (host, address.port)
    scope = (int(zone) if zone.isdigit() else socket.if_nametoindex(zone)) if zone else 0
    return (host, address.port, 0, scope)


def address_of(name: SocketAddress) -> Address:
    """Return what accept() or getsockname() gave; an IPv4 address mapped into IPv6 is an IPv4 address."""
    if isinstance(name, tuple):
        host = name[0]
        if host.startswith(_MAPPED) and "." in host:
            host = host[len(_MAPPED) :]
        return TCPAddress(host, name[1])
    path = name.decode(errors="surrogateescape") if isinstance(name, bytes) else name
    return UNIXAddress("@" + path[1:] if path.startswith("\0") else path)


def twisted_address(address: Address) -> AnyTwistedAddress:
    """Return an address as Twisted has it."""
    if not isinstance(address, TCPAddress):
        return TwistedUNIXAddress(address.path)
    if ":" in address.host:
        return IPv6Address("TCP", address.host, address.port)
    return IPv4Address("TCP", address.host, address.port)
