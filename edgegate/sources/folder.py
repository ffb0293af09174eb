"""
A folder of files, or one file, as the source of a configuration.

Of a folder, and of all folders in it, the files whose names end in C{.yaml},
C{.yml} or C{.json} are read (L{edgegate.sources.tree}). Other files (certificates, units)
are read only where a document names them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from twisted.internet.interfaces import IReactorTime

from edgegate.sources.file_reader import FileReader
from edgegate.sources.files import NO_FILE, FilesReading, read_file, read_manifest, read_manifests
from edgegate.sources.source import ConfigurationSource, Follower, Reason, reason_of
from edgegate.sources.tree import Tree, walk

_AT_ONCE = 32
"""Files that are read at one time."""

_PEEK = 64 * 1024
"""Bytes of a file with another ending that are looked at."""

_MOST_PEEKED = 100

_ISTIO = re.compile(
    rb"""^["']?apiVersion["']?:[ \t]*["']?(?:(?:networking|security)\.istio|edgegate)\.io/""", re.MULTILINE
)
_KIND = re.compile(rb"""^["']?kind["']?:[ \t]*["']?([A-Za-z]+)""", re.MULTILINE)

_COPY = re.compile(r"(.*\.(?:yaml|yml|json))[^/]")


class Folder(ConfigurationSource):
    """A folder, or one file."""

    def __init__(self, name: str, reader: FileReader | None = None, base: Path = Path()) -> None:
        """
        @param reader: Makes all calls that touch files.
        @param base: What C{name} is relative to.
        """
        self._name = name
        self._base = base
        self._path = base / name
        self._reader = FileReader() if reader is None else reader

    @property
    def name(self) -> str:
        """As it was named."""
        return self._name

    @property
    def location(self) -> str:
        """Its path."""
        return str(self._path)

    def __reduce__(self) -> tuple[type[Folder], tuple[str, None, Path]]:
        """Another process has threads of its own."""
        return Folder, (self._name, None, self._base)

    def size(self) -> int:
        """Look at the sizes of all files of documents, or of the one."""
        try:
            if not self._reader(partial(os.path.isdir, self._path)):
                return self._reader(partial(_size, [self._path]))
            tree = walk(self._path, self._reader)
            return self._reader(partial(_size, [path for _, path in tree.documents]))
        except (OSError, ValueError):
            # whoever reads it tells why
            return 0
        finally:
            self._reader.close()

    def read(self) -> FolderReading:
        """Begin to read."""
        return FolderReading(self._name, self._path, self._reader)

    def follow(self, reactor: IReactorTime, changed: Callable[[], object]) -> Follower:
        """Return what watches the files, and those that the documents name."""
        from edgegate.sources.watch import WatchService  # noqa: PLC0415

        return WatchService(reactor, changed)


class FolderReading(FilesReading):
    """Reads the files of documents once, and those that they name."""

    def __init__(self, name: str, path: Path, reader: FileReader) -> None:
        """
        @param name: What problems call C{path}.
        """
        super().__init__(reader)
        self._path = path
        self._name = name
        self._folder: Path | None = None
        self._tree = Tree()

    @property
    def path(self) -> Path:
        """Of what was named."""
        return self._path

    @property
    def base(self) -> Path:
        """The folder, or that of the file."""
        return self._path.parent if self._folder is None else self._folder

    def passed_over(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """
        Yield the files of the folder that are not read, as their names end in something else, and hold documents of
        Istio's or of edgegate's own: their names, and the kinds. What is a copy of one that is read, as editors make
        them, is left out, and what documents name.
        """
        read, named = {name for name, _ in self._tree.documents}, set(self.named)
        for name, path in self._tree.others[:_MOST_PEEKED]:
            copied = _COPY.match(name)
            if name in named or (copied is not None and copied[1] in read):
                continue
            try:
                begin = self._reader(partial(read_file, path, _PEEK, whole=False))
            except (OSError, ValueError):
                continue
            if b"\0" not in begin and _ISTIO.search(begin):
                yield name, tuple(dict.fromkeys(kind.decode() for kind in _KIND.findall(begin)))

    def _find_base(self) -> Path:
        if self._folder is None:
            is_folder = self._reader(partial(os.path.isdir, self._path))
            self._folder = self._path if is_folder else self._path.parent
        return self._folder

    def _read_manifests(self) -> Iterator[tuple[str, bytes | Reason]]:
        try:
            is_folder = self._find_base() == self._path
            if is_folder:
                self._tree = walk(self._path, self._reader)
        except (OSError, ValueError) as error:
            yield self._name, reason_of(error)
            return
        if is_folder:
            yield from self._read_files(self._tree.documents)
            yield from self._tree.faults
            return
        content = self._read_one(self._path)
        if isinstance(content, str) and content.endswith(NO_FILE):
            content += "; - reads standard input"
        yield self._name, content

    def _read_files(self, files: list[tuple[str, Path]]) -> Iterator[tuple[str, bytes | Reason]]:
        """Read files, small ones many at a time: it takes a while to tell a thread of each."""
        begin = 0
        while begin < len(files):
            some = files[begin : begin + _AT_ONCE]
            try:
                contents = self._reader(partial(read_manifests, [path for _, path in some]))
            except OSError:
                # one of them hangs: which, they tell one by one
                contents = [self._read_one(path) for _, path in some]
            begin += len(contents)
            # files may be more than what was read of them
            for (name, _), content in zip(some, contents):  # noqa: B905
                yield name, content

    def _read_one(self, path: Path) -> bytes | Reason:
        try:
            return self._reader(partial(read_manifest, path))
        except OSError as error:
            return reason_of(error)


def _size(paths: list[Path]) -> int:
    """Return the bytes of files together. One that is gone has none."""
    size = 0
    for path in paths:
        with suppress(OSError):
            size += os.stat(path).st_size  # noqa: PTH116
    return size
