"""
Names that stand for all: two tables of hosts treat each name as they treat one of a few.

Every name falls into the cell of the narrowest pattern, of either table, that matches it. All names of a cell are found
by the same pattern in each table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from edgegate.model.hosts import MAX_NAME
from edgegate.routing.hosts import HostTable

_FRESH: Final = ("any", "some", "other", "x7", "q-z9", "0-0", "edgegate-8z")
"""What stands for the star of a pattern; the first that no narrower pattern matches."""

_TOPS: Final = (".example", ".test", ".invalid")
"""What stands behind it where the pattern is C{*} (RFC 2606 section 2)."""

_SHORT: Final = "xyzabcdefghijklmnopqrstuvw0123456789"
"""What stands for the star where longer names are matched: a single character is in no narrower wildcard's star."""

_IN_NO_PATTERN: Final = "~"
"""A character that hosts of requests may have (RFC 3986 section 3.2.2), and patterns have not."""


@dataclass(frozen=True, slots=True)
class Cell:
    """
    Names that are treated alike.

    @ivar pattern: In normal form; all names that it matches and no narrower one does.
    @ivar name: One of them.
    """

    pattern: str
    name: str


def cells(patterns: Iterable[str]) -> Iterator[Cell]:
    """
    Yield the cells that patterns make; that of the names that no pattern matches is left out.

    A wildcard has a name unless it is too long for one of a single character more, which no pattern in normal form is.

    @param patterns: In normal form.
    """
    owners = HostTable((pattern, pattern) for pattern in dict.fromkeys(patterns))
    for pattern, _ in owners.items():
        name = pattern if not pattern.startswith("*") else _name(pattern, owners)
        if name is not None:
            yield Cell(pattern, name)


def _name(pattern: str, owners: HostTable[str]) -> str | None:
    """Return a name of a wildcard; L{None}: a name would be too long."""
    for name in _candidates(pattern[1:], len(owners)):
        if len(name) <= MAX_NAME and owners.lookup(name) == pattern:
            return name
    return None


def _candidates(rest: str, most: int) -> Iterator[str]:
    """Yield names that end in some way, the nicest first; the last is no narrower pattern's in any case."""
    for end in (rest,) if rest else _TOPS:
        yield from (fresh + end for fresh in _FRESH)
        yield from (f"x{number}x{end}" for number in range(most))
    yield from (character + rest for character in _SHORT)
    yield _IN_NO_PATTERN + rest
