# Hot path: chooses for each request.
"""Chance: each endpoint as likely as it weighs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

from edgegate.upstream.balancing import Chooser
from edgegate.upstream.endpoint import EndpointState

T = TypeVar("T")


class Lots(Generic[T]):
    """Things of different weights, one of which is drawn."""

    __slots__ = ("_bounds", "_last", "_things", "_total")

    def __init__(self, things: Sequence[T], weights: Sequence[float]) -> None:
        """
        @param weights: One for each, of which some are more than 0.
        """
        weighing = [(thing, weight) for thing, weight in zip(things, weights, strict=True) if weight > 0]
        self._things = [thing for thing, _ in weighing]
        self._bounds = list(accumulate(weight for _, weight in weighing))
        self._total = self._bounds[-1]
        self._last = len(weighing) - 1

    def at(self, point: float) -> T:
        """Return the thing in whose part of the whole a point lies, which is at least 0 and less than 1."""
        index = bisect_right(self._bounds, point * self._total)
        # rounding may make it the total itself
        return self._things[index if index < self._last else self._last]


class Drawn:
    """Endpoints that are drawn."""

    __slots__ = ("_lots", "_random")

    def __init__(self, endpoints: Sequence[EndpointState], random: Random) -> None:
        self._lots = Lots(endpoints, [endpoint.weight for endpoint in endpoints])
        self._random = random.random

    def choose(self, key: int | None) -> EndpointState:
        """Draw one."""
        return self._lots.at(self._random())


_PARTS = 10_007
"""A prime, so that where a key stands among so many says next to nothing of its place in a ring or table."""


class Spread:
    """Groups of endpoints with a share each: one is drawn, by the key where there is one, and chooses."""

    __slots__ = ("_lots", "_random")

    def __init__(self, choosers: Sequence[Chooser], shares: Sequence[float], random: Random) -> None:
        self._lots = Lots(choosers, shares)
        self._random = random.random

    def choose(self, key: int | None) -> EndpointState:
        """Let a group choose."""
        point = self._random() if key is None else key % _PARTS / _PARTS
        return self._lots.at(point).choose(key)
