"""
The walk of the README as a list of commands with what they print.

A fenced block of C{console} holds commands after C{$ }, each followed by its
output. In an output C{...} stands for any text within its line, or for any number
of lines where it stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Step:
    """
    One command of the walk.

    @ivar line: Where it stands in the file, from 1.
    @ivar expected: Its output, with C{...} for what differs.
    """

    line: int
    command: str
    expected: str

    def matches(self, output: str) -> bool:
        """Whether an output is the expected one; how much white space there is does not count."""
        pattern = "".join(_ANY_LINES if line == "..." else _pattern(line) for line in _tidy(self.expected))
        return re.fullmatch(pattern, "".join(f"{line}\n" for line in _tidy(output))) is not None


def steps(text: str) -> Iterator[Step]:
    """Yield the commands of a Markdown text in their order."""
    for block in _BLOCK.finditer(text):
        first = text.count("\n", 0, block.start(1)) + 1
        lines = block[1].splitlines()
        at = 0
        while at < len(lines):
            if not lines[at].startswith("$ "):
                raise ValueError(f"line {first + at}: output without a command")
            start, command = at, lines[at][2:]
            while command.endswith("\\"):
                at += 1
                command = command[:-1] + lines[at].lstrip()
            at += 1
            output = []
            while at < len(lines) and not lines[at].startswith("$ "):
                output.append(lines[at])
                at += 1
            yield Step(first + start, command, "\n".join(output))


_ANY_LINES = r"(?:[^\n]*\n)*?"


def _pattern(line: str) -> str:
    return "[^\n]*?".join(re.escape(piece) for piece in line.split("...")) + "\n"


def _tidy(text: str) -> list[str]:
    return [re.sub(r"\s+", " ", line).rstrip() for line in text.strip().splitlines()]
