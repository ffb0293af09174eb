"""Which connections give way to others where there are too many: those that lie idle, the longest idle first."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nsmallest
from typing import Final, Protocol

UNFINISHED: Final = 1.0
"""
Seconds after which a connection gives way whose handshake is not over: that takes some round trips, and longer where a
packet is lost.
"""

UNASKED: Final = 0.25
"""Seconds after which one does that has not brought a whole request: a client that means to sends it at once."""


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


def longest_idle(connections: Iterable[Idle], now: float, count: int) -> list[Idle]:
    """
    Return so many of those that lie idle, the longest idle first.

    @param now: The wheel's seconds.
    """
    idle = ((since, number, each) for number, each in enumerate(connections) if (since := each.idle_since()) <= now)
    return [each for _, _, each in nsmallest(count, idle)]
