"""Endpoints as documents write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from edgegate.config.values import show
from edgegate.model.addresses import Address, TCPAddress, UNIXAddress
from edgegate.model.clusters import Discovery, Endpoint
from edgegate.model.hosts import normalise

NOWHERE = "whatever is sent there is answered 503 (UH) until there is one"
"""What becomes of requests to a service without endpoints."""

GRPC_WEB = "GRPC-WEB"

HTTP2 = frozenset({"HTTP2", "GRPC", GRPC_WEB, "H2C"})
"""What the ports of services say that speak HTTP/2 (Istio's C{IsHTTP2}), C{kubernetes.io/} left out."""

_MAY_BE_IP = re.compile(r"[0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[0-9A-Za-z_.-]+)?")


@dataclass(frozen=True, slots=True)
class Members:
    """The endpoints of one port of a service, and how they become addresses."""

    discovery: Discovery
    endpoints: tuple[Endpoint, ...]


def by_http2(protocol: str, name: str) -> bool:
    """
    Whether a port speaks HTTP/2: by its protocol, or where it says none by the begin of its name.

    @param protocol: May be empty, as may the name.
    """
    return (protocol.removeprefix("kubernetes.io/") or name.partition("-")[0]).upper() in HTTP2


def by_grpc_web(protocol: str, name: str) -> bool:
    """Whether a port is for gRPC-Web, likewise; Istio's names of such ports begin with C{grpc-web}."""
    if protocol:
        return protocol.upper() == GRPC_WEB
    return name[: len(GRPC_WEB)].upper() == GRPC_WEB


class Unusable(ValueError):
    """A declaration does not tell where a service is. The message says what to add."""


def ip_literal(text: str) -> str | None:
    """
    Return an IP address in its usual form, brackets or none; L{None} where it is something else.

    One of IPv6 may have a zone; one of IPv4 mapped into IPv6 is that of IPv4.
    """
    literal = text[1:-1] if text[:1] == "[" and text[-1:] == "]" else text
    if not _MAY_BE_IP.fullmatch(literal):  # most are names, and raising an exception for each is slow
        return None
    try:
        address = ip_address(literal)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def unix_path(text: str) -> str | None:
    """Return the path of C{unix:///path}, C{unix://@name} or an absolute path; L{None} where it is something else."""
    path = text.removeprefix("unix://") if text.startswith("unix://") else text
    return path if path.startswith("/") or (path != text and path.startswith("@")) else None


def address_of(text: str, port: int) -> Address:
    """
    Return the address of an endpoint: an IP address, C{unix:///path} or a name.

    @raise Unusable: It is none of them.
    """
    path = unix_path(text)
    if path is not None:
        return UNIXAddress(path)
    literal = ip_literal(text)
    if literal is not None:
        return TCPAddress(literal, port)
    try:
        name = normalise(text)
    except ValueError as error:
        raise Unusable(str(error)) from None
    if name.startswith("*"):
        raise Unusable(f"{show(text)} is a wildcard: no name that could be looked up")
    return TCPAddress(name, port)


def is_name(address: Address) -> bool:
    """Whether an address has to be looked up."""
    return isinstance(address, TCPAddress) and ip_literal(address.host) is None


def members_of(endpoints: tuple[Endpoint, ...], one_address: bool = False) -> Members:
    """
    Return endpoints with the discovery that they need: DNS where one of them is a name.

    @param one_address: Whether one address of a name at a time is enough (C{DNS_ROUND_ROBIN}).
    """
    if not any(is_name(endpoint.address) for endpoint in endpoints):
        return Members(Discovery.STATIC, endpoints)
    return Members(Discovery.LOGICAL_DNS if one_address and len(endpoints) == 1 else Discovery.DNS, endpoints)
