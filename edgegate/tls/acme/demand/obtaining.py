"""How the first certificate of a name is got: from the store, or else from the authority. For threads."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from edgegate.tls.acme.care import Care, Kept
from edgegate.tls.acme.demand.ledger import Ledger, NoneLeft
from edgegate.tls.acme.life import Step
from edgegate.tls.acme.status import Outcome

PATIENCE = 300.0
"""Seconds for which another process is waited for that has a certificate issued."""

PAUSE = 0.5
"""Seconds between two looks at what it does."""


@dataclass(frozen=True, slots=True)
class Refused:
    """
    There is no certificate, nor is one asked for now.

    @ivar until: Until when, in seconds since the epoch.
    @ivar spent: Whether it is so for all names.
    @ivar outcome: What came of the try that was made just now; L{None}: none was.
    """

    reason: str
    until: float
    spent: bool = False
    outcome: Outcome | None = None


def is_good(kept: Kept, now: float) -> bool:
    """Whether what a store has can be served to somebody who asks for it the first time."""
    return kept.pair is not None and kept.record.end > now


def look_up(care: Care, clock: Callable[[], float]) -> Kept | Refused | None:
    """
    Return what the store has; L{None}: a certificate is to be issued, or is being. Nothing is written, and for a name
    that nobody knows it costs a look for two files.

    @raise OSError: It can't be read.
    """
    kept, action = care.look()
    if is_good(kept, clock()):
        return kept
    if action.step is Step.ISSUE or care.is_busy():
        return None
    return Refused(f"the last try failed: {kept.record.error or 'nobody knows why'}", action.at)


def obtain(
    care: Care, ledger: Ledger, clock: Callable[[], float], sleep: Callable[[float], None] = time.sleep
) -> Kept | Refused:
    """
    Have a certificate issued, or wait while another process does.

    @raise OSError: The store can't be read or written.
    """
    end, outcome = clock() + PATIENCE, None
    while clock() < end:
        kept, action = care.look()
        if is_good(kept, clock()):
            return kept
        if action.step is Step.ISSUE:
            # before anything is written for a name
            try:
                ledger.reserve(care.certificate.host)
            except NoneLeft as error:
                return Refused(str(error), error.until, spent=True)
            done = care.do()
            if done is not None and is_good(done, clock()):
                ledger.keep(care.certificate.host, done.record.end)
                return done
            if done is not None:
                outcome = done.outcome
                continue
        elif not care.is_busy():
            # the other one may have ended it since
            kept, action = care.look()
            if is_good(kept, clock()):
                return kept
            why = f"the try failed: {kept.record.error or 'nobody knows why'}"
            return Refused(why, action.at, outcome=outcome)
        sleep(PAUSE)
    return Refused("another process has not ended having it issued", clock() + PAUSE)
