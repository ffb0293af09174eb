# Hot path: reads the addresses of clients.
"""The numbers of addresses."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final

_LONGEST: Final = 64
"""Characters of an address, with its zone."""


@lru_cache(maxsize=4096)  # clients ask more than once
def number_of(address: str) -> tuple[int, int]:
    """
    Return the version of an address, 4 or 6, and its number; 0 and 0 where a text is none.

    An IPv4 address that is mapped into IPv6 is one of IPv4.
    """
    if len(address) > _LONGEST:
        return 0, 0
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return 0, 0
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found.version, int(found)
