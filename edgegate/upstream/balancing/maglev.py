# Hot path, not compiled: made in steps by __new__, which mypyc does not call.
"""
Maglev's table: every endpoint fills slots in an order of its own, in turn, until none is free.

U{Eisenbud et al., Maglev, NSDI 2016, section 3.4<https://research.google/pubs/pub44824/>}, with weights as Envoy has
them: a light endpoint misses turns. A key costs one look, and the slots are shared out exactly.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from heapq import heapreplace
from math import ceil

from edgegate.upstream.balancing.hash_balancer import hash64

MAX_SIZE = 131_071
"""Slots at most, a prime: a tenth of a second to fill."""

_STEP = 8192
"""Slots that are looked at in one step."""

_FILLED = 8
"""As how many of them one counts that is filled, in time."""


class Maglev:
    """
    The table of some endpoints.

    @ivar owners: The index of the endpoint of each slot.
    """

    __slots__ = ("_size", "owners")

    def __init__(self, names: Sequence[str], weights: Sequence[float], size: int) -> None:
        """
        @param names: What is hashed, of each endpoint: different ones.
        @param weights: More than 0.
        @param size: A prime (Istio's C{tableSize}), as many slots as there are; L{MAX_SIZE} are where it is more.
        """
        for _ in self._filling(names, weights, size):
            pass

    @classmethod
    def steps(cls, names: Sequence[str], weights: Sequence[float], size: int) -> Iterator[Maglev | None]:
        """Make it in steps, which yield L{None}; the last yields the table."""
        table = cls.__new__(cls)
        yield from table._filling(names, weights, size)
        yield table

    def _filling(self, names: Sequence[str], weights: Sequence[float], size: int) -> Iterator[None]:
        self._size = size = min(size, MAX_SIZE)
        self.owners = owners = array("L", [len(names)]) * size
        yield from _fill(owners, names, weights)

    def slot(self, key: int) -> int:
        """Return the index of the slot of a key."""
        return key % self._size


class _Filling:
    """One endpoint's way through the table."""

    __slots__ = ("due", "index", "position", "skip", "weight")

    def __init__(self, index: int, name: str, weight: float, size: int) -> None:
        self.index = index
        self.weight = weight
        self.due = 0
        self.position = hash64(name.encode()) % size
        self.skip = hash64(f"{name}_skip".encode()) % (size - 1) + 1 if size > 1 else 0


def _fill(owners: array[int], names: Sequence[str], weights: Sequence[float]) -> Iterator[None]:
    """Fill a table whose slots all hold what is no endpoint's index: their number."""
    heaviest = max(weights)
    size, free = len(owners), len(names)
    # in the order of their names: the files' order is not to move a key
    order = sorted(range(len(names)), key=lambda index: names[index])
    fillings = [_Filling(index, names[index], weights[index] / heaviest, size) for index in order]
    # whose turn is next, and when: a light endpoint is not looked at in the turns that it misses
    turns = [(1, place) for place in range(len(fillings))]
    left = _STEP
    for _ in range(size):
        turn, place = turns[0]
        filling = fillings[place]
        filling.due += 1
        position, skip = filling.position, filling.skip
        while owners[position] != free:
            position = (position + skip) % size
            left -= 1
            if left <= 0:
                left = _STEP
                yield None
        owners[position] = filling.index
        filling.position = (position + skip) % size
        heapreplace(turns, (max(turn + 1, ceil(filling.due / filling.weight)), place))
        left -= _FILLED
        if left <= 0:
            left = _STEP
            yield None
