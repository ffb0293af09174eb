# Hot path: takes a step per request.
"""
In which order the members of a cluster are taken: smooth weighted round-robin.

Smooth means that a heavy member's turns are spread over the cycle instead of
coming in a row (the algorithm of nginx's C{upstream}). Over one cycle, which is
as long as the sum of the weights divided by their greatest common divisor,
each member has exactly its share.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from math import gcd

from edgegate.upstream.endpoint import EndpointState

MAX_PLANNED = 65536
"""Steps that may be spent on working out a cycle in advance; a longer one is worked out turn by turn."""


def turns(weights: Sequence[int]) -> Iterator[int]:
    """
    Return an endless iterator over the indexes of C{weights}, each as often as it weighs.

    A step costs next to nothing where the cycle is short (equal weights above
    all), else it is linear in the number of members.

    @param weights: Zero or more each; 0 counts as 1, as in L{edgegate.routing.snapshot.Endpoint}.

    @raise ValueError: There is no member at all.
    """
    if not weights:
        raise ValueError("nobody to take in turn")
    whole = [weight or 1 for weight in weights]
    divisor = gcd(*whole)
    shares = [weight // divisor for weight in whole]
    length = sum(shares)
    if length == len(shares):
        return cycle(range(length))
    if length * len(shares) <= MAX_PLANNED:
        return cycle(tuple(islice(smooth(shares), length)))
    return smooth(shares)


def smooth(shares: Sequence[int]) -> Iterator[int]:
    """
    Yield indexes for ever: each turn everyone gains its share, and the richest is taken and pays for all.

    @param shares: One or more each.
    """
    total = sum(shares)
    owed = [0] * len(shares)
    while True:
        for index, share in enumerate(shares):
            owed[index] += share
        richest = max(owed)
        chosen = owed.index(richest)
        owed[chosen] -= total
        yield chosen


class RoundRobin:
    """One after the other, as often as each weighs."""

    __slots__ = ("_endpoints", "_turn")

    def __init__(self, endpoints: Sequence[EndpointState]) -> None:
        self._endpoints = endpoints
        self._turn = turns([endpoint.weight for endpoint in endpoints]).__next__

    def choose(self, key: int | None) -> EndpointState:
        """Return the one whose turn it is, which uses up its turn."""
        return self._endpoints[self._turn()]
