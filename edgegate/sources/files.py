"""
Files: reading one or many, with a limit, and what documents name beside them (certificates, keys).

Only regular files are read: a pipe or device could be waited for for ever.
"""

from __future__ import annotations

import errno
import os
import stat
from abc import abstractmethod
from functools import partial
from pathlib import Path

from edgegate.config.manifest import MAX_FILE
from edgegate.sources.file_reader import FileReader
from edgegate.sources.source import Reading, Reason, reason_of

MAX_KEY_FILE = 16 * 1024 * 1024
"""Bytes of a certificate, key or revocation list."""

NO_FILE = "not a file"
"""How the reason ends why something is not read that is none."""

_ROOM = 1024 * 1024
"""Bytes of files that are read together, after which no further one is."""

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class FilesReading(Reading):
    """A reading whose documents name files beside them."""

    def __init__(self, reader: FileReader) -> None:
        """
        @param reader: Makes all calls that touch files.
        """
        super().__init__()
        self._reader = reader

    @property
    @abstractmethod
    def base(self) -> Path:
        """What names in the documents are relative to, as far as that is known."""

    @property
    def files(self) -> list[Path]:
        """Where the files lie that documents name."""
        base = self.base
        return [base / name for name in self.named]

    def locate(self, name: str) -> str:
        """See L{Reading.locate}."""
        return str((self.base / name).absolute())

    def close(self) -> None:
        """All has been taken that will be: keep no content, and no thread."""
        super().close()
        self._reader.close()

    def _read_file(self, name: str) -> bytes:
        return self._reader(partial(read_file, self._find_base() / name, MAX_KEY_FILE))

    def _find_base(self) -> Path:
        """
        Return what names in the documents are relative to.

        @raise OSError: That can't be told.
        """
        return self.base


def read_manifests(paths: list[Path]) -> list[bytes | Reason]:
    """Read the first of some files of documents: no more together than takes room."""
    contents: list[bytes | Reason] = []
    left = _ROOM
    for path in paths:
        contents.append(read_manifest(path))
        left -= len(contents[-1])
        if left <= 0:
            break
    return contents


def read_manifest(path: Path) -> bytes | Reason:
    """Return what a file of documents holds, or why there is nothing."""
    try:
        return read_file(path, MAX_FILE + 1, whole=False)
    except (OSError, ValueError) as error:
        return reason_of(error)


def read_file(path: Path, limit: int, whole: bool = True) -> bytes:
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
        raise OSError(errno.EINVAL, f"it is {_KINDS.get(stat.S_IFMT(mode), 'something else')}, {NO_FILE}")
