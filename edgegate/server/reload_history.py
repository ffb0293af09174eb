"""What came of the last readings of the files, for whoever looks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from edgegate.config.problems import Problem
from edgegate.server.reload import Outcome, Reload

KEPT = 50
"""Reloads, and lines and problems of each."""


@dataclass(frozen=True, slots=True)
class Reading:
    """
    One reading of the files, as far as it is kept.

    @ivar changes: The first lines of what was different then; C{lines} is how many there were.
    @ivar added: Of those lines, the ones that say what came; C{removed} and C{changed} likewise.
    @ivar problems: The first ones; C{found} is how many there were.
    """

    outcome: Outcome
    at: datetime
    seconds: float
    changes: tuple[str, ...]
    lines: int
    added: int
    removed: int
    changed: int
    problems: tuple[Problem, ...]
    found: int


class ReloadHistory:
    """
    The last readings that came to something: those of files that were what they were are not kept.

    @ivar began: When the gateway did, aware.
    @ivar installed: When the files were put into force that are served.
    @ivar refused: The last that was refused; L{None}: none was.
    @ivar count: How many there were, ever.
    """

    def __init__(self, first: Reload) -> None:
        self.began = datetime.now(timezone.utc)
        self.installed = first.at
        self.refused: Reading | None = None
        self.count = 0
        self._readings: deque[Reading] = deque(maxlen=KEPT)
        self.add(first)

    def __iter__(self) -> Iterator[Reading]:
        """Yield them, the newest first."""
        return reversed(self._readings)

    @property
    def is_refused(self) -> bool:
        """Whether the files that were read last are not served."""
        return bool(self._readings) and self._readings[-1].outcome is Outcome.REFUSED

    def add(self, reload: Reload | None) -> None:
        """Keep what came of one; L{None}: it begins only."""
        if reload is None or reload.outcome is Outcome.UNCHANGED:
            return
        reading = _reading(reload)
        self.count += 1
        if reload.outcome is Outcome.REFUSED:
            self.refused = reading
            last = self._readings[-1] if self._readings else None
            if last is not None and replace(last, at=reading.at, seconds=reading.seconds) == reading:
                # asked for again, and refused for the same: that is no news
                self._readings.pop()
        else:
            self.installed = reload.at
        self._readings.append(reading)


def _reading(reload: Reload) -> Reading:
    changes = reload.changes
    problems = tuple(reload.problems)
    added = sum(" added (" in line for line in changes)
    removed = sum(" removed (was " in line for line in changes)
    return Reading(
        reload.outcome,
        reload.at,
        round(reload.seconds, 3),
        changes[:KEPT],
        len(changes),
        added,
        removed,
        len(changes) - added - removed,
        problems[:KEPT],
        len(problems),
    )
