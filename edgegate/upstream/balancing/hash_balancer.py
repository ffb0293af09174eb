# Hot path: chooses for each request of clusters that hash.
"""
Consistent hashing: requests with the same key go to the same endpoint, and few keys move when one comes or goes.

A table (L{edgegate.upstream.balancing.ring}, L{edgegate.upstream.balancing.maglev}) says to whom a key belongs. It
depends on nothing but the addresses and weights, so that every process and every later one makes the same. Where its
owner is not fit a key belongs to the next one in the table which is: no other key moves, and each goes back when its
owner does. (Envoy makes a new table of those that are fit, which comes to the same on a ring.)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from hashlib import blake2b
from random import Random
from typing import NamedTuple, Protocol

from edgegate.upstream.endpoint import EndpointState


def hash64(data: bytes) -> int:
    """Return 64 bits that are the same everywhere and always."""
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")


class Table(Protocol):
    """To whom keys belong."""

    @property
    def owners(self) -> Sequence[int]:
        """Of each slot, an index of what the table was made of."""

    def slot(self, key: int) -> int:
        """Return the place of a key in C{owners}."""


class Tabled(NamedTuple):
    """
    A table, and whom it is of.

    @ivar endpoints: What the table's indexes mean.
    """

    table: Table
    endpoints: Sequence[EndpointState]


class HashBalancer:
    """Endpoints that are chosen by a table."""

    __slots__ = ("_others", "_random", "_tabled", "_usable")

    def __init__(self, tabled: Callable[[], Tabled], usable: Collection[EndpointState], random: Random) -> None:
        """
        @param tabled: Returns the table; asked at each choice. Its endpoints may be those from before a change, while
            the table of the present ones is made.
        @param usable: Those that may be chosen, of the table's or not: one at least.
        """
        self._tabled = tabled
        self._usable = frozenset(usable)
        self._others = tuple(usable)
        self._random = random

    def choose(self, key: int | None) -> EndpointState:
        """Return the owner of a key, or of a random one."""
        table, endpoints = self._tabled()
        if key is None:
            key = self._random.getrandbits(64)
        slot = table.slot(key)
        endpoint = endpoints[table.owners[slot]]
        return endpoint if endpoint in self._usable else self._next(table.owners, endpoints, slot, key)

    def _next(self, owners: Sequence[int], endpoints: Sequence[EndpointState], slot: int, key: int) -> EndpointState:
        """Return the next owner who is usable; a table smaller than its endpoints may have none."""
        usable, size = self._usable, len(owners)
        for step in range(slot + 1, slot + size):
            endpoint = endpoints[owners[step % size]]
            if endpoint in usable:
                return endpoint
        return self._others[key % len(self._others)]
