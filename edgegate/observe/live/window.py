"""
The last seconds: what rates and latencies are of.

There are two halves, of which the newer one is filled; once it is as long as it should be it becomes the older one. So
figures are of 5 to 10 seconds: long enough for quantiles, short enough to see trouble at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from edgegate.observe.live.latencies import quantiles
from edgegate.observe.live.tally import Tally, Told

HALF: Final = 5.0
"""Seconds of each half."""

Key = tuple[str, str, str, str, str]
"""
What requests, or relays, have in common: their listener, host and route (L{edgegate.observe.live.names}), their
cluster, and the address of the endpoint that was asked last. The last two are empty where there was none.
"""

Batch = list[tuple[Key, Told]]
"""What one process has counted."""

SHARES: Final = (0.5, 0.95, 0.99)

Figures = dict[str, Any]
"""The figures of a L{Tally}, as JSON has them; see L{figures}."""


class Window:
    """
    What all processes have counted of late.

    @ivar seconds: How many there are in it.
    """

    def __init__(self, now: float) -> None:
        """
        @param now: In seconds of a clock that is never set; so are all others.
        """
        self._newer: dict[Key, Tally] = {}
        self._older: dict[Key, Tally] = {}
        self._older_began = self._newer_began = self._now = now

    @property
    def seconds(self) -> float:
        """For how long it has been filled."""
        return self._now - self._older_began

    def add(self, batch: Batch) -> None:
        """Add what a process has counted."""
        for key, told in batch:
            tally = self._newer.get(key)
            if tally is None:
                tally = self._newer[key] = Tally()
            tally.add_told(told)

    def move(self, now: float) -> None:
        """What was added so far was of the time until now."""
        self._now = now

    def begin_half(self) -> None:
        """Leave out what is too old; comes before what is added next."""
        if self._now - self._newer_began >= HALF:
            self._older, self._newer = self._newer, {}
            self._older_began, self._newer_began = self._newer_began, self._now

    def items(self) -> Iterator[tuple[Key, Tally]]:
        """Yield what was counted; a key may come twice."""
        yield from self._older.items()
        yield from self._newer.items()


def figures(tally: Tally | None, seconds: float) -> Figures:
    """
    Return rates (a second), shares (0 to 1), latencies (milliseconds), and of relays bytes a second.

    @param tally: L{None}: there was nothing.
    @param seconds: In which they ended.
    """
    if tally is None or seconds <= 0:
        return dict(NOTHING)
    ended = tally.requests + tally.relays
    p50, p95, p99 = quantiles(tally.slots, SHARES)
    (backend,) = quantiles(tally.backend_slots, (0.95,))
    return {
        "rps": round(tally.requests / seconds, 3),
        "error_share": round(tally.failures / ended, 5) if ended else None,
        "errors": round(tally.failures / seconds, 3),
        "client_share": round(tally.client_failures / ended, 5) if ended else None,
        "flags": {flag: round(number / seconds, 3) for flag, number in sorted(tally.flags.items())},
        "p50": _shown(p50),
        "p95": _shown(p95),
        "p99": _shown(p99),
        "backend_p95": _shown(backend),
        "relays": round(tally.relays / seconds, 3),
        "received": round(tally.received / seconds),
        "sent": round(tally.sent / seconds),
    }


NOTHING: Final[Figures] = {
    "rps": 0.0,
    "error_share": None,
    "errors": 0.0,
    "client_share": None,
    "flags": {},
    "p50": None,
    "p95": None,
    "p99": None,
    "backend_p95": None,
    "relays": 0.0,
    "received": 0,
    "sent": 0,
}
"""The figures of what nobody asked for."""


def _shown(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else float(f"{milliseconds:.3g}")
