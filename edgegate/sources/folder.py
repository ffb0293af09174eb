"""
The files of a configuration: where they lie, what is in them, and whether that is still so.

Of a folder, and of all folders in it, the files whose names end in C{.yaml},
C{.yml} or C{.json} are read (L{edgegate.sources.tree}). Other files (certificates, units)
are read only where a document names them.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path

from edgegate.config.documents import MAX_FILE
from edgegate.sources.file_reader import FileReader
from edgegate.sources.tree import Tree, walk

STANDARD_INPUT = "-"

MAX_KEY_FILE = 16 * 1024 * 1024
"""Bytes of a certificate, key or revocation list."""

Reason = str
"""Why a file can't be read."""

_NO_FILE = "not a file"

_AT_ONCE = 32
_ROOM = 1024 * 1024
"""Files that are read at one time, and bytes of them after which no further one is."""

_PEEK = 64 * 1024
"""Bytes of a file with another ending that are looked at."""

_MOST_PEEKED = 100

_ISTIO = re.compile(rb"""^["']?apiVersion["']?:[ \t]*["']?(?:networking|security)\.istio\.io/""", re.MULTILINE)
_KIND = re.compile(rb"""^["']?kind["']?:[ \t]*["']?([A-Za-z]+)""", re.MULTILINE)

_COPY = re.compile(r"(.*\.(?:yaml|yml|json))[^/]")

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class Sources:
    """
    Reads the files of a configuration once, and remembers what was read.

    @ivar config: A folder, a file, or C{-} for standard input.
    """

    def __init__(
        self, config: str, read_stdin: Callable[[], bytes], reader: FileReader | None = None, base: Path = Path()
    ) -> None:
        """
        @param read_stdin: Returns all of standard input.
        @param reader: Makes all calls that touch files.
        @param base: What C{config} is relative to.
        """
        self.config = config
        self._read_stdin = read_stdin
        self._reader = FileReader() if reader is None else reader
        self._base = base
        self._path = base if config == STANDARD_INPUT else base / config
        self._folder: Path | None = None
        self._tree = Tree()
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
            content = self._reader(partial(_read, self._find_folder() / name, MAX_KEY_FILE))
        except (OSError, ValueError) as error:
            self._named[name] = _digest(_reason(error))
            raise
        self._named[name] = _digest(content)
        return content

    @property
    def path(self) -> Path | None:
        """The folder or file of the documents; L{None} for standard input."""
        return None if self.config == STANDARD_INPUT else self._path

    @property
    def named(self) -> list[Path]:
        """The files that documents name, whether they could be read or not."""
        folder = self._path.parent if self._folder is None else self._folder
        return [folder / name for name in self._named]

    def changed(self) -> bool:
        """Read everything once more, and tell whether something is not what it was."""
        now = Sources(self.config, self._read_stdin, self._reader, self._base)
        for _ in now.documents():
            pass
        for name in self._named:
            try:
                now.read(name)
            except (OSError, ValueError):
                continue
        self.close()
        return (now._documents, now._named) != (self._documents, self._named)

    def passed_over(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """
        Yield the files of the folder that are not read, as their names end in something else, and hold documents of
        Istio's: their names, and the kinds. What is a copy of one that is read, as editors make them, is left out.
        """
        read = {name for name, _ in self._tree.documents}
        for name, path in self._tree.others[:_MOST_PEEKED]:
            copied = _COPY.match(name)
            if copied is not None and copied[1] in read:
                continue
            try:
                begin = self._reader(partial(_read, path, _PEEK, whole=False))
            except (OSError, ValueError):
                continue
            if b"\0" not in begin and _ISTIO.search(begin):
                yield name, tuple(dict.fromkeys(kind.decode() for kind in _KIND.findall(begin)))

    def close(self) -> None:
        """All has been read: keep no thread."""
        self._reader.close()

    def _find_folder(self) -> Path:
        """
        Return what names in the documents are relative to.

        @raise OSError: That can't be told.
        """
        if self._folder is None:
            is_folder = self._reader(partial(os.path.isdir, self._path))
            self._folder = self._path if is_folder else self._path.parent
        return self._folder

    def _read_documents(self) -> Iterator[tuple[str, bytes | Reason]]:
        if self.config == STANDARD_INPUT:
            yield "<stdin>", self._read_stdin()
            return
        try:
            is_folder = self._find_folder() == self._path
            if is_folder:
                self._tree = walk(self._path, self._reader)
        except (OSError, ValueError) as error:
            yield self.config, _reason(error)
            return
        if is_folder:
            yield from self._read_files(self._tree.documents)
            yield from self._tree.faults
            return
        content = self._read_one(self._path)
        if isinstance(content, str) and content.endswith(_NO_FILE):
            content += "; - reads standard input"
        yield self.config, content

    def _read_files(self, files: list[tuple[str, Path]]) -> Iterator[tuple[str, bytes | Reason]]:
        """Read files, small ones many at a time: it takes a while to tell a thread of each."""
        begin = 0
        while begin < len(files):
            some = files[begin : begin + _AT_ONCE]
            try:
                contents = self._reader(partial(_read_some, some))
            except OSError:
                # one of them hangs: which, they tell one by one
                contents = [self._read_one(path) for _, path in some]
            begin += len(contents)
            # files may be more than what was read of them
            for (name, _), content in zip(some, contents):  # noqa: B905
                yield name, content

    def _read_one(self, path: Path) -> bytes | Reason:
        try:
            return self._reader(partial(_content, path))
        except OSError as error:
            return _reason(error)


def _read_some(files: list[tuple[str, Path]]) -> list[bytes | Reason]:
    """Read the first of some files: no more together than takes room."""
    contents: list[bytes | Reason] = []
    left = _ROOM
    for _, path in files:
        contents.append(_content(path))
        left -= len(contents[-1])
        if left <= 0:
            break
    return contents


def _content(path: Path) -> bytes | Reason:
    """Return what a file of documents holds, or why there is nothing."""
    try:
        return _read(path, MAX_FILE + 1, whole=False)
    except (OSError, ValueError) as error:
        return _reason(error)


def _read(path: Path, limit: int, whole: bool = True) -> bytes:
    """
    Read a file up to a limit in bytes.

    @param whole: Refuse a file that is larger; else return its begin.

    @raise OSError: It can't be read, or is none but a pipe or device, which could be waited for for ever.
    """
    most = limit + 1 if whole else limit
    # looked at first, as opening does something to some of them; and again, as it may be another one by then
    _check_kind(os.stat(path).st_mode)  # noqa: PTH116
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC), "rb") as file:
        status = os.fstat(file.fileno())
        _check_kind(status.st_mode)
        # room for what it is said to hold, not for the largest that it may be: there may be thousands
        expected = min(status.st_size + 1, most)
        content = file.read(expected)
        if len(content) == expected:
            content += file.read(most - expected)
    if whole and len(content) > limit:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content


def _check_kind(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, f"it is {_KINDS.get(stat.S_IFMT(mode), 'something else')}, {_NO_FILE}")


def _reason(error: Exception) -> Reason:
    if isinstance(error, ValueError):
        # Python's own words differ from version to version
        return "no file can have this name"
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def _digest(content: bytes | Reason) -> str:
    return sha256(content).hexdigest() if isinstance(content, bytes) else content
