"""Standard input as the source of a configuration."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from twisted.internet.interfaces import IReactorTime

from edgegate.config.manifest import MAX_FILE
from edgegate.sources.file_reader import FileReader
from edgegate.sources.files import FilesReading
from edgegate.sources.source import ConfigurationSource, Follower, Reason

NAME = "-"
"""What names it where a folder could be."""


class StandardInput(ConfigurationSource):
    """Standard input, which is read once and then stays what it was; the files that its documents name may change."""

    def __init__(
        self, read: Callable[[], bytes] | None = None, reader: FileReader | None = None, base: Path = Path()
    ) -> None:
        """
        @param read: Returns all of it; by default that of the process.
        @param reader: Makes all calls that touch files.
        @param base: What names in the documents are relative to.
        """
        self._read = read_standard_input if read is None else read
        self._reader = FileReader() if reader is None else reader
        self._base = base
        self._content: bytes | None = None

    @property
    def name(self) -> str:
        """C{-}."""
        return NAME

    @property
    def location(self) -> str:
        """C{-}."""
        return NAME

    def __reduce__(self) -> tuple[Callable[[bytes, Path], StandardInput], tuple[bytes, Path]]:
        """Another process takes what was read here: it can't be read twice."""
        return _already_read, (self._text(), self._base)

    def size(self) -> int:
        """Return the length of what it was."""
        return len(self._text())

    def read(self) -> FilesReading:
        """Begin to read it, or what it was."""
        return _InputReading(self._text(), self._base, self._reader)

    def follow(self, reactor: IReactorTime, changed: Callable[[], object]) -> Follower:
        """Return what watches the files that the documents name."""
        from edgegate.sources.watch import WatchService  # noqa: PLC0415

        return WatchService(reactor, changed)

    def _text(self) -> bytes:
        if self._content is None:
            self._content = self._read()
        return self._content


def _already_read(content: bytes, base: Path) -> StandardInput:
    return StandardInput(lambda: content, base=base)


class _InputReading(FilesReading):
    """One text, and the files that it names."""

    def __init__(self, content: bytes, base: Path, reader: FileReader) -> None:
        super().__init__(reader)
        self._content = content
        self._base = base

    @property
    def base(self) -> Path:
        """The folder that was the current one."""
        return self._base

    def _read_manifests(self) -> Iterator[tuple[str, bytes | Reason]]:
        yield "<stdin>", self._content


def read_standard_input() -> bytes:
    """Return all of standard input, or what is one byte too large to be taken."""
    # a process may be started without any
    return b"" if sys.stdin is None else sys.stdin.buffer.read(MAX_FILE + 1)
