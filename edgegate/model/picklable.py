# Compiled: values that hot modules read.
"""What values have in common that may be sent to another process."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any


class Picklable:
    """
    The base of frozen dataclasses: one that was pickled is made again of what it was made of.

    Left to themselves compiled ones could not be unpickled, and what stands beside a value, such as a function, could
    not be pickled.
    """

    __slots__ = ()

    def __reduce__(self) -> tuple[type[Any], tuple[Any, ...]]:
        made: Any = type(self)
        return made, tuple([getattr(self, name) for name in _arguments(made)])


@cache  # there are some dozens of such classes
def _arguments(made: Any) -> tuple[str, ...]:
    """Return the names of the arguments that a dataclass is made of, in their order."""
    return tuple(field.name for field in fields(made) if field.init)
