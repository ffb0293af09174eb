"""When keys are fetched (C{pilot/pkg/model/jwks_resolver.go}), and how long they serve when they can't be."""

from __future__ import annotations

from typing import Final

REFRESH: Final = 20 * 60.0
"""Seconds after which keys are fetched again."""

KEPT: Final = 7 * 24 * 3600.0
"""Seconds for which keys serve that could not be fetched again."""

QUICK_TRIES: Final = 7
"""How many tries follow a first one that failed, L{QUICK} seconds apart."""

QUICK: Final = 1.0
FIRST_WAIT: Final = 60.0
LONGEST_WAIT: Final = 3600.0
"""Seconds between later ones: twice as many each time, up to this."""

EARLY: Final = 30.0
"""Seconds that are between two fetches for keys that nobody knows yet."""


class FetchSchedule:
    """
    Decides when to fetch next. Times are in seconds, of a clock that is never set back.

    @ivar failures: How many tries have failed, one after the other.
    """

    __slots__ = ("_early", "_succeeded", "failures")

    def __init__(self) -> None:
        self.failures = 0
        self._succeeded: float | None = None
        self._early: float | None = None

    def succeeded(self, now: float) -> float:
        """Keys were fetched: return in how many seconds to do so again."""
        self.failures = 0
        self._succeeded = now
        return REFRESH

    def failed(self) -> float:
        """They could not be: return in how many seconds to try again."""
        self.failures += 1
        late = self.failures - QUICK_TRIES - 1
        return QUICK if late < 0 else min(FIRST_WAIT * 2.0 ** min(late, 10), LONGEST_WAIT)

    def early(self, now: float) -> bool:
        """
        Whether to fetch at once as a token names a key that nobody knows: anybody can make such tokens, so not often.
        """
        if self._early is not None and now < self._early + EARLY:
            return False
        self._early = now
        return True

    def outdated(self, now: float) -> bool:
        """Whether the keys that there are are too old to be believed."""
        return self._succeeded is not None and now > self._succeeded + KEPT
