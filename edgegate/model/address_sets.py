# Compiled: values that hot modules read.
"""Sets of IP addresses: a hundred thousand networks in which an address is found by halving."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network

from edgegate.model.picklable import Picklable

_MAPPED = 0xFFFF << 32
"""What stands before an IPv4 address that is written as an IPv6 one (RFC 4291 section 2.5.5.2)."""

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}(?:/(3[0-2]|[12]?[0-9]))?", re.ASCII)

_BITS = re.compile("[0-9]*", re.ASCII)

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class AddressSet(Picklable):
    """
    A set of addresses, as the bounds of its ranges in their order: where one begins, where it is over, and so on.

    An address is in it where an odd number of bounds is not above it.

    @ivar v4: Bounds of IPv4.
    @ivar v6: Of IPv6, where IPv4 addresses that are written as such do not count.
    """

    v4: tuple[int, ...] = ()
    v6: tuple[int, ...] = ()
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # once: guards are looked up by their values, and there may be a hundred thousand bounds
        object.__setattr__(self, "_hash", hash((self.v4, self.v6)))

    def __hash__(self) -> int:
        return self._hash

    def holds(self, number: int, version: int) -> bool:
        """Whether an address is in it, given as a number."""
        return bisect_right(self.v4 if version == 4 else self.v6, number) & 1 == 1

    def __bool__(self) -> bool:
        return bool(self.v4 or self.v6)


def parse_network(text: str) -> Network:
    """
    Read an address or a CIDR; bits behind the prefix are passed over. One of IPv4 within IPv6 is one of IPv4.

    @raise ValueError: It is something else.
    """
    try:
        network = ip_network(text, strict=False)
        if not _BITS.fullmatch(text.partition("/")[2]):
            # a mask, of which Python takes two kinds: 0.0.0.255 is /24 to it
            raise ValueError
    except ValueError:
        raise ValueError("expected an IP address or a CIDR such as 192.0.2.0/24") from None
    number = int(network.network_address)
    if isinstance(network, IPv6Network) and network.prefixlen >= 96 and number >> 32 == 0xFFFF:
        return IPv4Network((number - _MAPPED, network.prefixlen - 96))
    return network


def address_set(networks: Iterable[Network]) -> AddressSet:
    """Return the set of all addresses in networks, which may lie within each other."""
    return range_set(range_of(network) for network in networks)


Range = tuple[int, int, int]
"""The version of IP, and numbers: where a range of addresses begins, and where it is over."""


def range_of(network: Network) -> Range:
    """Return a network as a range."""
    begin = int(network.network_address)
    return network.version, begin, begin + (1 << (network.max_prefixlen - network.prefixlen))


def parse_range(text: str) -> Range:
    """
    Read what L{parse_network} does, most of it in a tenth of the time: files have a hundred thousand lines of it.

    @raise ValueError: See there.
    """
    found = _IPV4.fullmatch(text)
    if found is None:
        return range_of(parse_network(text))
    one, two, three, four, bits = found.groups("32")
    size = 1 << (32 - int(bits))
    begin = (int(one) << 24 | int(two) << 16 | int(three) << 8 | int(four)) & -size
    return 4, begin, begin + size


def range_set(given: Iterable[Range]) -> AddressSet:
    """Return the set of all addresses in ranges, which may lie within each other."""
    ranges: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
    for version, begin, end in given:
        ranges[version].append((begin, end))
    return AddressSet(_bounds(ranges[4]), _bounds(ranges[6]))


def _bounds(ranges: list[tuple[int, int]]) -> tuple[int, ...]:
    """Return the bounds of ranges, of which those that touch are one."""
    found: list[int] = []
    for begin, end in sorted(ranges):
        if found and begin <= found[-1]:
            found[-1] = max(found[-1], end)
        else:
            found += (begin, end)
    return tuple(found)
