"""Small files of credentials: one entry a line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

BIGGEST_FILE: Final = 4 << 20
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """
    What is wrong with a line.

    @ivar line: Its number, from 1.
    """

    line: int
    message: str


def lines_of(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that say something with their numbers: neither empty ones nor comments, which begin with C{#}."""
    for number, written in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        line = written.rstrip(b"\r")
        if line.strip() and not line.startswith(b"#"):
            yield number, line
