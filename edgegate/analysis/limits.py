"""How much work a proof may be, and what is said where it would be more."""

from __future__ import annotations

from typing import Final


class TooMuch(Exception):
    """Nothing can be proved: something is not understood, or there is too much of it. Its text says what."""


STATES: Final = 6_000
"""Of the automaton of one expression."""

PRODUCT: Final = 20_000
"""States of several automata that are walked through together."""
