"""Work that takes long, in steps of a millisecond or two: one in each turn of the reactor, between all else."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

log = Logger(namespace=__name__)


class Steps:
    """
    A queue of works, each of which is done to its end before the next begins.

    @ivar taken: How many steps were taken.
    """

    __slots__ = ("_call", "_clock", "_works", "taken")

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._works: deque[Iterator[object]] = deque()
        self._call: IDelayedCall | None = None
        self.taken = 0

    def add(self, work: Iterator[object]) -> None:
        """Begin a work soon. Each of its items is a step, and its end is the last."""
        self._works.append(work)
        if self._call is None:
            self._call = self._clock.callLater(0, self._step)

    def stop(self) -> None:
        """Leave undone what is not done yet."""
        self._works.clear()
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def _step(self) -> None:
        self._call = None
        self.taken += 1
        try:
            next(self._works[0])
        except StopIteration:
            self._works.popleft()
        except Exception:
            log.failure("a work in steps broke")
            self._works.popleft()
        if self._works and self._call is None:
            self._call = self._clock.callLater(0, self._step)
