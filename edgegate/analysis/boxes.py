"""
Boxes: on each of some axes a set of values, as the bits of a number. A row of a list takes the requests of a box.

An axis has few values: cells of texts, or whether a condition holds. An axis that a box does not name is free.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from edgegate.analysis.limits import Steps

Box = dict[int, int]
"""Values by axis."""

YES: Final = 2
NO: Final = 1
"""The values of an axis that says whether something holds."""


def meeting(one: Box, other: Box) -> Box | None:
    """Return what two boxes have in common."""
    if len(other) > len(one):
        one, other = other, one
    box = dict(one)
    for axis, values in other.items():
        both = box.get(axis, values) & values
        if not both:
            return None
        box[axis] = both
    return box


def meet(one: Box, other: Box) -> bool:
    """Whether two boxes have anything in common."""
    if len(other) < len(one):
        one, other = other, one
    return all(other.get(axis, values) & values for axis, values in one.items())


def outside(box: Box, blockers: Sequence[Box], full: Sequence[int], steps: Steps) -> Box | None:
    """
    Find a part of a box that none of some others touches; L{None}: there is none, which is a proof.

    The blocker with the fewest ways out of it comes first: one that has none ends the search, one that has a single
    one forces it (as DPLL does with clauses).

    @param full: All values of each axis.
    @raise OutOfSteps: The search is too long.
    """
    # what is left to be looked at, the likeliest last; as deep as there are rows, so it is no recursion
    parts: list[tuple[Box, Sequence[Box]]] = [(box, blockers)]
    while parts:
        narrowed = _narrowed(*parts.pop(), full, steps)
        if narrowed is None:
            continue
        within, touching, ways = narrowed
        if not ways:
            return within
        apart = []
        for axis, out, inside in ways:
            apart.append(({**within, axis: out}, touching))
            within = {**within, axis: inside}
        parts.extend(reversed(apart))
    return None


_Ways = list[tuple[int, int, int]]
"""On which axes a box reaches beyond a blocker: values outside and inside of it."""


def _narrowed(
    box: Box, blockers: Sequence[Box], full: Sequence[int], steps: Steps
) -> tuple[Box, Sequence[Box], _Ways] | None:
    """
    Narrow a box as far as blockers that have but one way out of them force it.

    @return: L{None} where one has none; else the box, the blockers that touch it, and the ways out of the one that has
        the fewest; none where nothing touches it.
    """
    while True:
        steps.take(len(blockers) + 1)
        best: _Ways = []
        touching: list[Box] = []
        forced = False
        within = dict(box)
        for blocker in blockers:
            ways = _ways_out(within, blocker, full)
            if ways is None:
                continue
            if not ways:
                return None
            if len(ways) == 1:
                # from here on all others are asked with what this one forces, those before in the next round
                axis, out, _ = ways[0]
                within[axis] = out
                forced = True
                continue
            touching.append(blocker)
            if not best or len(ways) < len(best):
                best = ways
        if not forced:
            return box, touching, best
        box, blockers = within, touching


def _ways_out(box: Box, blocker: Box, full: Sequence[int]) -> _Ways | None:
    """Return the ways out of a blocker; L{None}: it and the box do not meet."""
    ways = []
    for axis, values in blocker.items():
        current = box.get(axis)
        if current is None:
            current = full[axis]
        if not current & values:
            return None
        if current & ~values:
            ways.append((axis, current & ~values, current & values))
    return ways
