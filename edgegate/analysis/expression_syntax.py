"""
The syntax of RE2's expressions, as the gateway has them: on bytes, each of them a character of Latin-1.

The source is U{https://github.com/google/re2/wiki/Syntax}, and RE2's C{parse.cc}. Only expressions that RE2 takes are
to be read: what it refuses may be read as something else. What is not understood is refused, never guessed at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from edgegate.analysis import byte_sets
from edgegate.analysis.byte_sets import ALL, DIGITS, LOWER, NEWLINE, UPPER, WORD, folded, span
from edgegate.analysis.limits import TooMuch


class Place(Enum):
    """Where an assertion holds, without a byte of its own."""

    BEGIN = "begin"
    END = "end"
    LINE_BEGIN = "line begin"
    LINE_END = "line end"
    BOUNDARY = "boundary"
    NO_BOUNDARY = "no boundary"


@dataclass(frozen=True, slots=True)
class Bytes:
    """One byte of a set."""

    allowed: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other; none: the empty text."""

    items: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """Any of them."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """Several times; C{most} is L{None} where there is no end to it."""

    item: Node
    least: int
    most: int | None


Node = Bytes | Place | Sequence | Choice | Repeat


def parse(expression: str) -> Node:
    """
    Return what an expression that RE2 takes is made of.

    @raise TooMuch: It has something that is not understood here, or is nested too deeply.
    """
    return _Parser(expression.encode().decode("latin-1")).parse()


_DEEPEST: Final = 60
_COUNT: Final = re.compile(r"\{(0|[1-9][0-9]*)(?:(,)(0|[1-9][0-9]*)?)?\}")
_GROUP: Final = re.compile(r"\(\?(?:P?<[A-Za-z0-9_]+>|([imsU]*)(?:-([imsU]+))?([:)]))")
_POSIX: Final = re.compile(r"\[:(\^?)([a-z]+):\]")
_HEX: Final = re.compile(r"\\x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))")
_OCTAL: Final = re.compile(r"\\(0[0-7]{0,2}|[1-7][0-7]{1,2})")

_SPACE: Final = byte_sets.of(b"\t\n\f\r ")
_PERL: Final = {"d": DIGITS, "s": _SPACE, "w": WORD}
_GRAPH: Final = span(0x21, 0x7E)
_CLASSES: Final = {
    "alnum": DIGITS | UPPER | LOWER,
    "alpha": UPPER | LOWER,
    "ascii": span(0, 0x7F),
    "blank": byte_sets.of(b"\t "),
    "cntrl": span(0, 0x1F) | 1 << 0x7F,
    "digit": DIGITS,
    "graph": _GRAPH,
    "lower": LOWER,
    "print": _GRAPH | 1 << 0x20,
    "punct": _GRAPH & ~(DIGITS | UPPER | LOWER),
    "space": _SPACE | 1 << 0x0B,
    "upper": UPPER,
    "word": WORD,
    "xdigit": DIGITS | span(0x41, 0x46) | span(0x61, 0x66),
}
_CONTROLS: Final = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_PLACES: Final = {"A": Place.BEGIN, "z": Place.END, "b": Place.BOUNDARY, "B": Place.NO_BOUNDARY}


@dataclass(frozen=True, slots=True)
class _Flags:
    """What C{(?ims)} has set; C{U} is about which match is found, not whether there is one."""

    i: bool = False
    m: bool = False
    s: bool = False

    def changed(self, on: str, off: str) -> _Flags:
        return _Flags(*((flag in on or getattr(self, flag)) and flag not in off for flag in "ims"))


class _Parser:
    """Reads an expression from left to right, once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._flags = _Flags()
        self._depth = 0

    def parse(self) -> Node:
        node = self._choice()
        if self._at < len(self._text):
            raise TooMuch("a parenthesis too many")
        return node

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return found

    def _choice(self) -> Node:
        """Read up to the end of a group, or of all."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise TooMuch("it is nested too deeply")
        branches = [self._sequence()]
        while self._next() == "|":
            self._at += 1
            branches.append(self._sequence())
        self._depth -= 1
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def _sequence(self) -> Node:
        items: list[Node] = []
        while self._next() not in ("", "|", ")"):
            if self._text.startswith("\\Q", self._at):
                items.extend(self._quoted())
            else:
                item = self._item()
                if item is None:
                    continue
                items.append(item)
            self._repeat(items)
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _repeat(self, items: list[Node]) -> None:
        """Take a quantifier behind the last item; RE2 refuses a second one."""
        character = self._next()
        least, most = 0, None
        if character and character in "*+?":
            self._at += 1
            least, most = character == "+", (1 if character == "?" else None)
        elif (count := self._take(_COUNT)) is not None:
            least = int(count[1])
            most = None if count[2] and count[3] is None else int(count[3] or least)
        else:
            return
        if self._next() == "?":
            self._at += 1
        items[-1] = Repeat(items[-1], int(least), most)

    def _item(self) -> Node | None:
        """Read one item; L{None}: there were only flags."""
        character = self._next()
        if character == "(":
            return self._group()
        if character == "[":
            return Bytes(self._class())
        if character == "\\":
            return self._escape()
        if character in "*+?" or _COUNT.match(self._text, self._at):
            raise TooMuch("a quantifier that follows nothing")
        self._at += 1
        return self._character(character)

    def _character(self, character: str) -> Node:
        flags = self._flags
        if character == ".":
            return Bytes(ALL if flags.s else ALL & ~NEWLINE)
        if character == "^":
            return Place.LINE_BEGIN if flags.m else Place.BEGIN
        if character == "$":
            return Place.LINE_END if flags.m else Place.END
        return self._literal(ord(character))

    def _literal(self, byte: int) -> Node:
        return Bytes(self._cased(1 << byte))

    def _cased(self, bytes_: int) -> int:
        if not self._flags.i:
            return bytes_
        if bytes_ >> 0x80:
            raise TooMuch("letters beyond ASCII whose case is ignored")
        return folded(bytes_)

    def _group(self) -> Node | None:
        outside = self._flags
        if not self._text.startswith("(?", self._at):
            self._at += 1
        else:
            found = self._take(_GROUP)
            if found is None:
                raise TooMuch("a group of an unknown kind")
            if found[3]:
                self._flags = outside.changed(found[1], found[2] or "")
            if found[3] == ")":
                return None
        node = self._choice()
        if self._next() != ")":
            raise TooMuch("a group that does not end")
        self._at += 1
        self._flags = outside
        # so that a quantifier is the group's own
        return node

    def _quoted(self) -> list[Node]:
        text, end, _ = self._text[self._at + 2 :].partition("\\E")
        if not text:
            raise TooMuch("an empty quotation")
        self._at += 2 + len(text) + len(end)
        return [self._literal(ord(character)) for character in text]

    def _escape(self) -> Node:
        character = self._text[self._at + 1 : self._at + 2]
        if character in _PLACES and character:
            self._at += 2
            return _PLACES[character]
        if character == "C":
            self._at += 2
            return Bytes(ALL)
        bytes_ = self._perl_class()
        if bytes_ is not None:
            return Bytes(bytes_)
        return self._literal(self._escaped())

    def _perl_class(self) -> int | None:
        """Take C{\\d} and its like."""
        character = self._text[self._at + 1 : self._at + 2]
        known = _PERL.get(character.lower())
        if self._next() != "\\" or known is None:
            return None
        self._at += 2
        return known if character.islower() else ALL & ~known

    def _escaped(self) -> int:
        """Take one byte that is written with a backslash."""
        if (found := self._take(_HEX)) is not None:
            return self._byte(found[1] or found[2], 16)
        if (found := self._take(_OCTAL)) is not None:
            return self._byte(found[1], 8)
        character = self._text[self._at + 1 : self._at + 2]
        self._at += 2
        if character in _CONTROLS:
            return _CONTROLS[character]
        if not character or not character.isascii() or character.isalnum():
            raise TooMuch(f"the escape \\{character}")
        return ord(character)

    def _byte(self, digits: str, base: int) -> int:
        value = int(digits, base)
        if value > 0xFF:
            raise TooMuch("a character that is no byte")
        return value

    def _class(self) -> int:
        """Take what stands in brackets."""
        self._at += 1
        negated = self._next() == "^"
        self._at += negated
        found = 0
        first = True
        while first or self._next() != "]":
            first = False
            if not self._next():
                raise TooMuch("brackets that do not end")
            found |= self._class_item()
        self._at += 1
        return ALL & ~found if negated else found

    def _class_item(self) -> int:
        posix = self._take(_POSIX)
        if posix is not None:
            if posix[2] not in _CLASSES:
                raise TooMuch(f"the class {posix[0]}")
            found = self._cased(_CLASSES[posix[2]])
            return ALL & ~found if posix[1] else found
        perl = self._perl_class()
        if perl is not None:
            return perl
        first = last = self._class_byte()
        if self._next() == "-" and self._text[self._at + 1 : self._at + 2] not in ("]", ""):
            self._at += 1
            last = self._class_byte()
        if last < first:
            raise TooMuch("a range that goes backwards")
        return self._cased(span(first, last))

    def _class_byte(self) -> int:
        if self._next() == "\\":
            return self._escaped()
        character = self._next()
        self._at += 1
        return ord(character)
