# Hot path, not compiled: made in steps by __new__, which mypyc does not call.
"""
A ring of points, many to each endpoint; a key belongs to the point that follows it (Envoy's C{RING_HASH}).

Envoy shares out a number of points among the endpoints, so that one which
leaves makes room for new points of the others, and their keys move as well.
Here each endpoint has its points to itself: only the keys of those that come
or go move. That makes larger rings, and more even shares.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from math import floor, log2
from struct import unpack

POINTS = 1024
"""Points of an endpoint of common weight, at least: they keep its share within a few percent of its due."""

MAX_POINTS = 1 << 17
"""Points of a ring at most, about: some tenths of a second to make."""

_PER_DIGEST = 8

_STEP = 2048
"""Points that are made, or put in order, in one step; about."""

_BITS = 32  # more than there can be endpoints
_MASK = (1 << _BITS) - 1


class Ring:
    """
    The ring of some endpoints.

    @ivar points: In ascending order, 64 bits each.
    @ivar owners: The index of the endpoint of each point.
    """

    __slots__ = ("owners", "points")

    def __init__(self, names: Sequence[str], weights: Sequence[float], size: int = POINTS) -> None:
        """
        @param names: What is hashed, of each endpoint: different ones.
        @param weights: More than 0.
        @param size: Points that are wanted at least.
        """
        self.points = array("Q")
        self.owners = array("L")
        for _ in self._making(names, replicas(weights, size)):
            pass

    @classmethod
    def steps(cls, names: Sequence[str], weights: Sequence[float], size: int = POINTS) -> Iterator[Ring | None]:
        """Make it in steps, which yield L{None}; the last yields the ring."""
        ring = cls.__new__(cls)
        ring.points = array("Q")
        ring.owners = array("L")
        yield from ring._making(names, replicas(weights, size))
        yield ring

    def _making(self, names: Sequence[str], counts: Sequence[int]) -> Iterator[None]:
        # points are spread evenly: those that begin alike are few enough to be put in order in one step
        digits = max(sum(counts) // _STEP, 1).bit_length()
        buckets: list[list[int]] = [[] for _ in range(1 << digits)]
        shift = 64 + _BITS - digits
        made = 0
        for index, (name, count) in enumerate(zip(names, counts, strict=True)):
            for first in range(0, count, _STEP):
                # one number of both sorts faster than a pair of them
                for point in _points(name, min(count, first + _STEP), first):
                    number = point << _BITS | index
                    buckets[number >> shift].append(number)
                    made += 1
                if made >= _STEP:
                    made = 0
                    yield None
        for bucket in buckets:
            bucket.sort()
            self.points.extend([point >> _BITS for point in bucket])
            self.owners.extend([point & _MASK for point in bucket])
            yield None

    def slot(self, key: int) -> int:
        """Return the index of the point that follows a key."""
        slot = bisect_left(self.points, key)
        return slot if slot < len(self.points) else 0


def replicas(weights: Sequence[float], size: int) -> list[int]:
    """
    Return how many points each endpoint has.

    They are rounded to powers of two where they depend on all endpoints, so that they rarely change when one leaves.
    """
    common = 2.0 ** floor(log2(sum(weights) / len(weights)))
    each = 2 ** floor(log2(max(size, POINTS)))
    while each > 1 and each * sum(weights) / common > MAX_POINTS:
        each //= 2
    return [max(round(each * weight / common), 1) for weight in weights]


def _points(name: str, count: int, first: int = 0) -> list[int]:
    """Return the points of an endpoint from one on, whose number can be divided by those of a digest, up to another."""
    start = name.encode()
    found: list[int] = []
    for block in range(first // _PER_DIGEST, -(-count // _PER_DIGEST)):
        found.extend(unpack(">8Q", blake2b(b"%b_%d" % (start, block)).digest()))
    return found[: count - first]
