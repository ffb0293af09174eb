"""Everything that is wrong with the files, each with its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from operator import attrgetter


class Severity(IntEnum):
    """How bad a problem is. Only an error keeps a folder from being served."""

    INFO = 0
    WARNING = 1
    ERROR = 2


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """
    One thing that is wrong.

    @ivar file: As the user named it, relative to the folder: C{coolstore.yaml}.
    @ivar line: Of the key or value that is wrong, from 1.
    @ivar column: From 1.
    @ivar path: C{spec.servers[0].tls.mode}; empty for the document as a whole.
    """

    file: str
    line: int
    column: int
    severity: Severity
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{self.file}:{self.line}:{self.column}: {self.severity.name.lower()}: {where}{self.message}"


_ORDER = attrgetter("file", "line", "column", "severity", "path", "message")


class Problems:
    """Collects problems; a pass over the files goes on after each, so that all are reported at once."""

    def __init__(self) -> None:
        self._found: set[Problem] = set()

    def add(self, problem: Problem) -> None:
        """Take note of a problem; the same one twice counts once."""
        self._found.add(problem)

    @property
    def errors(self) -> int:
        """How many of them are errors."""
        return sum(problem.severity is Severity.ERROR for problem in self._found)

    @property
    def warnings(self) -> int:
        """How many of them are warnings."""
        return sum(problem.severity is Severity.WARNING for problem in self._found)

    def __iter__(self) -> Iterator[Problem]:
        """Yield them by file and line."""
        return iter(sorted(self._found, key=_ORDER))

    def __len__(self) -> int:
        return len(self._found)
