"""The clock that timers go by."""

from __future__ import annotations

from time import monotonic

from twisted.internet.interfaces import IReactorTime


def count_monotonic(reactor: IReactorTime) -> None:
    """
    Have a reactor's timers go by the clock that nobody sets.

    Its own is the time of day: were that set back by an hour, whatever is due would be an hour late. What was begun by
    that clock already, by an embedder's hand, goes on by it.
    """
    if not reactor.getDelayedCalls():
        reactor.seconds = monotonic  # type: ignore[method-assign]
