"""Rows of an ordered list that no request ever reaches, as a proof, with the rows that take all that they ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from edgegate.analysis.boxes import Box, meet
from edgegate.analysis.limits import TooMuch
from edgegate.analysis.search import find
from edgegate.analysis.spaces import Space
from edgegate.analysis.wire import ANYWHERE, Surroundings, Witness
from edgegate.model.match_parts import parts
from edgegate.model.matching import HTTPMatch


def reaching(matches: Sequence[HTTPMatch], place: int, surroundings: Surroundings = ANYWHERE) -> Witness | None:
    """Return a request that comes to a row; L{None}: none is found."""
    try:
        space = Space(matches[: place + 1], surroundings, _WORK)
        boxes = [space.box(match) for match in matches[: place + 1]]
        own = boxes[place]
        before = [box for box in boxes[:place] if box is not None]
        return None if own is None else find(space, own, before)
    except TooMuch:
        return None


@dataclass(frozen=True, slots=True)
class Unreached:
    """
    A row that no request reaches.

    @ivar place: Its place in the list.
    @ivar by: The places of the rows that together take all that it asks for; none: its own conditions exclude each
        other. Of too many rows all are told.
    """

    place: int
    by: tuple[int, ...] = ()


_WORK: Final = 10_000_000
"""Steps of all that is looked at in one list."""

_SEARCH: Final = 400_000
"""Steps of these of one search."""

_MOST_TRIED: Final = 40
"""Rows that are left out one by one to see whether the others are enough."""


def impossible(match: HTTPMatch, surroundings: Surroundings = ANYWHERE) -> str | None:
    """
    Return which condition of a match no request satisfies, whatever the others are, by Istio's names.

    L{None}: it is proved of none.
    """
    for part in parts(match):
        if any(unreached([part.alone], surroundings)):
            return f"{part.field} {part.name}".rstrip()
    return None


def unreached(matches: Sequence[HTTPMatch], surroundings: Surroundings = ANYWHERE) -> Iterator[Unreached]:
    """
    Yield the rows that no request reaches; of what is not decided nothing is said.

    @param matches: The rows in order.
    """
    try:
        space = Space(matches, surroundings, _WORK)
    except TooMuch:
        return
    boxes: list[Box] = []
    for place, match in enumerate(matches):
        if space.steps.spent:
            return
        box = space.box(match)
        boxes.append(box if box is not None else _NOWHERE)
        if box is None:
            yield Unreached(place)
            continue
        before = _meeting(space, box, boxes[:place])
        if not _covered(space, box, [boxes[earlier] for earlier in before]):
            continue
        if _covered(space, box, []):
            yield Unreached(place)
        else:
            yield Unreached(place, _fewest(space, box, boxes, before))


_MOST_KNOWN: Final = 1000
"""Lists that are remembered: hosts of one VirtualService, which have the same, come one after the other."""


class Searches:
    """Looks at lists of matches, once at those of many hosts that are equal."""

    def __init__(self) -> None:
        self._known: dict[tuple[tuple[HTTPMatch, ...], Surroundings | None], dict[int, Unreached]] = {}

    def unreached(self, matches: tuple[HTTPMatch, ...], surroundings: Surroundings) -> dict[int, Unreached]:
        """Return the matches that no request reaches by their places; of what is not decided nothing is said."""
        key = matches, surroundings if any(_asks_for_the_place(match) for match in matches) else None
        found = self._known.get(key)
        if found is None:
            found = {each.place: each for each in unreached(matches, surroundings)}
            if len(self._known) >= _MOST_KNOWN:
                del self._known[next(iter(self._known))]
            self._known[key] = found
        return found


def _asks_for_the_place(match: HTTPMatch) -> bool:
    """Whether it depends on the listener or the host what a match asks for."""
    names = [name for name, _ in (*match.headers, *match.without_headers)]
    return match.port is not None or match.authority is not None or "host" in names or ":authority" in names


_NOWHERE: Final[Box] = {-1: 0}


def _meeting(space: Space, box: Box, boxes: Sequence[Box]) -> list[int]:
    """Return the places of boxes that meet another; none where there is no work left to look for them."""
    try:
        space.steps.take(len(boxes))
    except TooMuch:
        return []
    return [place for place, each in enumerate(boxes) if each is not _NOWHERE and meet(each, box)]


def _fewest(space: Space, box: Box, boxes: Sequence[Box], before: list[int]) -> tuple[int, ...]:
    """Return rows that take all of a box: one if one does it alone, else few."""
    for place in before:
        if _covered(space, box, [boxes[place]]):
            return (place,)
    kept = before
    if len(before) <= _MOST_TRIED:
        for place in reversed(before):
            fewer = [other for other in kept if other != place]
            if _covered(space, box, [boxes[other] for other in fewer]):
                kept = fewer
    return tuple(kept)


def _covered(space: Space, box: Box, blockers: Sequence[Box]) -> bool:
    """Whether it is proved that some boxes take all of another."""
    try:
        return find(space, box, blockers, _SEARCH) is None
    except TooMuch:
        return False
