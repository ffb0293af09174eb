"""What a composed document is, whichever way it was composed."""

from __future__ import annotations

from typing import Any, NamedTuple

from edgegate.config.document import Places

MAX_DEPTH = 200
"""Levels of nesting."""

MERGE = "<<"
"""The key that merges mappings (U{https://yaml.org/type/merge.html})."""


class Root(NamedTuple):
    """
    A composed document.

    @ivar value: Dicts, lists and scalars.
    @ivar line: Where it begins, from 1; so is C{column}.
    @ivar places: Where all in it is; empty or L{None} where it is a scalar.
    """

    value: Any
    line: int
    column: int
    places: Places | None = None


class Unreadable(Exception):
    """
    The document can't be read further. It was reported.

    @ivar index: Characters read.
    @ivar template: It is a template: so is what follows.
    """

    def __init__(self, index: int, template: bool = False) -> None:
        self.index = index
        self.template = template


def encodable(text: str) -> bool:
    """Whether a text has no lone surrogates, which escapes can make."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
