"""
Automata over bytes: what reads a text byte by byte and knows in the end whether it is one that is sought.

They are made deterministic while they are walked through, state by state: most of their states are never asked for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, Protocol

from edgegate.analysis import byte_sets
from edgegate.analysis.byte_sets import NEWLINE, WORD
from edgegate.analysis.expression_syntax import Bytes, Choice, Node, Place, Repeat, parse
from edgegate.analysis.expression_syntax import Sequence as Row
from edgegate.analysis.limits import PRODUCT, STATES, Steps, TooMuch


class Automaton(Protocol):
    """Reads texts, from state 0 on; it numbers its states as it comes to them."""

    @property
    def sets(self) -> frozenset[int]:
        """Sets of bytes: those that are in the same of them are all one to it."""

    def move(self, state: int, byte: int) -> int:
        """Return where a byte leads."""

    def accepts(self, state: int) -> bool:
        """Whether the text may end there."""

    def dead(self, state: int) -> bool:
        """Whether no text that goes on from there is accepted."""


_MOVE: Final = 4
"""Steps that it is worth to look where a byte leads an automaton."""

_BEGIN: Final = "begin"
_LINE: Final = "newline"
_WORD: Final = "word"
_OTHER: Final = "other"
_END: Final = "end"


def _kind(byte: int) -> str:
    if byte == 0x0A:
        return _LINE
    return _WORD if WORD >> byte & 1 else _OTHER


def _holds(place: Place, before: str, behind: str) -> bool:
    """Whether an assertion holds between two bytes."""
    if place is Place.BEGIN:
        return before == _BEGIN
    if place is Place.END:
        return behind == _END
    if place is Place.LINE_BEGIN:
        return before in (_BEGIN, _LINE)
    if place is Place.LINE_END:
        return behind in (_END, _LINE)
    return ((before == _WORD) is not (behind == _WORD)) is (place is Place.BOUNDARY)


_Reached = tuple[frozenset[int], str]
"""States of the automaton that is not deterministic, before assertions are looked at, and what stands before."""


class Expression:
    """
    Reads what an expression of RE2 matches in full.

    @ivar source: The expression.
    """

    def __init__(self, source: str) -> None:
        """
        @raise TooMuch: It is not understood, or too large.
        """
        self.source = source
        self._empty: list[list[tuple[Place | None, int]]] = []
        self._steps: list[list[tuple[int, int]]] = []
        first = self._new()
        self._last = self._add(parse(source), first)
        self._asserts = any(place is not None for row in self._empty for place, _ in row)
        self._moves: dict[tuple[int, int], int] = {}
        sets = {allowed for row in self._steps for allowed, _ in row}
        self.sets = frozenset({*sets, WORD, NEWLINE} if self._asserts else sets)
        self._reached: list[_Reached] = []
        self._numbers: dict[_Reached, int] = {}
        self._number((frozenset([first]), _BEGIN))

    def move(self, state: int, byte: int) -> int:
        """Return where a byte leads."""
        key = state, byte
        found = self._moves.get(key)
        if found is None:
            kind = _kind(byte) if self._asserts else _OTHER
            inside = self._inside(self._reached[state], kind)
            after = frozenset(end for each in inside for allowed, end in self._steps[each] if allowed >> byte & 1)
            found = self._moves[key] = self._number((after, kind))
        return found

    def accepts(self, state: int) -> bool:
        """Whether the text may end there."""
        return self._last in self._inside(self._reached[state], _END)

    def dead(self, state: int) -> bool:
        """Whether no text that goes on from there is accepted."""
        return not self._reached[state][0]

    def _number(self, reached: _Reached) -> int:
        found = self._numbers.get(reached)
        if found is None:
            found = self._numbers[reached] = len(self._reached)
            self._reached.append(reached)
        return found

    def _inside(self, reached: _Reached, behind: str) -> frozenset[int]:
        """Return all states that are reached without a byte, given what stands behind."""
        states, before = reached
        seen, todo = set(states), list(states)
        while todo:
            for place, end in self._empty[todo.pop()]:
                if end not in seen and (place is None or _holds(place, before, behind)):
                    seen.add(end)
                    todo.append(end)
        return frozenset(seen)

    def _new(self) -> int:
        if len(self._empty) >= STATES:
            raise TooMuch("it is too large")
        self._empty.append([])
        self._steps.append([])
        return len(self._empty) - 1

    def _link(self, start: int, end: int, place: Place | None = None) -> int:
        self._empty[start].append((place, end))
        return end

    def _add(self, node: Node, at: int) -> int:
        """Add what reads a part of the expression from a state on, and return where that ends."""
        if isinstance(node, Bytes):
            end = self._new()
            self._steps[at].append((node.allowed, end))
            return end
        if isinstance(node, Place):
            return self._link(at, self._new(), node)
        if isinstance(node, Row):
            for item in node.items:
                at = self._add(item, at)
            return at
        if isinstance(node, Choice):
            end = self._new()
            for item in node.items:
                self._link(self._add(item, self._link(at, self._new())), end)
            return end
        return self._add_repeat(node, at)

    def _add_repeat(self, node: Repeat, at: int) -> int:
        for _ in range(node.least):
            at = self._add(node.item, at)
        if node.most is None:
            loop = self._link(at, self._new())
            self._link(self._add(node.item, loop), loop)
            return self._link(loop, self._new())
        end = self._new()
        for _ in range(node.most - node.least):
            self._link(at, end)
            at = self._add(node.item, at)
        return self._link(at, end)


@lru_cache(maxsize=1024)
def _expression(source: str) -> Expression | str:
    try:
        return Expression(source)
    except TooMuch as error:
        return str(error)


def expression(source: str) -> Expression:
    """
    Return what reads the texts that an expression matches in full; it is kept for the next time.

    @raise TooMuch: It is not understood, or too large.
    """
    found = _expression(source)
    if isinstance(found, str):
        raise TooMuch(f"{source}: {found}")
    return found


NICE: Final = b"abcxyz019-_./~ABCXYZ"
"""What words are made of where there is a choice."""


def word(
    wanted: Sequence[tuple[Automaton, bool]],
    allowed: Iterable[int],
    most: int = PRODUCT,
    start: tuple[int, ...] | None = None,
    steps: Steps | None = None,
) -> bytes | None:
    """
    Return a shortest text that some automata accept and others do not; L{None}: there is none, which is a proof.

    @param wanted: Each with whether it must accept.
    @param allowed: The bytes that the text may have, the nicest ones first.
    @param most: How many states may be looked at.
    @param start: The state that each of them is in already; L{None}: they begin.
    @param steps: What work is left.
    @raise TooMuch: There are more.
    """
    letters = _letters(frozenset().union(*(automaton.sets for automaton, _ in wanted)), bytes(allowed))
    must = [automaton if accept else None for automaton, accept in wanted]
    start = start or (0,) * len(wanted)
    parents: dict[tuple[int, ...], tuple[tuple[int, ...], int] | None] = {start: None}
    todo = deque([start])
    while todo:
        now = todo.popleft()
        if steps is not None:
            steps.take(_MOVE * len(letters) * len(wanted))
        if all(each.accepts(state) is accept for (each, accept), state in zip(wanted, now, strict=True)):
            return _spelt(parents, now)
        for byte in letters:
            after = tuple([each.move(state, byte) for (each, _), state in zip(wanted, now, strict=True)])
            if after in parents or any(
                each is not None and each.dead(state) for each, state in zip(must, after, strict=True)
            ):
                continue
            if len(parents) >= most:
                raise TooMuch("its expressions together have too many states")
            parents[after] = now, byte
            todo.append(after)
    return None


@lru_cache(maxsize=256)
def _letters(sets: frozenset[int], allowed: bytes) -> list[int]:
    """Return one of the allowed bytes for all that none of some sets tells from it."""
    found: dict[tuple[int, ...], int] = {}
    for byte in allowed:
        found.setdefault(tuple([each >> byte & 1 for each in sets]), byte)
    return list(found.values())


def _spelt(parents: dict[tuple[int, ...], tuple[tuple[int, ...], int] | None], end: tuple[int, ...]) -> bytes:
    text = bytearray()
    step = parents[end]
    while step is not None:
        end, byte = step
        text.append(byte)
        step = parents[end]
    return bytes(reversed(text))


def nicest_first(bytes_: int) -> bytes:
    """Return the bytes of a set in the order in which words should use them."""
    nice = [byte for byte in NICE if bytes_ >> byte & 1]
    return bytes([*nice, *(byte for byte in range(256) if bytes_ >> byte & 1 and byte not in NICE)])


ANY_BYTE: Final = nicest_first(byte_sets.ALL)
