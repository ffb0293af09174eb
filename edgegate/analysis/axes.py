"""What conditions ask of one text of a request: its cells, and for each regular expression whether it matches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from edgegate.analysis.automata import Automaton, Expression, expression, word
from edgegate.analysis.boxes import NO, YES, Box
from edgegate.analysis.cells import CellReader, Texts
from edgegate.analysis.limits import Steps, TooMuch
from edgegate.analysis.wire import STAR, letters
from edgegate.model.matching import Kind, StringMatch, text_condition

_FEW_CELLS: Final = 40
"""Cells of which each is looked at where a combination of expressions has no text in some."""

_MOST_READERS: Final = 64
"""Readers of cells that are kept."""


class Numbers:
    """
    Gives axes their numbers.

    @ivar full: All values of each axis.
    @ivar constraints: Boxes in which there is no request.
    @ivar steps: What work is left to all of them together.
    """

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.full: list[int] = []
        self.constraints: list[Box] = []

    def axis(self, full: int = YES | NO) -> int:
        """Return the number of a new axis; by default of one that says whether something holds."""
        self.full.append(full)
        return len(self.full) - 1


@dataclass(frozen=True, slots=True)
class Kept:
    """
    What texts an axis can have.

    @ivar bytes_: Those that they are made of.
    @ivar shape: Reads all of them.
    @ivar check: Whether a text of these bytes is one of them.
    @ivar nice: Reads those that are better to show.
    @ivar start: How all begin.
    @ivar optional: Whether there may be no text at all.
    @ivar star: Whether C{*} is one of them, beside those of the shape.
    @ivar searched: Whether the shape is so narrow that its texts must be looked for.
    """

    bytes_: int
    shape: Expression
    nice: Expression
    check: Callable[[bytes], bool]
    start: bytes = b""
    optional: bool = False
    star: bool = False
    searched: bool = False


@dataclass(slots=True)
class Cell:
    """
    Texts that satisfy the same exact values and prefixes.

    @ivar samples: Some of them; L{None}: there is no text at all.
    @ivar single: Whether there is but one.
    """

    vector: int
    samples: list[bytes | None] = field(default_factory=list)
    single: bool = False


class TextAxis:
    """
    One text of a request.

    @ivar what: What messages call it.
    @ivar cells: The values of the axis are their places in this list.
    @ivar expressions: The axis of each regular expression that is asked for.
    """

    def __init__(self, what: str, conditions: Iterable[StringMatch], kept: Kept, numbers: Numbers) -> None:
        """
        @raise TooMuch: There are too many cells.
        """
        found = list(dict.fromkeys(conditions))
        self.what = what
        self.kept = kept
        self._steps = numbers.steps
        self.letters = letters(kept.bytes_)
        self.texts = Texts((each for each in found if each.kind in (Kind.EXACT, Kind.PREFIX)), self.letters)
        self.cells = self._cells()
        self.absent = sum(1 << place for place, cell in enumerate(self.cells) if cell.samples == [None])
        self.full = (1 << len(self.cells)) - 1
        self.number = numbers.axis(self.full)
        self.star = sum(1 << place for place, cell in enumerate(self.cells) if cell.samples == [STAR])
        self._places = {
            cell.vector: place for place, cell in enumerate(self.cells) if cell.samples not in ([None], [STAR])
        }
        self._places_mask = sum(1 << place for place in self._places.values())
        self._single = sum(1 << place for place, cell in enumerate(self.cells) if cell.single)
        self._cell_readers: dict[int, CellReader] = {}
        self._masks = self._masks_of_conditions()
        self.expressions: dict[str, int] = {}
        for match in found:
            if match.kind is Kind.REGEX and match.value not in self.expressions:
                self.expressions[match.value] = numbers.axis()
                numbers.constraints.extend(self._known_of(match))

    @property
    def present(self) -> int:
        """The cells of texts."""
        return self.full & ~self.absent

    def _cells(self) -> list[Cell]:
        kept, texts = self.kept, self.texts
        found: dict[int, Cell] = {}
        all_vectors: dict[int, None] = {}
        for text in texts.samples(kept.start):
            vector = texts.vector(text)
            all_vectors[vector] = None
            if not text.translate(None, self.letters) and kept.check(text):
                cell = found.setdefault(vector, Cell(vector, [], texts.single(text)))
                cell.samples.append(text)
        if kept.searched:
            for vector in all_vectors:
                text_there = None if vector in found else self._text_of(vector)
                if text_there is not None:
                    found[vector] = Cell(vector, [text_there], texts.single(text_there))
        # the first cells are the ones that are shown where there is a choice
        absent = [Cell(0, [None], single=True)] if kept.optional else []
        star = [Cell(texts.vector(STAR), [STAR], single=True)] if kept.star else []
        return [*absent, *found.values(), *star]

    def _text_of(self, vector: int) -> bytes | None:
        return self.word([(CellReader(self.texts, frozenset([vector])), True), (self.kept.shape, True)])

    def word(self, wanted: Sequence[tuple[Automaton, bool]]) -> bytes | None:
        """Return a text as L{edgegate.analysis.automata.word} does, within the work that is left."""
        return word(wanted, self.letters, steps=self._steps)

    def _masks_of_conditions(self) -> dict[StringMatch, int]:
        masks = [0] * len(self.texts.conditions)
        for place, cell in enumerate(self.cells):
            vector = cell.vector
            while vector:
                lowest = vector & -vector
                masks[lowest.bit_length() - 1] |= 1 << place
                vector ^= lowest
        return dict(zip(self.texts.conditions, masks, strict=True))

    def _known_of(self, match: StringMatch) -> Iterable[Box]:
        """Yield where a regular expression can't match, or must, as far as that needs no automaton."""
        holds = engine(match.value)
        matched = unmatched = 0
        for place, cell in enumerate(self.cells):
            text = cell.samples[0]
            if cell.single and text is not None and holds(text):
                matched |= 1 << place
            elif cell.single:
                unmatched |= 1 << place
        number = self.expressions[match.value]
        if matched:
            yield {self.number: matched, number: NO}
        if unmatched:
            yield {self.number: unmatched, number: YES}

    def where(self, match: StringMatch) -> int:
        """Return the cells in which a condition holds that is no regular expression."""
        return self.present if match.kind is Kind.PRESENT else self._masks[match]

    def add(self, box: dict[int, int], match: StringMatch, holds: bool) -> None:
        """Narrow a box to where a condition holds, or does not; it may have no values left on the axis."""
        if match.kind is Kind.REGEX:
            number = self.expressions[match.value]
            box[number] = box.get(number, YES | NO) & (YES if holds else NO)
            mask = self.present if holds else self.full
        else:
            mask = self.where(match) if holds else self.full & ~self.where(match)
        box[self.number] = box.get(self.number, self.full) & mask

    def asked(self, box: Box) -> dict[str, bool]:
        """Return which regular expressions must match in a box, and which must not."""
        found = {}
        for source, number in self.expressions.items():
            values = box.get(number, YES | NO)
            if values != YES | NO:
                found[source] = values == YES
        return found

    def _reader(self, mask: int) -> CellReader:
        """Return what reads the texts of some cells; it is kept, with what it finds out."""
        found = self._cell_readers.get(mask)
        if found is None:
            vectors = frozenset(vector for vector, place in self._places.items() if mask >> place & 1)
            found = CellReader(self.texts, vectors)
            if len(self._cell_readers) < _MOST_READERS:
                self._cell_readers[mask] = found
        return found

    def fits(self, text: bytes | None, box: Box) -> bool:
        """Whether a text, or none, is within a box."""
        mask, asked = box.get(self.number, self.full), self.asked(box)
        if text is None:
            return bool(mask & self.absent) and not any(asked.values())
        if text == STAR and self.star:
            return bool(mask & self.star) and _matches(text, asked)
        return self._inside(text, mask) and _matches(text, asked)

    def _inside(self, text: bytes, mask: int) -> bool:
        """Whether a text is in one of some cells."""
        place = self._places.get(self.texts.vector(text))
        return place is not None and bool(mask >> place & 1)

    def value(self, box: Box, more: Sequence[tuple[Automaton, bool]] = ()) -> bytes | Box | None:
        """
        Return a text that is in a box, or L{None} for no text; where there is neither, a box around it without any.

        @param more: What else must accept it or not.
        @raise TooMuch: It is not decided.
        """
        mask, asked = box.get(self.number, self.full), self.asked(box)
        found = self._sample(mask, asked) if not more else MISSING
        if not isinstance(found, Missing):
            return found
        text = self._find(mask, asked, more)
        if text is not None:
            return text
        return self._around(mask, asked, more)

    def _sample(self, mask: int, asked: dict[str, bool]) -> bytes | Missing | None:
        """Return a text of some cells that needs no automaton, L{None} for no text; L{MISSING}: none is known."""
        fallback: bytes | Missing = MISSING
        for place, cell in enumerate(self.cells):
            for text in cell.samples if mask >> place & 1 else ():
                if text is None:
                    if not any(asked.values()):
                        return None
                elif _matches(text, asked):
                    if text == STAR or read(self.kept.nice, text):
                        return text
                    fallback = text if isinstance(fallback, Missing) else fallback
        for source in (source for source, holds in asked.items() if holds):
            text = _word_of(source, self.kept.nice, self.letters)
            if text is not None and self._inside(text, mask) and _matches(text, asked):
                return text
        return fallback

    def _find(self, mask: int, asked: dict[str, bool], more: Sequence[tuple[Automaton, bool]]) -> bytes | None:
        """Find a text of some cells by automata, a nice one if there is one; L{None}: there is none."""
        if not more:
            # of a cell with one text that was a sample, and does not fit
            mask &= ~self._single
            if not mask:
                return None
        wanted = [*more, *self._readers(mask, asked)]
        try:
            found = self.word([*wanted, (self.kept.nice, True)])
        except TooMuch:
            found = None
        return self.word([*wanted, (self.kept.shape, True)]) if found is None else found

    def readers(self, box: Box) -> list[tuple[Automaton, bool]]:
        """
        Return what reads the texts in a box.

        @raise TooMuch: An expression is not understood.
        """
        return self._readers(box.get(self.number, self.full), self.asked(box))

    def _readers(self, mask: int, asked: dict[str, bool]) -> list[tuple[Automaton, bool]]:
        return [(self._reader(mask), True), *expressions_of(asked)]

    def narrows(self, box: Box) -> bool:
        """Whether a box says anything of this text."""
        return box.get(self.number, self.full) != self.full or bool(self.asked(box))

    def may_be_star(self, box: Box) -> bool:
        """Whether C{*} is in a box."""
        return bool(self.star) and self.fits(STAR, box)

    def of(self, box: Box) -> Box:
        """Return the part of a box that is about this text."""
        numbers = {self.number, *self.expressions.values()}
        return {axis: values for axis, values in box.items() if axis in numbers}

    def _around(self, mask: int, asked: dict[str, bool], more: Sequence[tuple[Automaton, bool]]) -> Box:
        """Return a box without texts, as wide as it is found to be: one that is learnt is not looked at again."""
        for source in list(asked):
            fewer = {other: holds for other, holds in asked.items() if other != source}
            if self._none(mask, fewer, more):
                asked = fewer
        wider = self._places_mask | mask
        if wider != mask and self._none(wider, asked, more):
            mask = wider
        elif len(self.cells) <= _FEW_CELLS:
            mask |= sum(1 << place for place in self._places.values() if self._none(1 << place, asked, more))
        known = {self.expressions[source]: YES if holds else NO for source, holds in asked.items()}
        return {self.number: mask, **known}

    def _none(self, mask: int, asked: dict[str, bool], more: Sequence[tuple[Automaton, bool]]) -> bool:
        if not isinstance(self._sample(mask, asked) if not more else MISSING, Missing):
            return False
        try:
            return self._find(mask, asked, more) is None
        except TooMuch:
            return False


class BeforeQuestionMark:
    """Reads targets of which another automaton reads the path."""

    def __init__(self, path: Automaton) -> None:
        self._path = path
        self.sets = path.sets | {1 << ord("?")}

    def move(self, state: int, byte: int) -> int:
        """Return where a byte leads: states behind a question mark are odd."""
        if state & 1:
            return state
        return state | 1 if byte == ord("?") else self._path.move(state >> 1, byte) << 1

    def accepts(self, state: int) -> bool:
        """Whether the text may end there."""
        return self._path.accepts(state >> 1)

    def dead(self, state: int) -> bool:
        """Whether no text that goes on from there is accepted."""
        path = state >> 1
        return not self._path.accepts(path) if state & 1 else self._path.dead(path)


class Missing:
    """No text is known."""


MISSING = Missing()


def expressions_of(asked: dict[str, bool]) -> list[tuple[Automaton, bool]]:
    """
    Return automata of expressions.

    @raise TooMuch: One is not understood.
    """
    return [(expression(source), holds) for source, holds in asked.items()]


def _matches(text: bytes, asked: dict[str, bool]) -> bool:
    return all(engine(source)(text) is holds for source, holds in asked.items())


@lru_cache(maxsize=1024)
def engine(source: str) -> Callable[[bytes], bool]:
    """Return what tells whether an expression matches a text, as the gateway asks it."""
    return text_condition(StringMatch(Kind.REGEX, source))


@lru_cache(maxsize=1024)
def _word_of(source: str, shape: Expression, allowed: bytes) -> bytes | None:
    """Return a word of an expression, if one is known, whatever else is asked for."""
    try:
        return word([(expression(source), True), (shape, True)], allowed)
    except TooMuch:
        return None


def read(automaton: Automaton, text: bytes) -> bool:
    """Whether an automaton accepts a text."""
    state = 0
    for byte in text:
        state = automaton.move(state, byte)
    return automaton.accepts(state)


class ListAxis:
    """A text of which all values are known, such as a method."""

    def __init__(self, values: Sequence[bytes], numbers: Numbers) -> None:
        """
        @param values: The likeliest first.
        """
        self.values = values
        self.full = (1 << len(values)) - 1
        self.number = numbers.axis(self.full)

    def where(self, match: StringMatch) -> int:
        """Return the values for which a condition holds."""
        holds = text_condition(match)
        return sum(1 << place for place, value in enumerate(self.values) if holds(value))

    def add(self, box: dict[int, int], match: StringMatch, holds: bool) -> None:
        """Narrow a box to where a condition holds, or does not."""
        mask = self.where(match)
        box[self.number] = box.get(self.number, self.full) & (mask if holds else self.full & ~mask)

    def first(self, box: Box) -> bytes:
        """Return the likeliest value in a box."""
        mask = box.get(self.number, self.full)
        return self.values[(mask & -mask).bit_length() - 1]
