"""
Texts that no exact value and no prefix tells apart: cells, of which there are few.

Exact values and prefixes lie in each other or apart. So all that a list of them can say of a text is known from a
handful of texts: the values themselves, and each with a letter behind it that leads to no other value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from functools import cached_property
from typing import Final

from edgegate.analysis.limits import TooMuch
from edgegate.model.matching import Kind, StringMatch

_MOST_TEXTS: Final = 20_000
"""Texts that conditions which ignore case may come to."""

_Reached = bytes | int
"""A text to which some value leads on, or what it satisfies where none does: that is the same whatever follows."""


class _Values:
    """Exact values and prefixes that all ignore case, or none of them."""

    def __init__(self, conditions: Iterable[tuple[int, StringMatch]], ignore_case: bool) -> None:
        self.exact: dict[bytes, int] = {}
        self._prefixes: dict[bytes, int] = {}
        self._ignore_case = ignore_case
        for number, match in conditions:
            value = match.value.encode()
            value = value.lower() if ignore_case else value
            table = self.exact if match.kind is Kind.EXACT else self._prefixes
            table[value] = table.get(value, 0) | 1 << number
        self.all = (*self.exact, *self._prefixes)
        self._lengths = sorted({len(each) for each in self._prefixes})
        self._starts = {value[:end] for value in self.all for end in range(len(value) + 1)}

    def reached(self, text: bytes) -> _Reached:
        """Return what a text comes to."""
        text = text.lower() if self._ignore_case else text
        return text if text in self._starts else self.vector(text)

    def step(self, reached: _Reached, byte: int) -> _Reached:
        """Return what a text comes to with one byte more."""
        return reached if isinstance(reached, int) else self.reached(reached + bytes([byte]))

    def vector(self, reached: _Reached) -> int:
        """Return which conditions a text satisfies, as bits."""
        if isinstance(reached, int):
            return reached
        text = reached.lower() if self._ignore_case else reached
        return self.exact.get(text, 0) | self._prefixes_of(text)

    @cached_property
    def _vectors(self) -> list[tuple[bytes, int, int]]:
        """The texts that lead on to some value, with what they satisfy, and what those do that turn off there."""
        return [(text, self.vector(text), self._prefixes_of(text)) for text in self._starts]

    def leading_to(self, vectors: Set[int]) -> Set[bytes]:
        """Return those of the texts leading on to some value from which a text may come with one of some vectors."""
        found: set[bytes] = set()
        for text, there, beside in self._vectors:
            if there in vectors or beside in vectors:
                end = len(text)
                while end >= 0 and text[:end] not in found:
                    found.add(text[:end])
                    end -= 1
        return found

    def _prefixes_of(self, text: bytes) -> int:
        found = 0
        for length in self._lengths:
            if length > len(text):
                break
            found |= self._prefixes.get(text[:length], 0)
        return found


class Texts:
    """
    Exact values and prefixes, by which texts are told apart.

    @ivar conditions: The bit of each in a L{vector} is that of its place.
    """

    def __init__(self, conditions: Iterable[StringMatch], letters: bytes) -> None:
        """
        @param letters: The bytes that texts are made of, the nicest ones first.
        """
        self.conditions: Sequence[StringMatch] = tuple(dict.fromkeys(conditions))
        self._letters = letters
        numbered = list(enumerate(self.conditions))
        self.cased = _Values((each for each in numbered if not each[1].ignore_case), ignore_case=False)
        self.folded = _Values((each for each in numbered if each[1].ignore_case), ignore_case=True)

    def vector(self, text: bytes) -> int:
        """Return which conditions a text satisfies, as bits."""
        found = self.cased.vector(text)
        return found | self.folded.vector(text) if self.folded.all else found

    def single(self, text: bytes) -> bool:
        """Whether no other text satisfies the same conditions."""
        return text in self.cased.exact

    @property
    def told_apart(self) -> frozenset[int]:
        """The bytes that are in some value, each as a set of its own."""
        folded = b"".join(self.folded.all)
        return frozenset(1 << byte for byte in b"".join((*self.cased.all, folded, folded.upper())))

    def samples(self, start: bytes = b"") -> Iterator[bytes]:
        """
        Yield texts, of which at least one satisfies whatever any text does that begins in some way.

        Others, that begin otherwise, may be among them.

        @raise TooMuch: There are too many.
        """
        if self.folded.all:
            yield from self._all_ways(start)
            return
        yield start
        yield self._beside(start)
        for value in dict.fromkeys(self.cased.all):
            yield value
            yield self._beside(value)

    def _all_ways(self, start: bytes) -> Iterator[bytes]:
        """Yield a text for each place that a text may come to, on the way to values or off it."""
        told_apart = self.told_apart
        other = [byte for byte in self._letters if 1 << byte not in told_apart][:1]
        letters = [*other, *(byte for byte in self._letters if 1 << byte in told_apart)]
        todo = [(self.cased.reached(start), self.folded.reached(start), start)]
        seen = {todo[0][:2]}
        while todo:
            cased, folded, text = todo.pop()
            yield text
            for byte in letters:
                place = self.cased.step(cased, byte), self.folded.step(folded, byte)
                if place not in seen:
                    seen.add(place)
                    todo.append((*place, text + bytes([byte])))
            if len(seen) > _MOST_TEXTS:
                raise TooMuch("values that ignore case are too many")

    def _beside(self, text: bytes) -> bytes:
        """Return a text with one more letter that leads to no value."""
        for byte in self._letters:
            longer = text + bytes([byte])
            if isinstance(self.cased.reached(longer), int):
                return longer
        raise TooMuch(f"there are values for all that begins with {text!r}")


class CellReader:
    """Reads the texts of some cells; an L{edgegate.analysis.automata.Automaton}."""

    def __init__(self, texts: Texts, vectors: frozenset[int]) -> None:
        """
        @param vectors: What texts of the cells satisfy.
        """
        self._texts = texts
        self._vectors = vectors
        self.sets = texts.told_apart
        self._reached: list[tuple[_Reached, _Reached]] = []
        self._numbers: dict[tuple[_Reached, _Reached], int] = {}
        self._moves: dict[tuple[int, int], int] = {}
        self._number((texts.cased.reached(b""), texts.folded.reached(b"")))

    def move(self, state: int, byte: int) -> int:
        """Return where a byte leads."""
        key = state, byte
        found = self._moves.get(key)
        if found is None:
            cased, folded = self._reached[state]
            after = self._texts.cased.step(cased, byte), self._texts.folded.step(folded, byte)
            found = self._moves[key] = self._number(after)
        return found

    def accepts(self, state: int) -> bool:
        """Whether the text may end there."""
        cased, folded = self._reached[state]
        return self._texts.cased.vector(cased) | self._texts.folded.vector(folded) in self._vectors

    def dead(self, state: int) -> bool:
        """Whether no text that goes on from there is accepted."""
        cased, folded = self._reached[state]
        if isinstance(cased, int):
            return isinstance(folded, int) and cased | folded not in self._vectors
        return isinstance(folded, int) and not self._texts.folded.all and cased not in self._leading

    @cached_property
    def _leading(self) -> Set[bytes]:
        """The texts from which one of a cell may come, where no value ignores case."""
        return self._texts.cased.leading_to(self._vectors)

    def _number(self, reached: tuple[_Reached, _Reached]) -> int:
        found = self._numbers.get(reached)
        if found is None:
            found = self._numbers[reached] = len(self._reached)
            self._reached.append(reached)
        return found
