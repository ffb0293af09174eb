# Hot path: twice for each request, while somebody looks.
"""
Latencies in slots, of which quantiles can be told: 16 slots for each doubling, so that none is off by more than 3.1 %.

Istio's buckets, which are for Prometheus, are too wide for that: where a service
is steady, what is read from them is wrong by up to a factor of two. Slots of
several processes, and of several moments, are added up and stay as exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

LEAST: Final = 256
"""Microseconds: what takes less is in the first slot."""

LAST: Final = 289
"""The slot of what takes 67 seconds or longer."""

_LONGEST: Final = 1 << 26
_LEAST_BITS: Final = 9


def slot_of(microseconds: int) -> int:
    """Return the slot of a time."""
    if microseconds < LEAST:
        return 0
    if microseconds >= _LONGEST:
        return LAST
    bits = microseconds.bit_length()
    return 1 + (bits - _LEAST_BITS) * 16 + ((microseconds >> (bits - 5)) & 15)


def milliseconds_of(slot: int) -> float:
    """Return the middle of a slot, in milliseconds."""
    if slot <= 0:
        return LEAST / 2 / 1000
    if slot >= LAST:
        return _LONGEST / 1000
    doublings, part = divmod(slot - 1, 16)
    width: int = 1 << (doublings + _LEAST_BITS - 5)
    return ((16 + part) * width + width / 2) / 1000


def quantiles(slots: Mapping[int, int], shares: Sequence[float]) -> list[float | None]:
    """
    Return the times that a share of requests did not take longer than, in milliseconds; L{None}: there were none.

    @param slots: How many there are in each.
    @param shares: From 0 to 1, the least first.
    """
    total = sum(slots.values())
    found: list[float | None] = []
    if not total:
        return [None] * len(shares)
    ordered = sorted(slots.items())
    place = 0
    seen = ordered[0][1]
    for share in shares:
        wanted = share * total
        while seen < wanted and place + 1 < len(ordered):
            place += 1
            seen += ordered[place][1]
        found.append(milliseconds_of(ordered[place][0]))
    return found
