# Hot path: each request of a policy is counted here, and when it ends.
"""The limits of one policy of concurrency: which of them count a request, and whether there is room for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from edgegate.access.rate_limits.conditions import condition_of
from edgegate.access.rate_limits.keys import LimitedRequest, key_of
from edgegate.model.guards.concurrency import ConcurrencyLimit

Place = tuple["CountedConcurrency", bytes]
"""Where a request counts: a limit, and the key by which it does."""


class ConcurrencyCounts:
    """
    What a limit has counted in one process, before and after a change of the files.

    @ivar under_way: How many requests of each key are: as many keys as there are such requests, at the most.
    @ivar allowed: How many requests have passed; C{limited}: were refused; C{shadowed}: would have been.
    """

    __slots__ = ("allowed", "limited", "shadowed", "under_way")

    def __init__(self) -> None:
        self.under_way: dict[bytes, int] = {}
        self.allowed = self.limited = self.shadowed = 0

    @property
    def total(self) -> int:
        """How many are under way, of all keys."""
        return sum(self.under_way.values())


class CountedConcurrency:
    """
    A limit at work, in one process.

    @ivar rule: What the files say of it.
    @ivar most: How many requests of one key this process may have under way.
    @ivar counts: What it has counted.
    """

    __slots__ = ("_holds", "_key", "_under_way", "counts", "most", "rule")

    def __init__(self, rule: ConcurrencyLimit, processes: int, counts: ConcurrencyCounts | None = None) -> None:
        """
        @param processes: How many divide the limit among them; each has one at least.
        @param counts: Where it goes on to count; L{None}: it begins at 0.
        """
        self.rule = rule
        self.most = -(-rule.requests // processes)
        self.counts = ConcurrencyCounts() if counts is None else counts
        self._under_way = self.counts.under_way
        self._holds = condition_of(rule.match)
        self._key = key_of(rule.by)

    def key_for(self, request: LimitedRequest) -> bytes | None:
        """Return the key of a request; L{None}: it is not counted."""
        holds = self._holds
        if holds is not None and not holds(request):
            return None
        return self._key.of(request)

    def under_way(self, key: bytes) -> int:
        """Return how many requests of a key are under way."""
        return self._under_way.get(key, 0)

    def begin(self, key: bytes) -> None:
        """A request of a key begins."""
        self.counts.allowed += 1
        self._under_way[key] = self._under_way.get(key, 0) + 1

    def end(self, key: bytes) -> None:
        """A request of a key that has begun ends."""
        left = self._under_way[key] - 1
        if left:
            self._under_way[key] = left
        else:
            del self._under_way[key]


class ConcurrencyLimits:
    """All limits of a policy."""

    __slots__ = ("limits",)

    def __init__(self, limits: Sequence[CountedConcurrency]) -> None:
        self.limits: Final = tuple(limits)

    def places(self, request: LimitedRequest) -> list[Place]:
        """Return where a request counts."""
        found: list[Place] = []
        for limit in self.limits:
            key = limit.key_for(request)
            if key is not None:
                found.append((limit, key))
        return found


def full(places: Sequence[Place]) -> CountedConcurrency | None:
    """Return the first limit that has no room; L{None}: all have."""
    for limit, key in places:
        if limit.under_way(key) >= limit.most:
            return limit
    return None


def begin(places: Sequence[Place]) -> None:
    """A request begins in all places."""
    for limit, key in places:
        limit.begin(key)


def end(places: Sequence[Place]) -> None:
    """It ends in all of them."""
    for limit, key in places:
        limit.end(key)
