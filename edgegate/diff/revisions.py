"""A folder as it was in a revision of git: written to a folder for as long as it is looked at."""

from __future__ import annotations

import os
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Final, cast

_FILES: Final = (b"100644", b"100755")
"""Modes of plain files (C{gitformat-index(5)})."""


class NoRevision(Exception):
    """Git has no such revision, or not this folder in it; the reason is in one line."""


@contextmanager
def revision(path: Path, name: str) -> Iterator[Path]:
    """
    Write all that a revision holds to a folder that is gone in the end, and return where in it a path is.

    All of it, since documents name files beside their folder, too. Git's own store is not changed.

    @param path: A folder or file within a working tree.
    @raise NoRevision: There is none, or git is not there.
    """
    where = path if path.is_dir() else path.parent
    if not where.is_dir():
        raise NoRevision(f"{where} is no folder")
    top = Path(_git(where, "rev-parse", "--show-toplevel"))
    commit = _git(where, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    inside = path.resolve().relative_to(top.resolve())
    with TemporaryDirectory(prefix="edgegate-diff-") as folder:
        _write(top, commit, Path(folder))
        found = Path(folder) / inside
        if not found.exists():
            raise NoRevision(f"revision {name} has no {inside}")
        yield found


def fork_point(path: Path, one: str, other: str) -> str:
    """
    Return the last commit that two revisions have in common, which is where C{git diff ONE...OTHER} begins.

    @param path: A folder or file within a working tree.
    @raise NoRevision: There is none, or git is not there.
    """
    where = path if path.is_dir() else path.parent
    commits = [
        _git(where, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        for name in (one, other)
    ]
    try:
        return _git(where, "merge-base", *commits)
    except NoRevision:
        raise NoRevision(f"{one} and {other} have no commit in common") from None


def _git(where: Path, *arguments: str) -> str:
    """
    Return a line that git writes.

    @raise NoRevision: It can't.
    """
    command = ["git", "-C", str(where), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise NoRevision(f"git can't be started: {error.strerror}") from None
    if done.returncode:
        wanted = arguments[-1].removesuffix("^{commit}")
        why = done.stderr.strip().partition("\n")[0] or f"git knows no revision {wanted}"
        raise NoRevision(why.removeprefix("fatal: "))
    return done.stdout.strip()


def _write(top: Path, commit: str, folder: Path) -> None:
    with subprocess.Popen(
        ["git", "-C", str(top), "archive", "--format=tar", commit],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            with tarfile.open(fileobj=cast("IO[bytes]", process.stdout), mode="r|") as archive:
                _extract(archive, folder)
        except tarfile.TarError as error:
            raise NoRevision(f"what git has of {commit} can't be read: {error}") from None
    if process.returncode:
        raise NoRevision(f"git can't read {commit}")
    _add_ignored(top, commit, folder)


def _add_ignored(top: Path, commit: str, folder: Path) -> None:
    """
    Write the files that C{git archive} leaves out, because C{.gitattributes} marks them C{export-ignore}.

    They are served like others. Links are none of them: those are left out on purpose.
    """
    command = ["git", "-C", str(top), "ls-tree", "-r", "-z", "--full-tree", commit]
    listed = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL).stdout
    for line in listed.split(b"\0"):
        about, _, name = line.partition(b"\t")
        mode, _, rest = about.partition(b" ")
        path = folder / os.fsdecode(name)
        if mode in _FILES and not os.path.lexists(path):
            blob = ["git", "-C", str(top), "cat-file", "blob", rest.rpartition(b" ")[2].decode("ascii")]
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                subprocess.run(blob, stdout=file, stderr=subprocess.DEVNULL, check=False, stdin=subprocess.DEVNULL)


def _extract(archive: tarfile.TarFile, folder: Path) -> None:
    """Write what is in an archive, but for what leads out of the folder: a link, say, to a file of the machine."""

    def inside(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo | None:
        try:
            return tarfile.data_filter(member, path)
        except tarfile.FilterError:
            return None

    archive.extractall(folder, filter=inside)
