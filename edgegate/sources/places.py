"""
What to watch so that no change of files is missed: which names matter in which folder.

Folders are watched, never files: a file that is replaced (by an editor that
saves by renaming, or by Kubernetes, which swaps a symbolic link to a folder) is
another file of the same name.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from edgegate.sources.tree import SUFFIXES, is_hidden, walk

_MOST_LINKS = 40
"""Symbolic links on the way to a file, as Linux has it."""


@dataclass
class Place:
    """
    What matters in a folder.

    @ivar names: Names whose change matters.
    @ivar documents: Whether that of every file of documents does.
    """

    names: set[str] = field(default_factory=set)
    documents: bool = False

    def matters(self, name: str, folder: bool = False) -> bool:
        """
        Whether the change of a name does.

        @param folder: Whether it is a folder's, or may be.
        """
        return name in self.names or (self.documents and not is_hidden(name) and (folder or name.endswith(SUFFIXES)))


def places(config: Path | None, files: Iterable[Path]) -> dict[str, Place]:
    """
    Return the folders to watch, and what matters in each, so that no change of what paths lead to is missed: the folder
    of each symbolic link on the way counts, and where the way ends early, the last folder that is there.

    @param config: A folder of documents, or one file of them; L{None} for none.
    @param files: Others that were read.
    """
    ways = _Ways()
    for path in files:
        ways.add(path)
    end = None if config is None else ways.add(config)
    if end is not None and os.path.isdir(end):  # noqa: PTH112
        ways.place(end).documents = True
        try:
            tree = walk(Path(end), lambda look: look())
        except OSError:
            # it has gone, or holds too much to be read
            return ways.found
        for folder in tree.folders:
            ways.place(ways.add(folder) or end).documents = True
        for link in tree.links:
            ways.add(link)
    return ways.found


class _Ways:
    """
    What matters on the ways to paths.

    @ivar found: The folders.
    """

    def __init__(self) -> None:
        self.found: dict[str, Place] = {}
        self._looked_at: dict[str, str | None] = {}

    def place(self, folder: str) -> Place:
        """Return what matters in a folder."""
        return self.found.setdefault(folder, Place())

    def add(self, path: Path) -> str | None:
        """
        Add what matters on the way to a path.

        @return: What it leads to, or where its way ends; L{None} where it is relative to a folder that is gone.
        """
        try:
            rest = list(reversed(Path(os.path.abspath(path)).parts[1:]))  # noqa: PTH100
        except OSError:
            return None
        folder, here, links = "/", "/", 0
        name = ""
        while rest:
            folder, name = here, rest.pop()
            if name == "..":
                here = os.path.dirname(here)  # noqa: PTH120
                continue
            here = os.path.join(folder, name)  # noqa: PTH118
            found = self._look_at(here)
            if found is None:
                break
            if found and links < _MOST_LINKS:
                links += 1
                self.place(folder).names.add(name)
                target = Path(found)
                here = "/" if target.is_absolute() else folder
                rest.extend(reversed(target.parts[1:] if target.is_absolute() else target.parts))
        if name:
            self.place(folder).names.add(name)
        return here

    def _look_at(self, path: str) -> str | None:
        """Return what a link says, nothing for all else; L{None} where there is nothing that could be looked at."""
        if path not in self._looked_at:
            try:
                # one call, so that what is there can't become something else in between
                self._looked_at[path] = os.readlink(path)  # noqa: PTH115
            except OSError as error:
                self._looked_at[path] = "" if error.errno == errno.EINVAL else None
        return self._looked_at[path]
