"""
The files of a folder and of all folders in it, in the order in which they are read.

What is hidden (its name begins with a dot) is left out: drafts, F{.git}, the
F{..data} of Kubernetes, whose files are found by the links that lead to them.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

SUFFIXES = (".yaml", ".yml", ".json")
"""How the names of files of documents end."""

MOST_DEEP = 16
"""Folders within each other."""

MOST_NAMES = 100_000
"""Files and folders of one tree, of whatever kind."""

MOST_OTHERS = 1_000
"""Files with other endings that are kept in mind."""

_LEFT_OUT = "lost+found"

T = TypeVar("T")


@dataclass
class Tree:
    """
    What lies in a folder.

    Files come with their name relative to it: C{sub/a.yaml}.

    @ivar documents: Files of documents.
    @ivar others: Files with another ending, the first of them where there are many.
    @ivar folders: It and all others, each once, however many links lead to it.
    @ivar links: Symbolic links to files of documents or folders.
    @ivar faults: Names of what can't be looked into, with the reasons.
    """

    documents: list[tuple[str, Path]] = field(default_factory=list)
    others: list[tuple[str, Path]] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    links: list[Path] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)


class _Entry(NamedTuple):
    name: str
    folder: bool
    link: bool


class _Listing(NamedTuple):
    """
    What lies in one folder.

    @ivar key: Tells the folder from others, by whatever way it is reached.
    """

    key: tuple[int, int]
    entries: list[_Entry]


Call = Callable[[Callable[[], _Listing]], _Listing]
"""Calls what calls the system, which may hang; see L{edgegate.sources.file_reader.FileReader}."""


def is_hidden(name: str) -> bool:
    """Whether a file or folder is left out because of its name."""
    return name.startswith(".") or name == _LEFT_OUT


def walk(root: Path, call: Call) -> Tree:
    """
    Look into a folder and all that are in it. Each is read in the order of its names, folders at their place among
    the files.

    @raise OSError: The folder can't be read, or holds too much.
    """
    walking = _Walk(call)
    walking.look(root, "", walking.list(root), 1)
    return walking.tree


class _Walk:
    """A walk under way."""

    def __init__(self, call: Call) -> None:
        self.tree = Tree()
        self._call = call
        self._seen: set[tuple[int, int]] = set()
        self._left = MOST_NAMES

    def list(self, folder: Path) -> _Listing:
        """
        Look into one folder.

        @raise OSError: It can't be read, or holds too much.
        """
        listing = self._call(partial(_list, folder, self._left))
        self._left -= len(listing.entries)
        if self._left < 0:
            raise OSError(errno.EFBIG, f"it holds more than {MOST_NAMES} files: is it the folder that is meant?")
        return listing

    def look(self, folder: Path, prefix: str, listing: _Listing, depth: int) -> None:
        """
        Take what lies in one folder, and look into those in it.

        @param prefix: The folder's name and a slash; nothing for the first one.
        """
        tree = self.tree
        if listing.key in self._seen:
            return
        self._seen.add(listing.key)
        tree.folders.append(folder)
        for entry in listing.entries:
            path, name = folder / entry.name, prefix + entry.name
            if entry.link and (entry.folder or entry.name.endswith(SUFFIXES)):
                tree.links.append(path)
            if entry.folder:
                self._descend(path, name, depth)
            elif entry.name.endswith(SUFFIXES):
                tree.documents.append((name, path))
            elif len(tree.others) < MOST_OTHERS:
                tree.others.append((name, path))

    def _descend(self, folder: Path, name: str, depth: int) -> None:
        if depth >= MOST_DEEP:
            self.tree.faults.append(
                (name, f"it is the {depth + 1}th of folders within each other: {MOST_DEEP} are read")
            )
            return
        try:
            listing = self.list(folder)
        except (FileNotFoundError, NotADirectoryError):
            # it has gone since
            return
        except OSError as error:
            if error.errno == errno.EFBIG:
                raise
            hint = ": a folder whose name begins with a dot is left out" if error.errno == errno.EACCES else ""
            self.tree.faults.append((name, f"{error.strerror or error}{hint}"))
            return
        self.look(folder, f"{name}/", listing, depth + 1)


def _list(folder: Path, most: int) -> _Listing:
    with os.scandir(folder) as found:
        names = (entry for entry in found if not is_hidden(entry.name))
        entries = [_Entry(entry.name, _is_folder(entry), entry.is_symlink()) for entry in islice(names, most + 1)]
    status = os.stat(folder)  # noqa: PTH116
    return _Listing((status.st_dev, status.st_ino), sorted(entries))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # links that lead to each other
        return False
