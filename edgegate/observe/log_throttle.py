"""What would be said again and again is said once in a while."""

from __future__ import annotations

from collections.abc import Hashable

_MOST = 256
"""Things that are told apart; of more the oldest is forgotten."""


class LogThrottle:
    """Lets each thing through once in so many seconds, and counts how often it was held back meanwhile."""

    __slots__ = ("_seconds", "_told")

    def __init__(self, seconds: float = 10.0) -> None:
        self._seconds = seconds
        self._told: dict[Hashable, tuple[float, int]] = {}

    def due(self, thing: Hashable, now: float) -> int | None:
        """
        Tell whether something may be said: how often it was not since the last time, or L{None} if it may not.

        @param now: In seconds.
        """
        told = self._told
        last, held_back = told.get(thing, (None, 0))
        if last is not None and now - last < self._seconds:
            told[thing] = last, held_back + 1
            return None
        told.pop(thing, None)
        if len(told) >= _MOST:
            del told[next(iter(told))]
        told[thing] = now, 0
        return held_back
