"""What guards keep from one change of the files to the next: counts, keys, connections to those that they ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from edgegate.model.guards.guard import Guard


class GuardState(Protocol):
    """What is kept for one guard."""

    def stop(self) -> None:
        """Leave nothing behind: no guard asks for it any more."""


S = TypeVar("S", bound=GuardState)


class GuardStates:
    """
    The states of all guards, by the guards' values: one that is the same after a change of the files finds its own.

    @ivar processes: How many processes serve the same files, of which each has its share of what is allowed.
    """

    __slots__ = ("_shared", "_states", "processes")

    def __init__(self, processes: int = 1) -> None:
        self.processes = processes
        self._states: dict[Guard, GuardState] = {}
        self._shared: dict[type[GuardState], GuardState] = {}

    def of(self, guard: Guard, make: Callable[[], S]) -> S:
        """
        Return the state of a guard.

        @param make: Makes it, where there is none.
        """
        found = self._states.get(guard)
        if found is None:
            found = self._states[guard] = make()
        return found  # type: ignore[return-value]  # a type of guards has one of states

    def shared(self, kind: type[S], make: Callable[[], S]) -> S:
        """
        Return what all guards have together, by its type; it stays until the process ends.

        @param make: Makes it, where there is none.
        """
        found = self._shared.get(kind)
        if found is None:
            found = self._shared[kind] = make()
        return found  # type: ignore[return-value]

    def found(self, kind: type[S]) -> S | None:
        """Return what all guards have together, by its type; L{None}: no guard has asked for it yet."""
        return self._shared.get(kind)  # type: ignore[return-value]

    def keep(self, guards: Iterable[Guard]) -> None:
        """The files have changed: drop the states of all other guards."""
        there = set(guards)
        for guard in [guard for guard in self._states if guard not in there]:
            self._states.pop(guard).stop()

    def stop(self) -> None:
        """Drop them all."""
        self.keep(())
        for each in self._shared.values():
            each.stop()
        self._shared.clear()
