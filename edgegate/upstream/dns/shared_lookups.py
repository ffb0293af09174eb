"""Addresses for whoever asks for a name once, found as those of clusters are (L{edgegate.upstream.dns.lookups})."""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed

from edgegate.net.wheel import Deadline, TimerWheel
from edgegate.upstream.dns.lookups import Answer, Lookups, find
from edgegate.upstream.dns.resolutions import LOST

MOST_WAITING = 1024
"""Questions that wait for the addresses of one name; more are told at once that there are none."""


class SharedLookups:
    """
    Look-ups of which there is one at a time for each name, whoever asks.

    One that is not answered is given up after L{LOST} seconds.
    """

    def __init__(self, lookups: Lookups, wheel: TimerWheel) -> None:
        self._lookups = lookups
        self._wheel = wheel
        self._waiting: dict[str, dict[Deferred[Answer], None]] = {}

    def find(self, name: str) -> Deferred[Answer]:
        """Return what fires with the answer, unless too many wait for it; it may be cancelled."""
        waiting = self._waiting.get(name, {})
        if len(waiting) >= MOST_WAITING:
            return succeed(Answer())
        found: Deferred[Answer] = Deferred(lambda found: waiting.pop(found, None))
        waiting[found] = None
        if name not in self._waiting:
            self._waiting[name] = waiting
            self._begin(name)
        return found

    def _begin(self, name: str) -> None:
        """Look up. The answer may come before this returns."""
        query = find(self._lookups, name)
        deadline = Deadline(self._wheel, query.cancel)
        deadline.start(LOST)

        def over(answer: Answer) -> None:
            deadline.end()
            for found in tuple(self._waiting.pop(name)):
                if not found.called:
                    found.callback(answer)

        query.addErrback(lambda _: Answer()).addCallback(over)
