"""
The walk of the README as a list of commands with what they print.

A fenced block of C{console} holds commands after C{$ }, each followed by its
output. C{...} in an output stands for any text, newlines included.
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
    @ivar expected: Its output, with C{...} for any text.
    """

    line: int
    command: str
    expected: str

    def matches(self, output: str) -> bool:
        """Whether an output is the expected one; white space at the ends of lines does not count."""
        pieces = [re.escape(piece) for piece in _tidy(self.expected).split("...")]
        return re.fullmatch(".*?".join(pieces), _tidy(output), re.DOTALL) is not None


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


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
