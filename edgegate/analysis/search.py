"""The search for a request in some box and outside of others, with what is found out about expressions on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from edgegate.analysis.boxes import Box, outside
from edgegate.analysis.limits import Steps, TooMuch
from edgegate.analysis.spaces import Space
from edgegate.analysis.wire import Witness
from edgegate.analysis.witnesses import witness

STEPS: Final = 2_000_000
"""Of one search."""

TRIES: Final = 200
"""Parts of a box that are looked at before a search gives up: in each of them expressions seemed to allow a request."""


def find(space: Space, box: Box, blockers: Sequence[Box], most: int = STEPS) -> Witness | None:
    """
    Find a request in a box and in none of others; L{None}: there is none, which is a proof.

    What is learnt of the space is added to its constraints. The work is a part of the space's.

    @param most: How many steps it may take.
    @raise TooMuch: It is not decided.
    """
    steps = Steps(most, space.steps)
    undecided: list[Box] = []
    reason: TooMuch | None = None
    for _ in range(TRIES):
        part = outside(box, [*space.constraints, *blockers, *undecided], space.full, steps)
        if part is None:
            if reason is not None:
                raise reason
            return None
        try:
            found = witness(space, part)
        except TooMuch as error:
            reason = error
            undecided.append(part)
            continue
        if isinstance(found, Witness):
            return found
        space.constraints.append(found)
    raise reason or TooMuch("there are too many combinations of expressions")
