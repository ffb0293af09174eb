"""
What two ordered lists of routes do otherwise: a proof that it is nothing, or requests that show it.

Each pair of an old and a new row that do different things is looked at: the requests that both take are a box, and
those count that no earlier row of either list takes.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from edgegate.analysis.axes import TextAxis
from edgegate.analysis.boxes import Box, meet, meeting
from edgegate.analysis.limits import WORK, OutOfSteps, Steps, TooMuch
from edgegate.analysis.search import find
from edgegate.analysis.spaces import Space
from edgegate.analysis.wire import ANYWHERE, STAR, Surroundings, Witness
from edgegate.model.matching import HTTPMatch
from edgegate.routing.table import first_match

T = TypeVar("T", bound=Hashable)

Rows = Sequence[tuple[Sequence[HTTPMatch], T]]
"""What L{first_match} takes: conditions of which any must hold, or none, and what a request gets then."""


@dataclass(frozen=True, slots=True)
class Difference(Generic[T]):
    """
    A request that gets something else.

    @ivar request: The real tables were asked about it.
    @ivar old: What it got; L{None}: no row takes it.
    @ivar old_row: The place of the row; L{None}: there is none.
    """

    request: Witness
    old: T | None
    new: T | None
    old_row: int | None
    new_row: int | None


@dataclass(frozen=True, slots=True)
class Comparison(Generic[T]):
    """
    What came of comparing two lists.

    @ivar differences: Requests that get something else, in the order of the old rows.
    @ivar undecided: Why there may be more.
    """

    differences: tuple[Difference[T], ...] = ()
    undecided: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether it is proved that every request gets the same."""
        return not self.differences and not self.undecided


MOST: Final = 64


def compare(
    old: Rows[T],
    new: Rows[T],
    surroundings: Surroundings = ANYWHERE,
    most: int = MOST,
    work: int = WORK,
    within: Steps | None = None,
) -> Comparison[T]:
    """
    Find what two lists do otherwise.

    Of each pair of an old and a new row one request is shown. A row whose
    conditions name no path does not take C{OPTIONS *}, as the gateway has it.

    @param old: Values are the same where they are equal: what does not count should not be in them.
    @param surroundings: Of the virtual host that both are of.
    @param most: How many differences are looked for.
    @param work: How many steps all of it may take.
    @param within: What these are a part of.
    """
    old, new = list(old), list(new)
    if [(tuple(matches), value) for matches, value in old] == [(tuple(matches), value) for matches, value in new]:
        return Comparison()
    try:
        both = _Both(old, new, surroundings, work, within)
    except TooMuch as error:
        return Comparison((), (str(error),))
    return Comparison() if both.reordered() else both.compared(most)


@dataclass(frozen=True, slots=True)
class _Row:
    """
    One match of a row.

    @ivar row: The row's place; L{None}: it stands for all that no row takes.
    @ivar does: A number for what the row does.
    @ivar star: The same for C{OPTIONS *}.
    """

    match: HTTPMatch
    box: Box
    row: int | None
    does: int
    star: int


_NOTHING: Final = 0


class _Table(Generic[T]):
    """A list as it is served."""

    def __init__(self, rows: Rows[T]) -> None:
        self._rows = rows
        self._find = first_match((matches, place) for place, (matches, _) in enumerate(rows))

    def answer(self, request: Witness) -> tuple[int | None, T | None]:
        """Return the row that takes a request, and what it does."""
        place = self._find(request)
        if place is None:
            return None, None
        matches, value = self._rows[place]
        if request.path == STAR and not any(match.uri is not None for match in matches):
            return place, None
        return place, value


class _Both(Generic[T]):
    """Two lists in one space."""

    def __init__(self, old: Rows[T], new: Rows[T], surroundings: Surroundings, work: int, within: Steps | None) -> None:
        self._lists = [_Table(old), _Table(new)]
        self._space = space = Space(
            (match for rows in (old, new) for matches, _ in rows for match in matches), surroundings, work, within
        )
        path = space.path
        self._ordinary: Box = {path.number: path.full & ~path.star}
        self._star: Box = {path.number: path.star}
        self._values: dict[T, int] = {}
        self._old, self._new = self._rows(old), self._rows(new)
        self._in_old, self._in_new = _first_places(self._old), _first_places(self._new)

    def _rows(self, rows: Rows[T]) -> list[_Row]:
        found = []
        for place, (matches, value) in enumerate(rows):
            does = self._values.setdefault(value, len(self._values) + 1)
            star = does if any(match.uri is not None for match in matches) else _NOTHING
            for match in matches or (HTTPMatch(),):
                box = self._space.box(match)
                if box is not None:
                    found.append(_Row(match, box, place, does, star))
        return [*found, _Row(HTTPMatch(), {}, None, _NOTHING, _NOTHING)]

    def reordered(self) -> bool:
        """Whether both have the same rows, and of those that changed places every two are apart or do the same."""
        old, new = self._old, self._new
        where: dict[tuple[HTTPMatch, int, int], list[int]] = {}
        for place, row in enumerate(new):
            where.setdefault((row.match, row.does, row.star), []).append(place)
        places = []
        for row in old:
            found = where.get((row.match, row.does, row.star))
            if not found:
                return False
            places.append(found.pop(0))
        if len(places) != len(new):
            return False
        try:
            return not any(
                places[later] < place and self._quarrel(old[earlier], old[later])
                for earlier, place in enumerate(places)
                for later in self._taken(range(earlier + 1, len(old)))
            )
        except OutOfSteps:
            return False

    def _taken(self, places: range) -> range:
        """Take a step for each of some places."""
        self._space.steps.take(len(places))
        return places

    def _quarrel(self, one: _Row, other: _Row) -> bool:
        """Whether it may count which of two rows comes first."""
        same = one.does == other.does and one.star == other.star
        return not same and meet(one.box, other.box) and not self._apart(one.box, other.box)

    def _apart(self, one: Box, other: Box) -> bool:
        """Whether two boxes that meet have no path in common all the same, by their expressions."""
        path = self._space.path
        both = meeting(one, other)
        return both is not None and bool(path.asked(both)) and _no_text(path, both)

    def compared(self, most: int) -> Comparison[T]:
        """Look at all pairs of rows."""
        differences: list[Difference[T]] = []
        undecided: dict[str, None] = {}
        for found in self._found():
            if isinstance(found, str):
                undecided[found] = None
            else:
                differences.append(found)
            if len(differences) >= most or self._space.steps.spent:
                break
        return Comparison(tuple(differences), tuple(undecided))

    def _found(self) -> Iterator[Difference[T] | str]:
        try:
            yield from self._found_in_time()
        except OutOfSteps as error:
            yield str(error)

    def _found_in_time(self) -> Iterator[Difference[T] | str]:
        """
        Yield what is found.

        @raise OutOfSteps: There is no work left.
        """
        for place, row in enumerate(self._old):
            for other_place in self._rivals(place):
                other = self._new[other_place]
                for part, counts in (
                    (self._ordinary, row.does != other.does),
                    (self._star, row.star != other.star),
                ):
                    found = self._of_pair(place, other_place, part) if counts else None
                    if found is not None:
                        yield found
                        break

    def _rivals(self, place: int) -> list[int]:
        """Return the new rows that may take requests of an old one, those first that ask for the least beside it."""
        row, number = self._old[place], self._space.path.number
        path = row.box.get(number, -1)
        # no request gets past a row with the same conditions
        end = self._in_new.get(row.match, len(self._new))
        self._space.steps.take(min(end + 1, len(self._new)))
        found = [
            other_place
            for other_place, other in enumerate(self._new[: end + 1])
            if (row.does != other.does or row.star != other.star)
            and path & other.box.get(number, -1)
            and self._in_old.get(other.match, place) >= place
        ]
        return sorted(found, key=lambda each: len(row.box.keys() | self._new[each].box.keys()))

    def _of_pair(self, place: int, other_place: int, part: Box) -> Difference[T] | str | None:
        """Return a request in some part of the space that an old row takes and a new one; or why it is not decided."""
        old, new = self._old[place], self._new[other_place]
        box = meeting(old.box, new.box)
        box = None if box is None else meeting(box, part)
        if box is None:
            return None
        self._space.steps.take(place + other_place)
        blockers = [row.box for row in (*self._old[:place], *self._new[:other_place]) if meet(row.box, box)]
        if {} in blockers:
            return None
        try:
            request = find(self._space, box, blockers)
        except TooMuch as error:
            return str(error)
        if request is None:
            return None
        found = [table.answer(request) for table in self._lists]
        if [row for row, _ in found] != [old.row, new.row] and found[0][1] == found[1][1]:
            return f"what the tables say of {request}"  # never seen; a difference that is none is not told
        return Difference(request, found[0][1], found[1][1], found[0][0], found[1][0])


def _first_places(rows: Sequence[_Row]) -> dict[HTTPMatch, int]:
    places: dict[HTTPMatch, int] = {}
    for place, row in enumerate(rows):
        places.setdefault(row.match, place)
    return places


def _no_text(axis: TextAxis, box: Box) -> bool:
    try:
        return axis.word([*axis.readers(box), (axis.kept.shape, True)]) is None and not axis.may_be_star(box)
    except TooMuch:
        return False
