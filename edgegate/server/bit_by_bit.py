"""Work of the loop's own thread that takes long altogether: it is done bit by bit, and requests go on in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from time import monotonic

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import CooperativeTask, Cooperator

SLICE = 0.001
"""Seconds of work at a time."""

PAUSE = 0.002
"""Seconds between two of them, at the least: the loop is lent for a third of its time."""


def bit_by_bit(clock: IReactorTime, work: Iterator[object]) -> CooperativeTask[Iterator[object]]:
    """
    Begin to do work, which yields wherever it can be interrupted.

    @return: Tells when it is done, and can be stopped.
    """
    return Cooperator(_slice_over, partial(clock.callLater, PAUSE)).cooperate(work)


def _slice_over() -> Callable[[], bool]:
    end = monotonic() + SLICE
    return lambda: monotonic() >= end
