# Compiled: each request that Redis counts comes by.
"""
Limits that are counted in Redis: what it is asked, and what its answers mean.

It counts in windows that slide: what passed in this period of its clock, and of what passed in the one before, the part
that still lies within a period from now. So there are two numbers for each key, however many requests there are, and
what is let through in any period is what the limit says as long as requests came evenly in the period before.

One script does it for all limits of a request: it counts them all, or none where one is over. The clock is Redis' own,
so it does not matter what gateways take for the time. Where that one is set back, what was counted goes on to count in
the window that begins then.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from edgegate.access.rate_limits.buckets import LONGEST_KEY
from edgegate.access.rate_limits.limits import CountedLimit, Over, Standing

SCRIPT: Final = b"""
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local counts = {}
local over, longest = 0, 0
for i, key in ipairs(KEYS) do
    local quota, period, cost = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
    local window = math.floor(now / period)
    local into = now - window * period
    local found = redis.call('GET', key)
    local at, current, previous = window, 0, 0
    if found then
        at, current, previous = string.match(found, '^(%d+) (%d+) (%d+)$')
        at, current, previous = tonumber(at), tonumber(current), tonumber(previous)
    end
    if at == window - 1 then
        current, previous = 0, current
    elseif at < window then
        current, previous = 0, 0
    end
    local used = current + previous * (period - into) / period
    if used + cost > quota then
        local wait
        if current + cost <= quota then
            wait = period * (1 - (quota - cost - current) / previous) - into
        else
            wait = period - into + math.max(0, period * (1 - (quota - cost) / current))
        end
        wait = math.max(1, math.ceil(wait))
        if wait > longest then
            over, longest = i, wait
        end
    end
    counts[i] = {window, current, previous, quota - used, period, cost, period - into}
end
local answer = {over, longest}
for i, key in ipairs(KEYS) do
    local window, current, previous, left, period, cost, rest = unpack(counts[i])
    if over == 0 then
        current, left = current + cost, left - cost
        redis.call('SET', key, string.format('%d %d %d', window, current, previous), 'PX', 2 * period)
    end
    answer[#answer + 1] = math.max(0, math.floor(left / cost))
    answer[#answer + 1] = math.ceil(rest)
end
return answer
"""
"""
Counts a request: C{KEYS} of its limits, and of each in C{ARGV} requests, milliseconds of the period, and cost.

Returns the limit that is over (from 1; 0: it passes), milliseconds until it is not, and of each limit the requests that
are left and the milliseconds of its window that are.
"""

LONGEST_TRUST: Final = 10.0
"""Seconds for which it is believed that a key is over, before Redis is asked again: somebody may have reset it."""

MOST_KEYS: Final = 65_536
"""Keys that are known to be over, at most."""


def key_in_redis(prefix: str, policy: str, limit: CountedLimit, key: bytes) -> bytes:
    """Return the key under which a request's key is counted. Gateways that say the same of a limit share it."""
    rule = limit.rule
    if len(key) > LONGEST_KEY:
        key = b"#" + blake2b(key, digest_size=20).hexdigest().encode()
    told = f"{prefix}:{policy}:{rule.name}:{milliseconds(rule.period)}:"
    return told.encode() + key


def milliseconds(period: float) -> int:
    """Return a period as Redis is told it."""
    return round(period * 1000)


def arguments(limits: Sequence[CountedLimit]) -> list[int]:
    """Return what the script is told of limits."""
    told: list[int] = []
    for limit in limits:
        rule = limit.rule
        told += (rule.requests, milliseconds(rule.period), rule.cost)
    return told


class Counted:
    """
    What Redis has said of a request.

    @ivar over: What keeps it from passing; L{None}: it passes.
    """

    __slots__ = ("over", "standings")

    def __init__(self, over: Over | None, standings: list[Standing]) -> None:
        self.over = over
        self.standings = standings


def counted(answer: object, limits: Sequence[CountedLimit]) -> Counted:
    """
    Read an answer of the script's.

    @raise ValueError: It is none.
    """
    if not isinstance(answer, list) or len(answer) != 2 + 2 * len(limits):
        raise ValueError(f"not the script's answer: {answer!r}")
    numbers = [each for each in answer if isinstance(each, int)]
    if len(numbers) != len(answer) or not 0 <= numbers[0] <= len(limits):
        raise ValueError(f"not the script's answer: {answer!r}")
    standings = [Standing(limit, numbers[2 + 2 * at], numbers[3 + 2 * at] / 1000) for at, limit in enumerate(limits)]
    over = Over(limits[numbers[0] - 1], numbers[1] / 1000) if numbers[0] else None
    return Counted(over, standings)


class OverKeys:
    """The keys that are over, and until when: nobody is asked for them as long."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until: dict[bytes, tuple[float, float]] = {}

    def add(self, key: bytes, wait: float, now: float) -> None:
        """
        A key is over.

        @param wait: Seconds; it is believed for L{LONGEST_TRUST} at most.
        @param now: Monotonic seconds.
        """
        until = self._until
        if len(until) >= MOST_KEYS:
            until.clear()
        until[key] = now + wait, now + (wait if wait < LONGEST_TRUST else LONGEST_TRUST)

    def wait(self, key: bytes, now: float) -> float:
        """Return for how many seconds a key is still over; 0: it may not be."""
        until = self._until
        if not until:
            return 0.0
        found = until.get(key)
        if found is None:
            return 0.0
        if found[1] <= now:
            del until[key]
            return 0.0
        return found[0] - now
