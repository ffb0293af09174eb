"""Which files hold tests, and what is in them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgegate.config.envelope import TESTS
from edgegate.config.manifest import MAX_FILE, roots
from edgegate.config.problems import Problem, Problems, Role, Severity
from edgegate.route_tests.cases import Case
from edgegate.route_tests.reading import read_cases
from edgegate.sources.tree import walk

_MAY_HOLD: Final = re.compile(b"|".join(key.encode() for key in TESTS))
"""What every file of tests has in it somewhere: the others need not be parsed."""


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
    """
    Read files, and of folders all that hold tests, each once, whatever it is called and however often.

    What can't be looked at may hold some: that is an error.
    """
    seen: set[str] = set()
    for file in _files(names):
        real = os.path.realpath(file.name)
        if real not in seen:
            seen.add(real)
            yield file


def _files(names: Iterable[str]) -> Iterator[TestedFile]:
    for name in names:
        path = Path(name)
        if path.is_dir():
            yield from _of_folder(path, name)
        else:
            file = _read(path, name, named=True)
            if file is not None:
                yield file


def _of_folder(path: Path, name: str) -> Iterator[TestedFile]:
    try:
        tree = walk(path, lambda call: call())
    except OSError as error:
        yield _unreadable(name, error.strerror or str(error))
        return
    for relative, reason in tree.faults:
        yield _unreadable(str(path / relative), reason)
    for relative, each in tree.documents:
        file = _read(each, str(path / relative), named=False)
        if file is not None:
            yield file


def _read(path: Path, name: str, named: bool) -> TestedFile | None:
    """
    Read a file.

    @param named: Whether the user has named it: then it holds tests. Else it may hold none: L{None}.
    """
    try:
        with path.open("rb") as content:
            text = content.read(MAX_FILE + 1)
    except OSError as error:
        return _unreadable(name, error.strerror or str(error))
    if not named and not _holds_tests(name, text):
        return None
    problems = Problems()
    cases = read_cases(name, text, problems)
    return TestedFile(name, () if problems.errors else tuple(cases), problems)


def _unreadable(name: str, reason: str) -> TestedFile:
    problems = Problems()
    problems.add(Problem(name, 1, 1, Severity.ERROR, "", f"can't be read: {reason}", Role.CAUSE))
    return TestedFile(name, (), problems)


def _holds_tests(name: str, text: bytes) -> bool:
    """Whether a document of a file is one of tests, or can't be read, so that nobody knows."""
    # in UTF-16 there is a zero in each letter
    if _MAY_HOLD.search(text.replace(b"\0", b"")) is None:
        return False
    problems = Problems()
    return any(_is_of_tests(root.value) for root in roots(name, text, problems)) or problems.errors > 0


def _is_of_tests(value: object) -> bool:
    """Whether a document is meant to be one of tests, be what it says of them right or wrong."""
    return isinstance(value, dict) and _OF_OTHERS.isdisjoint(value) and any(key in value for key in TESTS)


_OF_OTHERS: Final = frozenset(("apiVersion", "kind"))
"""Keys of documents that the gateway serves."""
