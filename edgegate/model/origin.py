# Compiled: values that hot modules read.
"""Where something is said in the files."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgegate.model.picklable import Picklable

Path = tuple[str | int, ...]
"""Keys and indexes that lead to a value in a document: C{("spec", "servers", 0, "tls", "mode")}."""


@dataclass(frozen=True, slots=True, order=True)
class Origin(Picklable):
    """
    Where in the files something was said: C{coolstore.yaml}, the line, and C{VirtualService default/webapp}.

    @ivar path: Where in the document; empty: all of it.
    """

    file: str
    line: int
    resource: str
    path: Path = field(default=(), compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def placed(words: str, origin: Origin | None) -> str:
    """Return words with the place in the files that they are about; L{None}: they are about none."""
    return words if origin is None else f"{words} ({origin})"
