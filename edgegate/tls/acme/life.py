"""
The life of a certificate: when it is issued, when renewed, and when one tries again. Pure.

Times are seconds since the epoch, as clocks on the wall have them: what is kept of a certificate is read by other
processes, and after days.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from random import Random
from typing import Final

FIRST_DELAY: Final = 60.0
"""Seconds after the first failure; each one after it takes three times as long."""

LONGEST_DELAY: Final = 6 * 3600.0
"""Seconds between two tries, unless the authority asks for more."""

FACTOR: Final = 3.0
"""With these, one host fails five times in the first hour: what Let's Encrypt allows."""

_FIRST_PART: Final = 1 / 36
_LONGEST_PART: Final = 1 / 6
"""The parts of a certificate's life that these are at most: for those of minutes, and of hours."""

_SHORTEST_DELAY: Final = 5.0
"""Seconds after the first failure at least, whatever the life."""

LONGEST_RETRY_AFTER: Final = 8 * 86400.0
"""Seconds that an authority may put one off: its longest rate limit counts a week."""

SETTLED: Final = 600.0
"""Seconds after a certificate was issued in which no other one is, whatever its dates or the authority say."""

ASK_SOONEST: Final = 60.0
ASK_LATEST: Final = 86400.0
"""Seconds between two questions for the renewal window (RFC 9773 section 4.3.2)."""

ASK_USUALLY: Final = 6 * 3600.0
"""Seconds where the authority does not say (RFC 9773 section 4.3.3)."""

BEGUN: Final = "a try was begun, and has not ended"
"""Said of a try while it is under way, and after whoever made it has died."""

SPENT: Final = "what the authority issues is due for renewal when it comes: see whose clock is wrong"
"""Said of a certificate after which the next one is put off like a try that failed."""

_USED: Final = 2 / 3
"""The part of its life after which a certificate is renewed where the authority names no window."""

_SPREAD: Final = 0.05
"""The part of their lives by which certificates of one day are renewed apart from each other."""

_LAST: Final = 0.95
"""The part of its life after which no window puts a renewal off."""

_CHANCE: Final = 0.25
"""The part of a delay by which it is longer at most, by chance."""


class Step(Enum):
    """What is to be done."""

    WAIT = "wait"
    ISSUE = "issue"
    ASK = "ask"  # for the renewal window


@dataclass(frozen=True, slots=True)
class Action:
    """
    What is to be done next.

    @ivar at: When, for L{Step.WAIT}; else now.
    """

    step: Step
    at: float


@dataclass(frozen=True, slots=True)
class Record:
    """
    What is known of a certificate, beside itself.

    @ivar begin: When it was valid first; 0: there is none.
    @ivar end: When it ends.
    @ivar window: The renewal window that the authority has suggested last.
    @ivar renew_at: The time in it that was drawn; 0: there is no window.
    @ivar ask_at: When the authority is asked for it.
    @ivar failures: How many tries have failed since one succeeded.
    @ivar not_before: No try before that.
    @ivar error: Why the last one failed; empty: it did not.
    @ivar issued_at: When one was issued last; 0: that is not known.
    @ivar revoked: Whether the authority has revoked it.
    """

    begin: float = 0.0
    end: float = 0.0
    window: tuple[float, float] | None = None
    renew_at: float = 0.0
    ask_at: float = 0.0
    failures: int = 0
    not_before: float = 0.0
    error: str = ""
    issued_at: float = 0.0
    revoked: bool = False

    @property
    def issued(self) -> bool:
        """Whether there is a certificate."""
        return self.end > 0


class Life:
    """Decides on a certificate's life, by a clock and a random source of others."""

    def __init__(self, clock: Callable[[], float], random: Random, spread: float = 0.0) -> None:
        """
        @param clock: Returns the time.
        @param spread: From 0 to 1, for this certificate always the same.
        """
        self._clock = clock
        self._random = random
        self._spread = spread

    def next(self, record: Record) -> Action:
        """Return what is to be done next, by what is known."""
        now = self._clock()
        put_off = self.put_off(record)
        if not record.issued:
            return Action(Step.ISSUE, now) if now >= put_off else Action(Step.WAIT, put_off)
        renewal = self.renewal(record)
        due = max(renewal, put_off)
        if now >= due:
            return Action(Step.ISSUE, now)
        if now >= renewal:
            return Action(Step.WAIT, due)
        # what is further away than one ever waits was written by a clock that was wrong
        asks = not now < record.ask_at <= now + ASK_LATEST
        return Action(Step.ASK, now) if asks else Action(Step.WAIT, min(due, record.ask_at))

    def renewal(self, record: Record) -> float:
        """Return when a certificate is to be renewed, whatever has failed meanwhile."""
        if record.revoked:
            return 0.0
        life = max(record.end - record.begin, 0.0)
        if record.renew_at:
            return min(record.renew_at, record.begin + life * _LAST)
        return record.begin + life * (_USED - _SPREAD * self._spread)

    def put_off(self, record: Record) -> float:
        """Return before when there is no try. What no delay leads to was written by a clock that was wrong."""
        latest = self._clock() + LONGEST_RETRY_AFTER * (1 + _CHANCE)
        return 0.0 if record.not_before > latest else record.not_before

    def issued(self, begin: float, end: float, failures: int = 0) -> Record:
        """
        Return what is known of a certificate that has just been issued.

        @param failures: How many tries had failed before. They count on where it is due for renewal already, as where
            this machine's clock is wrong: to ask again and again would have that mended by nobody.
        """
        now = self._clock()
        settled = min(SETTLED, max((end - now) / 4, FIRST_DELAY / 2))
        # the authority is asked soon: its window may be other than two thirds
        record = Record(begin, end, ask_at=max(begin, now + settled), not_before=now + settled, issued_at=now)
        if self.renewal(record) > now:
            return record
        failed = self.failed(replace(record, failures=failures), SPENT)
        return replace(failed, not_before=max(failed.not_before, record.not_before))

    def failed(self, record: Record, error: str, retry_after: float = 0.0) -> Record:
        """
        Return what is known after a try has failed.

        @param retry_after: Seconds for which the authority wants no other; 0: it says nothing.
        """
        first, longest = FIRST_DELAY, LONGEST_DELAY
        if record.issued:
            # one of minutes would have ended by then
            life = record.end - record.begin
            first = min(first, max(life * _FIRST_PART, _SHORTEST_DELAY))
            longest = min(longest, max(life * _LONGEST_PART, FIRST_DELAY))
        delay = min(first * FACTOR ** min(record.failures, 20), longest)
        delay = max(delay, min(max(retry_after, 0.0), LONGEST_RETRY_AFTER))
        delay *= 1 + self._random.random() * _CHANCE
        return replace(record, failures=record.failures + 1, error=error, not_before=self._clock() + delay)

    def informed(self, record: Record, window: tuple[float, float] | None, retry_after: float = 0.0) -> Record:
        """
        Return what is known after the authority was asked for the renewal window (RFC 9773 section 4.2).

        @param window: L{None}: it says none, or could not be asked.
        @param retry_after: Seconds until it wants to be asked again; 0: it says nothing.
        """
        wait = min(max(retry_after or ASK_USUALLY, ASK_SOONEST), ASK_LATEST)
        record = replace(record, ask_at=self._clock() + wait)
        if window is None or window[1] < window[0]:
            return record
        if window == record.window:
            return record
        return replace(record, window=window, renew_at=self._random.uniform(*window))

    def revoked(self, record: Record) -> Record:
        """Return what is known of a certificate that was revoked: another is due, but for what has failed meanwhile."""
        return replace(record, revoked=True, not_before=record.not_before if record.failures else 0.0)
