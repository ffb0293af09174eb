"""
What conditions ask of a header, of which a request may have several fields.

Each field is looked at alone, so that one may satisfy one condition and another one its opposite. What counts is, for
each condition, whether some field satisfies it: each is an axis of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from edgegate.analysis.automata import Automaton, word
from edgegate.analysis.axes import Numbers, engine, expressions_of
from edgegate.analysis.boxes import NO, YES, Box
from edgegate.analysis.cells import CellReader, Texts
from edgegate.analysis.limits import TooMuch
from edgegate.analysis.wire import FIELD, FIELD_VALUE, PLAIN_VALUE, is_value, letters
from edgegate.model.claims import MARK
from edgegate.model.matching import Kind, StringMatch, text_condition

_LETTERS = letters(FIELD)


class FieldAxes:
    """
    The fields of one name.

    @ivar there: The axis that says whether there is any.
    @ivar some: For each condition the axis that says whether some field satisfies it.
    """

    def __init__(self, name: str, conditions: Iterable[StringMatch], numbers: Numbers) -> None:
        """
        @raise TooMuch: There are too many conditions.
        """
        self.name = name
        self._missing_is_empty = not name.startswith(MARK)
        self.there = numbers.axis()
        self._steps = numbers.steps
        asked = [each for each in dict.fromkeys(conditions) if not _any_value(each)]
        self.some = {each: numbers.axis() for each in asked}
        self._texts = Texts((each for each in asked if each.kind is not Kind.REGEX), _LETTERS)
        numbers.constraints.extend(self._constraints())

    def _constraints(self) -> Iterator[Box]:
        wider = [each for each in self.some if each.kind is not Kind.EXACT or each.ignore_case]
        for match, number in self.some.items():
            yield {number: YES, self.there: NO}
            if match.kind is Kind.REGEX:
                continue
            value = match.value.encode()
            if match.kind is Kind.EXACT and not match.ignore_case and not is_value(value):
                yield {number: YES}
                continue
            self._steps.take(len(wider))
            for other in wider:
                if other != match and _follows(match, value, other):
                    yield {number: YES, self.some[other]: NO}

    def axis(self, match: StringMatch) -> int:
        """Return the axis that says whether some field satisfies a condition."""
        return self.there if _any_value(match) else self.some[match]

    def add(self, box: dict[int, int], match: StringMatch, holds: bool) -> None:
        """Narrow a box to where some field satisfies a condition, or none does."""
        number = self.axis(match)
        box[number] = box.get(number, YES | NO) & (YES if holds else NO)
        if not holds and match.kind is not Kind.PRESENT and self._missing_is_empty and text_condition(match)(b""):
            # to such a condition a header that is not there is empty
            box[self.there] = box.get(self.there, YES | NO) & YES

    def values(self, box: Box) -> list[bytes] | Box:
        """
        Return values of fields that are in a box, as few as are found; where there are none, a box around it.

        @raise TooMuch: It is not decided.
        """
        must = [match for match, number in self.some.items() if box.get(number, YES | NO) == YES]
        never = [match for match, number in self.some.items() if box.get(number, YES | NO) == NO]
        if not must:
            if box.get(self.there, YES | NO) != YES:
                return []
            value = self._value([], never)
            return self._around([], never) if value is None else [value]
        if len(must) > 1:
            value = self._value(must, never, decide=False)
            if value is not None:
                return [value]
        found = []
        for match in must:
            value = self._value([match], never)
            if value is None:
                return self._around([match], never)
            found.append(value)
        return list(dict.fromkeys(found))

    def _around(self, must: list[StringMatch], never: list[StringMatch]) -> Box:
        """Return a box without requests, as wide as it is found to be."""
        for each in list(never):
            fewer = [other for other in never if other is not each]
            try:
                if self._value(must, fewer) is None:
                    never = fewer
            except TooMuch:
                continue
        return {
            **({self.some[each]: YES for each in must} or {self.there: YES}),
            **{self.some[each]: NO for each in never},
        }

    def _value(self, must: list[StringMatch], never: list[StringMatch], decide: bool = True) -> bytes | None:
        """
        Return a value that satisfies some conditions and none of others; L{None}: there is none.

        @param decide: Whether L{None} is to be a proof.
        @raise TooMuch: It is not decided.
        """
        for sample in chain.from_iterable(map(_samples, must)) if must else (b"x", b"1", b"-"):
            refused = any(_holds(each, sample) for each in never)
            if is_value(sample) and not refused and all(_holds(each, sample) for each in must):
                return sample
        try:
            return self._found(must, never)
        except TooMuch:
            if decide:
                raise
            return None

    def _found(self, must: list[StringMatch], never: list[StringMatch]) -> bytes | None:
        texts = self._texts
        bits = {match: 1 << place for place, match in enumerate(texts.conditions)}
        wanted = sum(bits.get(each, 0) for each in must)
        refused = sum(bits.get(each, 0) for each in never)
        self._steps.take(len(texts.conditions))
        vectors = {texts.vector(sample) for sample in texts.samples()}
        inside = frozenset(each for each in vectors if each & wanted == wanted and not each & refused)
        asked = {each.value: each in must for each in (*must, *never) if each.kind is Kind.REGEX}
        readers: list[tuple[Automaton, bool]] = [(CellReader(texts, inside), True), *expressions_of(asked)]
        try:
            nice = word([*readers, (PLAIN_VALUE, True)], _LETTERS, steps=self._steps)
        except TooMuch:
            nice = None
        return nice if nice is not None else word([*readers, (FIELD_VALUE, True)], _LETTERS, steps=self._steps)


def _samples(match: StringMatch) -> Iterator[bytes]:
    """Yield values that may satisfy a condition, and perhaps no other one."""
    if match.kind is not Kind.REGEX:
        value = match.value.encode()
        yield value
        if match.kind is Kind.PREFIX:
            yield from (value + end for end in (b"x", b"1", b"-x"))


def _any_value(match: StringMatch) -> bool:
    return match.kind is Kind.PRESENT or (match.kind is Kind.PREFIX and not match.value)


def _holds(match: StringMatch, value: bytes) -> bool:
    return engine(match.value)(value) if match.kind is Kind.REGEX else text_condition(match)(value)


def _follows(match: StringMatch, value: bytes, other: StringMatch) -> bool:
    """Whether all that satisfies an exact value or a prefix satisfies another condition, as far as is plain to see."""
    if match.ignore_case and not other.ignore_case:
        return False
    if match.kind is Kind.EXACT:
        return not match.ignore_case and _holds(other, value) if other.kind is Kind.REGEX else _holds(other, value)
    return other.kind is Kind.PREFIX and _holds(other, value)
