"""What rate limits keep: buckets, what was counted, and connections to those who count for several gateways."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from mmap import mmap
from typing import Final

from edgegate.access.rate_limits.buckets import SECRET, SIZE, Buckets
from edgegate.access.rate_limits.limits import CountedLimit, Counts, LocalLimits
from edgegate.access.rate_limits.sliding_window import OverKeys
from edgegate.http.guards.redis_link import RedisLink
from edgegate.model.guards.rate_limit import RateLimitGuard
from edgegate.model.redis import RedisServer
from edgegate.observe.metrics.buckets import COUNT, bucket_of
from edgegate.observe.metrics.label_bounds import OTHER

VERDICTS: Final = ("allowed", "limited", "shadow", "failed")
"""What may become of a request that a limit counts, as metrics call it."""

MOST_COUNTED: Final = 10_000
"""Limits that are told apart in metrics: files may name others all the time."""

Connect = Callable[[RedisServer], RedisLink]


class Latencies:
    """
    How long Redis took to answer.

    @ivar numbers: As those of a histogram: the sum of whole milliseconds, and one for each bucket.
    """

    __slots__ = ("numbers",)

    def __init__(self) -> None:
        self.numbers = [0] * (COUNT + 1)

    def add(self, seconds: float) -> None:
        """Count one answer."""
        milliseconds = int(seconds * 1000)
        self.numbers[0] += milliseconds
        self.numbers[1 + bucket_of(milliseconds)] += 1


class RateLimits:
    """
    What all policies share, and what stays when they change.

    @ivar memory: Where the buckets are, and from which byte on; L{None}: in memory of this process.
    """

    __slots__ = ("_buckets", "_counts", "_latencies", "_links", "memory")

    def __init__(self) -> None:
        self.memory: tuple[mmap, int] | None = None
        self._buckets: Buckets | None = None
        self._counts: dict[tuple[str, str], Counts] = {}
        self._latencies: dict[str, Latencies] = {}
        self._links: dict[RedisServer, tuple[RedisLink, int]] = {}

    @property
    def buckets(self) -> Buckets:
        """The buckets, which are there once somebody asks for them."""
        found = self._buckets
        if found is None:
            if self.memory is None:
                memory = mmap(-1, SIZE)
                memory[:SECRET] = os.urandom(SECRET)
                self.memory = memory, 0
            found = self._buckets = Buckets(*self.memory)
        return found

    def counts(self, policy: str, limit: str) -> Counts:
        """Return what a limit has counted, also before the files changed."""
        if len(self._counts) >= MOST_COUNTED and (policy, limit) not in self._counts:
            policy, limit = OTHER, OTHER
        return self._counts.setdefault((policy, limit), Counts())

    def latencies(self, policy: str) -> Latencies:
        """Return how long a policy has waited for answers."""
        if len(self._latencies) >= MOST_COUNTED and policy not in self._latencies:
            policy = OTHER
        return self._latencies.setdefault(policy, Latencies())

    def counted(self) -> Iterator[tuple[tuple[str, str, str], int]]:
        """Yield policy, limit and verdict with how many there were so far."""
        for (policy, limit), counts in self._counts.items():
            numbers = (counts.allowed, counts.limited, counts.shadowed, counts.failed)
            for verdict, number in zip(VERDICTS, numbers, strict=True):
                yield (policy, limit, verdict), number

    def waited(self) -> Iterator[tuple[str, list[int]]]:
        """Yield policies that ask Redis, with the numbers of their L{Latencies}."""
        for policy, latencies in self._latencies.items():
            yield policy, latencies.numbers

    def link(self, server: RedisServer, connect: Connect) -> RedisLink:
        """Return the connection to a Redis, which is the caller's until he gives it back by L{release}."""
        link, users = self._links.get(server) or (connect(server), 0)
        self._links[server] = link, users + 1
        return link

    def release(self, server: RedisServer) -> None:
        """A connection is needed no more by one of those who had it."""
        link, users = self._links[server]
        if users > 1:
            self._links[server] = link, users - 1
        else:
            del self._links[server]
            link.stop()

    def stop(self) -> None:
        """See L{edgegate.http.guards.state.GuardState.stop}: policies have given back what they had."""


class RateLimitState:
    """
    What is kept for one policy.

    @ivar limits: Its limits; C{local} counts by them in this gateway.
    @ivar link: To Redis, if that counts; C{over_keys}: what need not be asked there.
    """

    __slots__ = ("_guard", "_shared", "latencies", "limits", "link", "local", "over_keys")

    def __init__(self, guard: RateLimitGuard, shared: RateLimits, connect: Connect) -> None:
        self._guard = guard
        self._shared = shared
        name, buckets = guard.name, shared.buckets
        self.limits = tuple(CountedLimit(rule, name, buckets, shared.counts(name, rule.name)) for rule in guard.limits)
        self.local = LocalLimits(self.limits, buckets)
        self.over_keys = OverKeys()
        counted = guard.shared
        self.link = None if counted is None else shared.link(counted.redis, connect)
        self.latencies = None if counted is None else shared.latencies(name)

    def stop(self) -> None:
        """See L{edgegate.http.guards.state.GuardState.stop}."""
        if self.link is not None:
            assert self._guard.shared is not None
            self._shared.release(self._guard.shared.redis)
