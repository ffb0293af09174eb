"""Sets of bytes as numbers: the bit of a byte's value is set for each byte that is in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

ALL: Final = (1 << 256) - 1


def of(data: Iterable[int]) -> int:
    """Return the set of some bytes."""
    found = 0
    for byte in data:
        found |= 1 << byte
    return found


def span(first: int, last: int) -> int:
    """Return the set of the bytes from one to another, which is in it."""
    return ((1 << (last - first + 1)) - 1) << first


NEWLINE: Final = of(b"\n")
DIGITS: Final = span(0x30, 0x39)
UPPER: Final = span(0x41, 0x5A)
LOWER: Final = span(0x61, 0x7A)
WORD: Final = DIGITS | UPPER | LOWER | of(b"_")


def folded(bytes_: int) -> int:
    """Return a set with its letters of ASCII in both cases."""
    return bytes_ | (bytes_ & UPPER) << 32 | (bytes_ & LOWER) >> 32
