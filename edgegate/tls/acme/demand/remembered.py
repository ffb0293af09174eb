"""Answers that are remembered for a while: so many at most, then those go that were asked for least lately."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """Answers by what they are about. Bounded, whatever comes."""

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        """
        @param clock: Returns seconds.
        """
        self._most = most
        self._clock = clock
        self._found: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def get(self, about: str) -> T | None:
        """Return what is remembered; L{None}: nothing, or no longer."""
        entry = self._found.get(about)
        if entry is None:
            return None
        until, answer = entry
        if self._clock() >= until:
            del self._found[about]
            return None
        self._found.move_to_end(about)
        return answer

    def put(self, about: str, answer: T, seconds: float) -> None:
        """Remember an answer for so long."""
        self._found[about] = self._clock() + seconds, answer
        self._found.move_to_end(about)
        if len(self._found) > self._most:
            self._found.popitem(last=False)

    def clear(self) -> None:
        """Forget all."""
        self._found.clear()

    def __len__(self) -> int:
        return len(self._found)
