"""Which connections give way to others where there are too many: those that lie idle, the longest idle first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from heapq import nsmallest
from typing import Final, Protocol

UNFINISHED: Final = 1.0
"""
Seconds after which a connection gives way whose handshake is not over: that takes some round trips, and longer where a
packet is lost.
"""

UNASKED: Final = 0.25
"""Seconds after which one does that has not brought a whole request: a client that means to sends it at once."""

_KEPT: Final = 4
"""What part of all that were looked through is kept, if as many lie idle."""


class Idle(Protocol):
    """A client's connection that may lie idle."""

    def idle_since(self) -> float:
        """
        Return since when nothing has been under way on it, in the wheel's seconds; C{inf}: something is.

        A request or a handshake that is not whole is not under way, but has L{UNASKED} or L{UNFINISHED} seconds: the
        time that is returned then is that much later.
        """

    def give_way(self) -> bool:
        """End it, unless something has come meanwhile; return whether it ends."""


class LongestIdle:
    """
    Finds those that lie idle among many, the longest idle first.

    To look through all takes its time, in which nobody else has a turn. So what a look finds is kept, and used up
    before the next: what has begun to lie idle since has done so for less long than all of it.
    """

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: list[tuple[float, int, Idle]] = []  # the longest idle last

    def take(
        self, count: int, now: float, connections: Callable[[], Collection[Idle]], is_open: Callable[[Idle], bool]
    ) -> list[Idle]:
        """
        Return so many at most, and at least one where there is one. They are to end before the next are taken.

        @param now: The wheel's seconds.
        @param connections: Returns all of them, at a look.
        @param is_open: Whether one is still among them.
        """
        taken = self._take(count, is_open)
        if taken:
            return taken
        among = connections()
        self._found = _longest_idle(among, now, max(count, len(among) // _KEPT))
        self._found.reverse()
        return self._take(count, is_open)

    def forget(self) -> None:
        """Keep none in memory."""
        self._found = []

    def _take(self, count: int, is_open: Callable[[Idle], bool]) -> list[Idle]:
        taken: list[Idle] = []
        found = self._found
        while found and len(taken) < count:
            since, _, each = found.pop()
            # something may have come since
            if each.idle_since() == since and is_open(each):
                taken.append(each)
        return taken


def longest_idle(connections: Iterable[Idle], now: float, count: int) -> list[Idle]:
    """
    Return so many of those that lie idle, the longest idle first.

    @param now: The wheel's seconds.
    """
    return [each for _, _, each in _longest_idle(connections, now, count)]


def _longest_idle(connections: Iterable[Idle], now: float, count: int) -> list[tuple[float, int, Idle]]:
    """Return them with since when each is idle, and a number that tells it from all others."""
    idle = ((since, number, each) for number, each in enumerate(connections) if (since := each.idle_since()) <= now)
    return nsmallest(count, idle)
