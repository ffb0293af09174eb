"""Work of the loop's own thread that takes long in all: it is done in short turns, and requests go on in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import CooperativeTask, Cooperator

TURN = 0.001
"""Seconds of each; Twisted's own C{cooperate} takes ten times as long."""

PAUSE = 0.002
"""Seconds between two turns of work that nobody waits for: the loop is lent for a third of its time."""


def in_turns(clock: IReactorTime, work: Iterator[object], pause: float = 0.0) -> CooperativeTask[Iterator[object]]:
    """
    Begin to do work, which yields wherever it can be interrupted.

    @param pause: Seconds between two turns, at the least.
    @return: Tells when it is done, and can be paused and stopped.
    """
    return Cooperator(_turn, lambda call: clock.callLater(pause, call)).cooperate(work)


def _turn() -> Callable[[], bool]:
    end = monotonic() + TURN
    return lambda: monotonic() >= end
