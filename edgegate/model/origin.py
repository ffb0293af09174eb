"""Where something is said in the files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """Where in the files something was said: C{coolstore.yaml}, the line, and C{VirtualService default/webapp}."""

    file: str
    line: int
    resource: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"
