# Compiled: gives functions to compiled exchanges.
"""
Tells a client which way its request took, in headers of the response, where it asks for that and may know.

A request asks with C{x-edgegate-explain}. The address of the client itself counts: the connection's, or behind trusted
proxies the one that they say. Who sends a request on for somebody else is never told, nor behind trusted proxies who
comes without an address. Who reaches the port past those proxies can claim any.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from edgegate.errors import response_flags
from edgegate.http.exchange import Exchange
from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import Field
from edgegate.http.selection import virtual_host
from edgegate.observe.log_lines import details_of

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MOST_BYTES: Final = 256
"""Bytes of a value; what is longer is cut."""

_SAFE: Final = frozenset(range(0x20, 0x7F)) - {0x5C}
"""Bytes that stand for themselves: printable ASCII, but for the backslash."""


class Explainer:
    """Decides who may be told, and tells."""

    __slots__ = ("_believed", "_trusted_hops")

    def __init__(self, networks: tuple[Network, ...], trusted_hops: int) -> None:
        """
        @param networks: Of the clients that may ask (C{--debug-from}).
        @param trusted_hops: How many proxies in front are trusted to say who the client is.
        """
        self._trusted_hops = trusted_hops
        self._believed: Callable[[bytes], bool] = _member(networks)

    def begin(self, exchange: Exchange) -> None:
        """Have the response to a request that asks for it explain itself, if its client may know."""
        if self.may_ask(exchange):
            exchange.explain = explanation
            if not exchange.request_id:
                # it is told, so it is also the one that the backend and the access log get
                exchange.request_id = exchange.client.request_id(exchange.head)

    def may_ask(self, exchange: Exchange) -> bool:
        """Whether the client that asks is one of those that may."""
        told = exchange.head.forwarded_for
        if told and len(b",".join(told).split(b",")) != self._trusted_hops:
            return False
        # the address of a trusted proxy is not its client's
        return self._believed(exchange.client.external(exchange.head, b""))


def explanation(exchange: Exchange) -> FieldBlock:
    """Return what a client is told, when the response of its exchange begins. What there is not is left out."""
    found: list[Field] = []
    host = virtual_host(exchange.connection, exchange.head.host)
    if host is not None:
        found.append((b"x-edgegate-virtual-host", shown(host.domain)))
    route = exchange.route
    if route is not None:
        if route.name:
            found.append((b"x-edgegate-route", shown(route.name)))
        found.append((b"x-edgegate-route-origin", shown(str(route.origin))))
    if exchange.policy is not None:
        found.append((b"x-edgegate-policy", shown(f"{exchange.policy.resource} ({exchange.policy})")))
    if exchange.cluster:
        found.append((b"x-edgegate-cluster", shown(exchange.cluster)))
    if exchange.upstream is not None:
        found.append((b"x-edgegate-endpoint", shown(str(exchange.upstream))))
    found.append((b"x-edgegate-tries", b"%d" % exchange.attempts))
    flags = response_flags(exchange.fault, exchange.flags)
    if flags:
        found.append((b"x-edgegate-flags", shown(",".join(flags))))
    found.append((b"x-edgegate-details", shown(details_of(exchange.fault, exchange.details, exchange.upstream))))
    found.append((b"x-edgegate-request-id", shown(exchange.request_id)))
    return FieldBlock(*found)


def shown(text: str | bytes) -> bytes:
    """Return a text so that it can stand in a header: cut, and with C{\\xNN} in place of each byte that can't."""
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    if len(data) > MOST_BYTES:
        data = data[:MOST_BYTES] + b"..."
    if _SAFE.issuperset(data):
        return data.strip(b" ")
    return b"".join([b"%c" % byte if byte in _SAFE else b"\\x%02x" % byte for byte in data]).strip(b" ")


def _member(networks: tuple[Network, ...]) -> Callable[[bytes], bool]:
    @lru_cache(maxsize=256)
    def member(address: bytes) -> bool:
        """Whether an address is in one of the networks; what is none, as that of a UNIX socket, is in no network."""
        try:
            found = ipaddress.ip_address(address.decode("ascii").partition("%")[0])
        except ValueError:
            return False
        mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
        return any(found in network or (mapped is not None and mapped in network) for network in networks)

    return member
