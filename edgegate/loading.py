"""
From a folder to the Snapshot: the one way in which files are read, checked and compiled.

Of a folder, the files whose names end in C{.yaml}, C{.yml} or C{.json} are read
in the order of their names, hidden ones and subfolders left out: what lies in
those (certificates, units, drafts) is read only where a document names it.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from edgegate.config.decode import decode
from edgegate.config.document import Document
from edgegate.config.documents import MAX_FILE, read
from edgegate.config.problems import Problem, Problems, Severity
from edgegate.inspection import KeyInspector
from edgegate.routing.compiler import CompileOptions, compile_resources
from edgegate.routing.snapshot import Snapshot

STANDARD_INPUT = "-"
SUFFIXES = (".yaml", ".yml", ".json")

MAX_KEY_FILE = 16 * 1024 * 1024
"""Bytes of a certificate, key or revocation list."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """
    What came of reading the files.

    @ivar snapshot: L{None} where there are errors.
    """

    snapshot: Snapshot | None
    problems: Problems = field(default_factory=Problems)


def load(
    config: str,
    selector: Mapping[str, str] | None = None,
    port_map: Mapping[int, int] | None = None,
    read_stdin: Callable[[], bytes] | None = None,
    now: datetime | None = None,
) -> Loaded:
    """
    Read, check and compile files. All that is wrong with them is among the problems, never raised.

    @param config: A folder, a file, or C{-} for standard input. Names in the documents are relative to the folder, or
        to the folder of the file; those of standard input to the current folder.
    @param selector: Labels: only Gateways whose selector they satisfy are served; L{None}: all.
    @param port_map: The numbers to bind in place of those in the files.
    @param read_stdin: Reads all of standard input.
    @param now: An aware time that certificates should be valid at; by default the present.
    """
    with _collector_paused():
        return _load(
            config,
            selector,
            port_map or {},
            read_stdin or _read_stdin,
            now or datetime.now(timezone.utc),
        )


def _load(
    config: str,
    selector: Mapping[str, str] | None,
    port_map: Mapping[int, int],
    read_stdin: Callable[[], bytes],
    now: datetime,
) -> Loaded:
    problems = Problems()
    documents: list[Document] = []
    for name, content in _contents(config, read_stdin, problems):
        documents.extend(read(name, content, problems))
    resources = decode(documents, problems)
    options = CompileOptions(selector, port_map, _FilesOf(_folder_of(config)), KeyInspector(now))
    snapshot = compile_resources(resources, options, problems)
    if problems.errors:
        return Loaded(None, problems)
    if not snapshot.listeners:
        why = "no server of any Gateway is served" if resources.gateways else "no Gateway is declared"
        problems.add(Problem(config, 1, 1, Severity.INFO, "", f"{why}: no port is opened"))
    return Loaded(snapshot, problems)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """
    Pause the garbage collector: all that is made while files are read stays for a while, so that it would look
    through it again and again, which takes half of the time where there are thousands of documents.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _folder_of(config: str) -> Path:
    """Return the folder that names in the documents are relative to."""
    path = Path() if config == STANDARD_INPUT else Path(config)
    return path if path.is_dir() else path.parent


class _FilesOf:
    """Reads the files that documents name, relative to a folder."""

    __slots__ = ("_folder",)

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, name: str) -> bytes:
        return _read_file(self._folder / name, MAX_KEY_FILE)


def _contents(config: str, read_stdin: Callable[[], bytes], problems: Problems) -> Iterator[tuple[str, bytes]]:
    """Yield the files with the names that problems call them; those that can't be read are reported."""
    if config == STANDARD_INPUT:
        files: Iterable[tuple[str, Callable[[], bytes]]] = [("<stdin>", read_stdin)]
    else:
        try:
            files = [(name, _Reader(path)) for name, path in _files(config)]
        except (OSError, ValueError) as error:
            problems.add(_unreadable(config, error))
            return
    for name, read_whole in files:
        try:
            yield name, read_whole()
        except (OSError, ValueError) as error:
            problems.add(_unreadable(name, error))


def _files(config: str) -> list[tuple[str, Path]]:
    """Return the names and paths of the files of a folder; a file stands for itself."""
    path = Path(config)
    if not path.is_dir():
        return [(config, path)]
    files = sorted(
        (file.name, file) for file in path.iterdir() if file.name.endswith(SUFFIXES) and not file.name.startswith(".")
    )
    return [(name, file) for name, file in files if not file.is_dir()]


class _Reader:
    """Reads one file of documents."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> bytes:
        return _read_file(self._path, MAX_FILE + 1, whole=False)


def _read_file(path: Path, limit: int, whole: bool = True) -> bytes:
    """
    Read a file up to a limit in bytes.

    @param whole: Refuse a file that is larger; else return its begin.

    @raise OSError: It can't be read.
    """
    with path.open("rb") as file:
        content = file.read(limit + 1 if whole else limit)
    if whole and len(content) > limit:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content


def _read_stdin() -> bytes:
    return sys.stdin.buffer.read(MAX_FILE + 1)


def _unreadable(name: str, error: Exception) -> Problem:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Problem(name, 1, 1, Severity.ERROR, "", f"can't be read: {reason}")
