"""
The files of a configuration: where they lie, what is in them, and whether that is still so.

Of a folder, the files whose names end in C{.yaml}, C{.yml} or C{.json} are read
in the order of their names, hidden ones and subfolders left out: what lies in
those (certificates, units, drafts) is read only where a document names it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

from edgegate.config.documents import MAX_FILE

STANDARD_INPUT = "-"
SUFFIXES = (".yaml", ".yml", ".json")

MAX_KEY_FILE = 16 * 1024 * 1024
"""Bytes of a certificate, key or revocation list."""

Reason = str
"""Why a file can't be read."""


class Sources:
    """
    Reads the files of a configuration once, and remembers what was read.

    @ivar config: A folder, a file, or C{-} for standard input.
    """

    def __init__(self, config: str, read_stdin: Callable[[], bytes]) -> None:
        """
        @param read_stdin: Returns all of standard input.
        """
        self.config = config
        self._read_stdin = read_stdin
        path = Path() if config == STANDARD_INPUT else Path(config)
        self._folder = path if path.is_dir() else path.parent
        self._documents: dict[str, str] = {}
        self._named: dict[str, str] = {}

    def documents(self) -> Iterator[tuple[str, bytes | Reason]]:
        """Yield the files of documents: what problems call them, and their content, or why there is none."""
        for name, content in self._read_documents():
            self._documents[name] = _digest(content)
            yield name, content

    def read(self, name: str) -> bytes:
        """
        Read a file that a document names, relative to the folder.

        @raise OSError: It can't be read, or is too large.
        """
        try:
            content = _read(self._folder / name, MAX_KEY_FILE)
        except (OSError, ValueError) as error:
            self._named[name] = _digest(_reason(error))
            raise
        self._named[name] = _digest(content)
        return content

    @property
    def path(self) -> Path | None:
        """The folder or file of the documents; L{None} for standard input."""
        return None if self.config == STANDARD_INPUT else Path(self.config)

    @property
    def named(self) -> list[Path]:
        """The files that documents name, whether they could be read or not."""
        return [self._folder / name for name in self._named]

    def changed(self) -> bool:
        """Read everything once more, and tell whether something is not what it was."""
        now = Sources(self.config, self._read_stdin)
        for _ in now.documents():
            pass
        for name in self._named:
            try:
                now.read(name)
            except (OSError, ValueError):
                continue
        return (now._documents, now._named) != (self._documents, self._named)

    def _read_documents(self) -> Iterator[tuple[str, bytes | Reason]]:
        if self.config == STANDARD_INPUT:
            yield "<stdin>", self._read_stdin()
            return
        try:
            files = _files(self.config)
        except (OSError, ValueError) as error:
            yield self.config, _reason(error)
            return
        for name, path in files:
            try:
                yield name, _read(path, MAX_FILE + 1, whole=False)
            except (OSError, ValueError) as error:
                yield name, _reason(error)


def _files(config: str) -> list[tuple[str, Path]]:
    """Return the names and paths of the files of a folder; a file stands for itself."""
    path = Path(config)
    if not path.is_dir():
        return [(config, path)]
    files = sorted(
        (file.name, file) for file in path.iterdir() if file.name.endswith(SUFFIXES) and not file.name.startswith(".")
    )
    return [(name, file) for name, file in files if not file.is_dir()]


def _read(path: Path, limit: int, whole: bool = True) -> bytes:
    """
    Read a file up to a limit in bytes.

    @param whole: Refuse a file that is larger; else return its begin.

    @raise OSError: It can't be read.
    """
    most = limit + 1 if whole else limit
    with path.open("rb") as file:
        # room for what it is said to hold, not for the largest that it may be: there may be thousands
        expected = min(os.fstat(file.fileno()).st_size + 1, most)
        content = file.read(expected)
        if len(content) == expected:
            content += file.read(most - expected)
    if whole and len(content) > limit:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content


def _reason(error: Exception) -> Reason:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def _digest(content: bytes | Reason) -> str:
    return sha256(content).hexdigest() if isinstance(content, bytes) else content
