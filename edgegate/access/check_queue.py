"""
Slow checks of credentials: which run, which wait, and which are one too many.

Who guesses passwords shall not take the processor from those who have one. So few run at a time, few wait, fewer of
one client's, and the same credentials are looked at once for all that show them at the time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

AT_ONCE: Final = 2
MOST_WAITING: Final = 64
MOST_OF_CLIENT: Final = 4
"""Checks that one client's requests may wait for."""
MOST_FOR_CHECK: Final = 128
"""Requests that may wait for one check."""

Told = Callable[[bool | None], None]
"""Told whether the credentials fit; L{None}: nobody knows, as the check has failed."""


class Admission(Enum):
    """What becomes of a check that is asked for."""

    TAKEN = "taken"
    CLIENT_FULL = "the client waits for too many"
    FULL = "too many wait"


@dataclass(slots=True, eq=False)
class Check:
    """
    One check.

    @ivar digest: Of its credentials.
    @ivar client: Who asked first.
    @ivar work: Makes it; for a thread.
    @ivar told: Who wants to know.
    """

    digest: bytes
    client: Hashable
    work: Callable[[], bool] = field(repr=False)
    told: list[Told] = field(default_factory=list, repr=False)


class CheckQueue:
    """Decides which checks are made when. Belongs to the reactor's thread."""

    def __init__(
        self, start: Callable[[Check], None], at_once: int = AT_ONCE, most_waiting: int = MOST_WAITING
    ) -> None:
        """
        @param start: Has a check made somewhere, and L{ended} called when it was.
        """
        self._start = start
        self._at_once = at_once
        self._most_waiting = most_waiting
        self._running = 0
        self._waiting: deque[Check] = deque()
        self._known: dict[bytes, Check] = {}
        self._clients: dict[Hashable, int] = {}

    @property
    def waiting(self) -> int:
        """How many checks wait for their turn."""
        return len(self._waiting)

    def ask(self, digest: bytes, client: Hashable, work: Callable[[], bool], told: Told) -> Admission:
        """Have credentials looked at, unless there are too many; C{told} is called once, later, if they are."""
        known = self._known.get(digest)
        if known is not None:
            if len(known.told) >= MOST_FOR_CHECK:
                return Admission.FULL
            known.told.append(told)
            return Admission.TAKEN
        if self._clients.get(client, 0) >= MOST_OF_CLIENT:
            return Admission.CLIENT_FULL
        if self._running >= self._at_once and len(self._waiting) >= self._most_waiting:
            return Admission.FULL
        check = Check(digest, client, work, [told])
        self._known[digest] = check
        self._clients[client] = self._clients.get(client, 0) + 1
        self._waiting.append(check)
        self._go_on()
        return Admission.TAKEN

    def ended(self, check: Check, fits: bool | None) -> None:
        """A check was made, or has failed: L{None}."""
        self._running -= 1
        del self._known[check.digest]
        left = self._clients.pop(check.client) - 1
        if left:
            self._clients[check.client] = left
        try:
            for told in check.told:
                told(fits)
        finally:
            self._go_on()

    def _go_on(self) -> None:
        while self._waiting and self._running < self._at_once:
            self._running += 1
            self._start(self._waiting.popleft())
