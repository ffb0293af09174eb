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
    Yield the cells that patterns make. One that has no name is left out; so is that of the names that no pattern
    matches.
    """
    owners = HostTable((pattern, pattern) for pattern in dict.fromkeys(patterns))
    for pattern, _ in owners.items():
        name = pattern if not pattern.startswith("*") else _name(pattern, owners)
        if name is not None:
            yield Cell(pattern, name)


def _name(pattern: str, owners: HostTable[str]) -> str | None:
    rest = pattern[1:] or ".example"
    for number in range(len(owners) + len(_FRESH) + 1):
        fresh = _FRESH[number] if number < len(_FRESH) else f"x{number}x"
        name = fresh + rest
        if len(name) > MAX_NAME:
            continue
        if owners.lookup(name) == pattern:
            return name
    return None
