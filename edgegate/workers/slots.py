"""What the workers of a gateway know of each other: a few numbers in memory that all of its processes share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from mmap import mmap
from typing import Final

from edgegate.access.rate_limits import buckets
from edgegate.net.nameless_file import nameless_file

SIZE: Final = 64
"""Bytes of a slot: those of two workers lie in no cache line together."""

COUNT: Final = 1024
"""Slots that there are."""

ABSENT: Final = 1 << 62
"""Connections of a worker that is not there: it is no measure for the others."""

SLACK: Final = 1
"""Connections that a worker may have more than another one and still take the next."""

_BEATS: Final = 0
_CONNECTIONS: Final = 1
_OPEN: Final = 2


def shared_memory() -> int:
    """Return the descriptor of memory for L{Slots} and buckets, which is the caller's to close."""
    fd = nameless_file("edgegate workers")
    os.ftruncate(fd, SIZE * COUNT + buckets.SIZE)
    os.pwrite(fd, os.urandom(buckets.SECRET), SIZE * COUNT)
    return fd


class Slots:
    """
    A slot for each worker, which it alone writes; the supervisor clears that of one that is gone.

    Each number is a machine word: who reads one sees what was written, never half of it.

    @ivar buckets: The memory of the token buckets of rate limits, which all workers take from, and where it begins; see
        L{edgegate.access.rate_limits.buckets}.
    """

    def __init__(self, fd: int) -> None:
        """
        @param fd: See L{shared_memory}; stays the caller's.
        """
        self._memory = mmap(fd, SIZE * COUNT + buckets.SIZE)
        self.buckets = self._memory, SIZE * COUNT
        slots = memoryview(self._memory)[: SIZE * COUNT]
        self._floats = slots.cast("d")
        self._integers = slots.cast("q")

    def beat(self, slot: int, now: float) -> None:
        """A worker lives.

        @param now: Monotonic seconds.
        """
        self._floats[slot * 8 + _BEATS] = now

    def last_beat(self, slot: int) -> float:
        """Return when a worker said last that it lives."""
        return self._floats[slot * 8 + _BEATS]

    def set_connections(self, slot: int, count: int) -> None:
        """A worker has so many connections, or is L{ABSENT}."""
        self._integers[slot * 8 + _CONNECTIONS] = count

    def connections(self, slot: int) -> int:
        """Return how many connections a worker has."""
        return self._integers[slot * 8 + _CONNECTIONS]

    def fewest(self, slots: Sequence[int], since: float) -> int:
        """
        Return how many connections the worker with the fewest of them has.

        @param since: Who gave no sign of life since then takes none, and is not waited for.
        """
        floats, integers = self._floats, self._integers
        found = [integers[slot * 8 + _CONNECTIONS] for slot in slots if floats[slot * 8 + _BEATS] >= since]
        return min(found, default=ABSENT)

    def set_open(self, slot: int, count: int) -> None:
        """So many connections of a worker are open, whether it takes further ones or ends."""
        self._integers[slot * 8 + _OPEN] = count

    def open_connections(self) -> int:
        """Return how many connections of all workers are open."""
        return sum(self._integers[slot * 8 + _OPEN] for slot in range(COUNT))


def takes_next(mine: int, fewest: int) -> bool:
    """
    Tell whether a worker takes the next connection, or leaves it to another one.

    The more there are, the more one may have before the others: it costs a wake-up to leave a connection alone.

    @param mine: Its connections.
    @param fewest: Those of the worker that has the fewest.
    """
    return mine <= fewest + SLACK + fewest // 16
