"""
Entries as files of a directory, which several processes, and several gateways on one file system, share.

All files have the mode 0600, all directories that are made here 0700. A file is replaced at once or not at all. Locks
are the kernel's (flock(2)): who dies leaves none.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from edgegate.tls.acme.locks import Lock

BIGGEST = 1 << 18
"""Bytes of a file that are read."""

OLD = 6 * 3600.0
"""Seconds after which a file is removed that was to be there for a while, and was left behind."""

LONGEST_WAIT = 60.0
"""Seconds that a lock is waited for at most."""

_POLL = 0.05
_LONGEST_NAME = 160


class DirectoryStorage:
    """See L{edgegate.tls.acme.storage.Storage}. Who only reads makes no directory."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)

    def read(self, name: str) -> bytes | None:
        """See L{Storage}."""
        try:
            with (self._directory / name).open("rb") as file:
                return file.read(BIGGEST)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, name: str, content: bytes, lock: Lock | None = None) -> None:
        """See L{Storage}. No lock is lost here."""
        _replace(self._directory / name, content)

    def stamps(self, names: Sequence[str]) -> list[str | None]:
        """See L{Storage}."""
        return [_stamp(self._directory / name) for name in names]

    @contextmanager
    def lock(self, name: str, wait: bool) -> Iterator[Lock | None]:
        """See L{Storage}. The file of a lock stays, else two could hold two of one name."""
        path = self._directory / name
        _make(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            # the kernel would wait for as long as somebody who was stopped, and let nobody interrupt it
            until = time.monotonic() + LONGEST_WAIT
            while not (ours := _taken(descriptor)) and wait:
                if time.monotonic() > until:
                    raise OSError(f"{path}: somebody holds this lock for more than {LONGEST_WAIT:.0f} s")
                time.sleep(_POLL)
            yield Lock(name) if ours else None
        finally:
            os.close(descriptor)

    @contextmanager
    def shown(self, name: str, content: bytes) -> Iterator[None]:
        """See L{Storage}."""
        path = self._directory / name
        _forget_old(path.parent)
        _replace(path, content)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _taken(descriptor: int) -> bool:
    """Take a lock; return whether nobody else has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _stamp(path: Path) -> str | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return f"{found.st_mtime_ns}-{found.st_ino}-{found.st_size}"


def _make(path: Path) -> None:
    """Make a directory that others may not look into, and those around it."""
    if not path.is_dir():
        _make(path.parent)
        with suppress(FileExistsError):
            path.mkdir(0o700)


def _write(path: Path, content: bytes) -> None:
    _make(path.parent)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _replace(path: Path, content: bytes) -> None:
    """Have a file hold this at once: it is whole, whoever reads it and whatever dies meanwhile."""
    temporary = path.parent / f".{path.name[:_LONGEST_NAME]}.{secrets.token_hex(8)}"
    try:
        _write(temporary, content)
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # not every file system can
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _forget_old(directory: Path) -> None:
    """Remove what somebody has left behind who died."""
    with suppress(OSError):
        for path in directory.iterdir():
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > OLD:
                    path.unlink(missing_ok=True)
