"""Work that is done in short turns, between which everything else goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import CooperativeTask, Cooperator

TURN = 0.001
"""Seconds of each; Twisted's own C{cooperate} takes ten times as long."""


def in_turns(reactor: IReactorTime, work: Iterator[object]) -> CooperativeTask[Iterator[object]]:
    """
    Take the steps of some work, for L{TURN} at a time.

    @return: It can be paused and stopped, and tells when it is done.
    """
    return Cooperator(_turn, lambda call: reactor.callLater(0, call)).cooperate(work)


def _turn() -> Callable[[], bool]:
    end = perf_counter() + TURN
    return lambda: perf_counter() >= end
