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
from typing import Protocol

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


class Hashed:
    """Endpoints that are chosen by a table."""

    __slots__ = ("_endpoints", "_others", "_random", "_table", "_usable")

    def __init__(
        self,
        table: Callable[[], Table],
        endpoints: Sequence[EndpointState],
        usable: Collection[EndpointState],
        random: Random,
    ) -> None:
        """
        @param table: Makes the table of C{endpoints}, or has it; asked at each choice, the first of which pays for it.
        @param usable: Those of C{endpoints} that may be chosen: one at least.
        """
        self._table = table
        self._endpoints = endpoints
        self._usable = None if len(usable) == len(endpoints) else frozenset(usable)
        self._others = tuple(usable)
        self._random = random

    def choose(self, key: int | None) -> EndpointState:
        """Return the owner of a key, or of a random one."""
        table = self._table()
        if key is None:
            key = self._random.getrandbits(64)
        slot = table.slot(key)
        endpoint = self._endpoints[table.owners[slot]]
        usable = self._usable
        return endpoint if usable is None or endpoint in usable else self._next(table.owners, slot, key)

    def _next(self, owners: Sequence[int], slot: int, key: int) -> EndpointState:
        """Return the next owner who is usable; a table smaller than its endpoints may have none."""
        endpoints, usable, size = self._endpoints, self._usable or (), len(owners)
        for step in range(slot + 1, slot + size):
            endpoint = endpoints[owners[step % size]]
            if endpoint in usable:
                return endpoint
        return self._others[key % len(self._others)]
