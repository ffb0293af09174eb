# Hot path: each request of a policy is counted here.
"""The limits of one policy: which of them count a request, and whether it may pass."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from edgegate.access.rate_limits.buckets import Buckets, Numbers
from edgegate.access.rate_limits.conditions import condition_of
from edgegate.access.rate_limits.keys import LimitedRequest, key_of
from edgegate.model.guards.rate_limit import RateLimit

NOTHING: Final = -1


class Counts:
    """
    What became of requests that a limit has counted.

    @ivar allowed: That passed, as far as it is concerned.
    @ivar limited: That it refused.
    @ivar shadowed: That it would have refused, were it not in shadow.
    @ivar failed: Of which it could not be told, as Redis could not.
    """

    __slots__ = ("allowed", "failed", "limited", "shadowed")

    def __init__(self) -> None:
        self.allowed = self.limited = self.shadowed = self.failed = 0


class CountedLimit:
    """
    A limit at work.

    @ivar rule: What the files say of it.
    @ivar counts: What became of its requests.
    @ivar interval: Seconds after which another request may pass.
    @ivar capacity: Seconds in which all of the burst may again.
    """

    __slots__ = (
        "_numbers",
        "capacity",
        "cost",
        "counts",
        "holds",
        "interval",
        "key",
        "rule",
    )

    def __init__(self, rule: RateLimit, policy: str, buckets: Buckets, counts: Counts | None = None) -> None:
        """
        @param policy: The name of its policy.
        @param counts: Where it goes on to count; L{None}: it begins at 0.
        """
        self.rule = rule
        self.counts = Counts() if counts is None else counts
        self.interval = rule.period / rule.requests
        self.capacity = self.interval * rule.burst
        self.cost = float(rule.cost)
        self.holds = condition_of(rule.match)
        self.key = key_of(rule.by)
        self._numbers = Numbers(buckets, identity(policy, rule))

    def key_for(self, request: LimitedRequest) -> bytes | None:
        """Return the key of a request; L{None}: it is not counted."""
        holds = self.holds
        if holds is not None and not holds(request):
            return None
        return self.key.of(request)

    def number(self, request: LimitedRequest) -> int:
        """Return the number of the bucket of a request; L{NOTHING}: it is not counted."""
        holds = self.holds
        if holds is not None and not holds(request):
            return NOTHING
        key = self.key.of(request)
        return NOTHING if key is None else self._numbers.of(key)


def identity(policy: str, rule: RateLimit) -> bytes:
    """Return what tells a limit from all others: as long as its numbers stay it goes on where it was."""
    said = repr((policy, rule.name, rule.requests, rule.period, rule.burst, rule.by))
    return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Over:
    """
    What keeps a request from passing.

    @ivar limit: That is over; of several the one that is for longest.
    @ivar wait: Seconds until a request like it may pass.
    """

    __slots__ = ("limit", "wait")

    def __init__(self, limit: CountedLimit, wait: float) -> None:
        self.limit = limit
        self.wait = wait


class Standing:
    """
    How a limit stands for the client of a request.

    @ivar left: Requests that may pass now.
    @ivar reset: Seconds until all of the burst may; where nothing is left, until one may.
    """

    __slots__ = ("left", "limit", "reset")

    def __init__(self, limit: CountedLimit, left: int, reset: float) -> None:
        self.limit = limit
        self.left = left
        self.reset = reset


class LocalLimits:
    """All limits of a policy, counted in this gateway."""

    __slots__ = ("_buckets", "limits")

    def __init__(self, limits: Sequence[CountedLimit], buckets: Buckets) -> None:
        self._buckets = buckets
        self.limits = tuple(limits)

    def take(self, request: LimitedRequest, now: float) -> Over | None:
        """
        Count a request, or return what keeps it from passing: then it counts nowhere.

        @param now: Monotonic seconds.
        """
        limits = self.limits
        if len(limits) > 1:
            return self._take_all(request, now)
        limit = limits[0]
        number = limit.number(request)
        if number == NOTHING:
            return None
        left = self._buckets.take(number, limit.interval, limit.capacity, limit.cost, now)
        if left < 0.0:
            return Over(limit, -left)
        limit.counts.allowed += 1
        return None

    def _take_all(self, request: LimitedRequest, now: float) -> Over | None:
        """Take from each bucket; where one has too little give back what was taken from others."""
        buckets = self._buckets
        taken: list[tuple[CountedLimit, int]] = []
        over: Over | None = None
        for limit in self.limits:
            number = limit.number(request)
            if number == NOTHING:
                continue
            if over is None:
                left = buckets.take(number, limit.interval, limit.capacity, limit.cost, now)
                if left >= 0.0:
                    taken.append((limit, number))
                    continue
            else:
                left = buckets.room(number, limit.interval, limit.capacity, limit.cost, now)
            if left < 0.0 and (over is None or -left > over.wait):
                over = Over(limit, -left)
        for limit, number in taken:
            if over is None:
                limit.counts.allowed += 1
            else:
                buckets.give_back(number, limit.interval * limit.cost)
        return over

    def standings(self, request: LimitedRequest, now: float) -> list[Standing]:
        """Return how the limits stand that count a request, after it was counted."""
        found: list[Standing] = []
        for limit in self.limits:
            number = limit.number(request)
            if number != NOTHING:
                left = self._buckets.room(number, limit.interval, limit.capacity, 0.0, now)
                found.append(_standing(limit, max(left, 0.0)))
        return found


def _standing(limit: CountedLimit, tokens: float) -> Standing:
    whole = int(tokens + 0.001)
    left = int(whole // limit.cost)
    missing = limit.cost - tokens if left == 0 else limit.rule.burst - tokens
    return Standing(limit, left, max(missing, 0.0) * limit.interval)
