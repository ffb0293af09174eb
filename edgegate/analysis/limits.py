"""How much work a proof may be, and what is said where it would be more."""

from __future__ import annotations

from typing import Final


class TooMuch(Exception):
    """Nothing can be proved: something is not understood, or there is too much of it. Its text says what."""


class OutOfSteps(TooMuch):
    """A search took more steps than it may."""


class Steps:
    """What work is left: a step is a look at a box, or at where a byte leads an automaton."""

    def __init__(self, most: int, within: Steps | None = None, what: str = "there") -> None:
        """
        @param within: What they are a part of: each step is one of these, too.
        @param what: Where there are too many, for messages.
        """
        self._left = most
        self._within = within
        self._what = what

    @property
    def spent(self) -> bool:
        """Whether more was to be taken than there was."""
        return self._left < 0

    def take(self, steps: int = 1) -> None:
        """
        Take some.

        @raise OutOfSteps: There are not so many left.
        """
        self._left -= steps
        if self._left < 0:
            raise OutOfSteps(f"{self._what} are too many combinations of conditions")
        if self._within is not None:
            self._within.take(steps)


WORK: Final = 5_000_000
"""Steps of all that is asked of one list of conditions, or of two that are compared: some seconds."""

STATES: Final = 6_000
"""Of the automaton of one expression."""

PRODUCT: Final = 20_000
"""States of several automata that are walked through together."""
