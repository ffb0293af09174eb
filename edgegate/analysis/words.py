"""Texts that expressions of RE2 match in full, and what two of them have to do with each other."""

from __future__ import annotations

from collections.abc import Iterable

from edgegate.analysis.automata import ANY_BYTE, expression, word


def shortest_word(
    all_of: Iterable[str], none_of: Iterable[str] = (), allowed: Iterable[int] = ANY_BYTE
) -> bytes | None:
    """
    Return a shortest text that some expressions match and others do not; L{None}: there is none, which is a proof.

    @param allowed: The bytes that it may be made of, the nicest ones first.
    @raise TooMuch: It is not decided: an expression is not understood, or they are too large.
    """
    wanted = [(expression(each), True) for each in all_of] + [(expression(each), False) for each in none_of]
    return word(wanted, allowed)


def included(narrow: str, wide: str, allowed: Iterable[int] = ANY_BYTE) -> bool:
    """
    Whether all that one expression matches is matched by another.

    @raise TooMuch: See L{shortest_word}.
    """
    return shortest_word([narrow], [wide], allowed) is None


def disjoint(one: str, other: str, allowed: Iterable[int] = ANY_BYTE) -> bool:
    """
    Whether no text is matched by two expressions.

    @raise TooMuch: See L{shortest_word}.
    """
    return shortest_word([one, other], (), allowed) is None


def completable(source: str, text: bytes) -> int:
    """
    Return how long the longest beginning of a text is with which something begins that an expression matches.

    What follows is where it stops matching. Of a text that it matches, and of one that only ends too early, that is
    the whole length; where the expression matches nothing at all it is 0.

    @raise TooMuch: See L{shortest_word}.
    """
    automaton = expression(source)
    states = [0]
    for byte in text:
        state = automaton.move(states[-1], byte)
        if automaton.dead(state):
            break
        states.append(state)
    while len(states) > 1 and word([(automaton, True)], ANY_BYTE, start=(states[-1],)) is None:
        states.pop()
    return len(states) - 1
