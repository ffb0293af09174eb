"""Which files hold tests, and what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgegate.config.envelope import TESTS
from edgegate.config.manifest import MAX_FILE
from edgegate.config.problems import Problem, Problems, Role, Severity
from edgegate.route_tests.cases import Case
from edgegate.route_tests.reading import read_cases
from edgegate.sources.tree import walk

_KEYS: Final = "|".join(TESTS).encode()
_TESTS: Final = re.compile(rb"""^(?:\{\s*)?["']?(?:%b)["']?[ \t]*:""" % _KEYS, re.MULTILINE)
"""A document of tests, as YAML or JSON writes it."""


@dataclass(frozen=True, slots=True)
class TestedFile:
    """
    A file that was read.

    @ivar name: As the user named it.
    @ivar cases: None where something is wrong with it.
    """

    name: str
    cases: tuple[Case, ...]
    problems: Problems


def read_files(names: Iterable[str]) -> Iterator[TestedFile]:
    """Read files, and of folders all that hold tests."""
    for name in names:
        for path, file in _files(Path(name), name):
            problems = Problems()
            yield TestedFile(file, _read(path, file, problems), problems)


def _read(path: Path, file: str, problems: Problems) -> tuple[Case, ...]:
    try:
        with path.open("rb") as content:
            text = content.read(MAX_FILE + 1)
    except OSError as error:
        message = f"can't be read: {error.strerror or error}"
        problems.add(Problem(file, 1, 1, Severity.ERROR, "", message, Role.CAUSE))
        return ()
    cases = read_cases(file, text, problems)
    return () if problems.errors else tuple(cases)


def _files(path: Path, name: str) -> Iterator[tuple[Path, str]]:
    if not path.is_dir():
        yield path, name
        return
    for relative, file in walk(path, lambda call: call()).documents:
        if _holds_tests(file):
            yield file, str(Path(name) / relative)


def _holds_tests(path: Path) -> bool:
    try:
        with path.open("rb") as content:
            return _TESTS.search(content.read(MAX_FILE)) is not None
    except OSError:
        return False
