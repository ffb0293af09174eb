# Hot path: told of each turn of the loop.
"""
How late the loop is: how long whoever has become ready must wait until everybody was called who was ready before.

One turn that takes long is no overload: a collection of garbage is one. Where
every turn of a second or so does, more is asked for than can be done.
"""

from __future__ import annotations

from typing import Final

SUSTAINED: Final = 1.0
"""Seconds for which the loop must be late with every turn, before less is taken on."""

QUIET: Final = 0.2
"""Seconds for which nobody is ready, after which the loop is not late: it waited, while turns that follow on each other
leave no more than the reactor's own timers in between."""

WINDOW: Final = 30.0
"""Seconds of which the longest turn is remembered by itself."""

_NEVER: Final = -1.0


class LoopLag:
    """
    Remember how late the loop is.

    @ivar bound: Seconds that a turn may take.
    @ivar crowded: Whether more descriptors are ready than are called at once.
    @ivar late: Whether each turn has taken longer for L{SUSTAINED} seconds. It ends with one that takes half as long,
        or when nobody has been ready for L{QUIET}; see L{begin}.
    @ivar last: Seconds that the last turn took.
    """

    __slots__ = ("_before", "_began", "_ended", "_longest", "_since", "bound", "crowded", "last", "late")

    def __init__(self, bound: float) -> None:
        self.bound = bound
        self.last = self._longest = self._before = self._began = 0.0
        self.crowded = self.late = False
        self._since = _NEVER
        self._ended = 0.0

    def begin(self, now: float) -> None:
        """Somebody is ready. Needs to be told only while it is L{late}, before any of them is called."""
        if now - self._ended > QUIET:
            self._since = _NEVER
            self.late = False

    def turned(self, seconds: float, now: float) -> None:
        """
        Everybody was called who was ready.

        @param seconds: How long that took.
        @param now: The time, in any seconds that only grow.
        """
        self.last = seconds
        if now - self._began >= WINDOW:
            self._turn_over(now)
        self._longest = max(self._longest, seconds)
        self.begin(now - seconds)
        self._ended = now
        if seconds <= self.bound:
            if self._since != _NEVER and (not self.late or seconds * 2 <= self.bound):
                self._since = _NEVER
                self.late = False
        elif self._since == _NEVER:
            self._since = now - seconds
        elif now - self._since >= SUSTAINED:
            self.late = True

    def longest(self, now: float) -> float:
        """
        Return the seconds that the longest turn took of the last 30 to 60 seconds. Changes nothing: several may look.

        @param now: The time, as L{turned} is told it.
        """
        age = now - self._began
        if age >= 2 * WINDOW:
            return 0.0
        return self._longest if age >= WINDOW else max(self._longest, self._before)

    def _turn_over(self, now: float) -> None:
        """Begin a new window."""
        if now - self._began < 2 * WINDOW:
            self._before = self._longest
            self._began += WINDOW
        else:
            self._before = 0.0
            self._began = now
        self._longest = 0.0
