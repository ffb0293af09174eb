"""
Watching files for changes, with Twisted's inotify.

Watched are folders, never files: a file that is replaced (by an editor that
saves by renaming, or by Kubernetes, which swaps a symbolic link to a folder) is
another file of the same name. Which names matter in which folder is worked out
by L{places}; L{Watch} follows the result.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger, LogLevel
from twisted.python.filepath import FilePath

from edgegate.sources import SUFFIXES

log = Logger(namespace=__name__)

QUIET = 0.1
"""Seconds without a change after which a series of changes counts as over."""

LONGEST = 0.5
"""Seconds after its first change that a series is taken for over, whatever goes on."""

_MOST_LINKS = 40
"""Symbolic links on the way to a file, as Linux has it."""

# From <sys/inotify.h>; Twisted's module of the same names can only be imported where there is inotify.
_ATTRIB = 0x4
_CLOSE_WRITE = 0x8
_MOVED_FROM = 0x40
_MOVED_TO = 0x80
_CREATE = 0x100
_DELETE = 0x200
_DELETE_SELF = 0x400
_MOVE_SELF = 0x800
_ISDIR = 0x40000000
_ALL = _ATTRIB | _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _MOVE_SELF


@dataclass
class Place:
    """
    What matters in a folder.

    @ivar names: Names whose change matters.
    @ivar documents: Whether that of every file of documents does.
    """

    names: set[str] = field(default_factory=set)
    documents: bool = False

    def matters(self, name: str) -> bool:
        """Whether the change of a name does."""
        return name in self.names or (self.documents and name.endswith(SUFFIXES) and not name.startswith("."))


def places(config: Path | None, files: Iterable[Path]) -> dict[str, Place]:
    """
    Return the folders to watch, and what matters in each, so that no change of what paths lead to is missed: the folder
    of each symbolic link on the way counts, and where the way ends early, the last folder that is there.

    @param config: A folder of documents, or one file of them; L{None} for none.
    @param files: Others that were read.
    """
    found: dict[str, Place] = {}
    for path in files:
        _add_way(found, path)
    if config is not None:
        end = _add_way(found, config)
        if os.path.isdir(end):  # noqa: PTH112
            found.setdefault(end, Place()).documents = True
    return found


def _add_way(found: dict[str, Place], path: Path) -> str:
    """Add what matters on the way to a path, and return what it leads to, or where its way ends."""
    rest = list(reversed(Path(os.path.abspath(path)).parts[1:]))  # noqa: PTH100
    folder, here, links = "/", "/", 0
    name = ""
    while rest:
        folder, name = here, rest.pop()
        if name == "..":
            here = os.path.dirname(here)  # noqa: PTH120
            continue
        here = os.path.join(folder, name)  # noqa: PTH118
        if os.path.islink(here) and links < _MOST_LINKS:  # noqa: PTH114
            links += 1
            found.setdefault(folder, Place()).names.add(name)
            target = Path(os.readlink(here))  # noqa: PTH115
            here = "/" if target.is_absolute() else folder
            rest.extend(reversed(target.parts[1:] if target.is_absolute() else target.parts))
        elif not os.path.lexists(here):
            break
    if name:
        found.setdefault(folder, Place()).names.add(name)
    return here


def available() -> bool:
    """Whether this system has inotify."""
    try:
        import twisted.internet.inotify  # noqa: F401, PLC0415
    except ImportError:
        return False
    return True


class Watch:
    """Calls back some time after files that are followed have changed; changes that come together count once."""

    def __init__(self, reactor: IReactorTime, changed: Callable[[], object]) -> None:
        """
        @param reactor: Also provides C{IReactorFDSet}.
        @param changed: Called after changes.
        """
        from twisted.internet.inotify import INotify  # noqa: PLC0415

        class Events(INotify):
            """One inotify, which its owner closes: Twisted's own ends with the first folder that is deleted."""

            def loseConnection(self) -> None:  # noqa: N802
                """Stay open."""

        self._reactor = reactor
        self._changed = changed
        self._events: Any = Events(reactor)  # type: ignore[no-untyped-call]
        self._events.startReading()  # type: ignore[no-untyped-call]
        self._config: Path | None = None
        self._files: tuple[Path, ...] = ()
        self._places: dict[str, Place] = {}
        self._watched: set[str] = set()
        self._settling: IDelayedCall | None = None
        self._latest = 0.0
        self._refused = False

    def follow(self, config: Path | None, files: Iterable[Path]) -> None:
        """
        Watch these from now on, and no others; see L{places}.

        What is new is looked at once more, since it may have changed before it was watched.
        """
        self._config, self._files = config, tuple(files)
        if self._look_around():
            self._something_changed()

    def stop(self) -> None:
        """Watch no more."""
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None
        self._events.stopReading()
        os.close(self._events.fileno())

    def _look_around(self) -> bool:
        """Watch the folders that there are now on the ways to what is followed; tell whether some are new."""
        self._places = places(self._config, self._files)
        for folder in self._watched - self._places.keys():
            self._forget(folder)
        fresh = [folder for folder in self._places if folder not in self._watched]
        for folder in fresh:
            self._watch(folder)
        return bool(fresh)

    def _watch(self, folder: str) -> None:
        path = FilePath(folder)
        try:
            self._events.watch(path, mask=_ALL, callbacks=[self._event])
        except Exception as error:
            # inotify's own error has no number: a folder that is gone was seen to go, all else is a want of resources
            if path.isdir() and not self._refused:
                self._refused = True
                log.emit(
                    LogLevel.warn,
                    "cannot watch {folder} ({error}): raise fs.inotify.max_user_watches, or reload by hand",
                    folder=folder,
                    error=str(error),
                )
            return
        self._watched.add(folder)

    def _forget(self, folder: str) -> None:
        self._watched.discard(folder)
        try:
            self._events.ignore(FilePath(folder))
        except KeyError:
            # the folder was deleted, and the watch with it
            return

    def _event(self, _: object, path: FilePath[bytes], mask: int) -> None:
        if mask & (_DELETE_SELF | _MOVE_SELF):
            self._watched.discard(os.fsdecode(path.path))
            if mask & _MOVE_SELF:
                self._forget(os.fsdecode(path.path))
            self._something_changed()
            return
        folder, name = os.path.split(os.fsdecode(path.path))
        place = self._places.get(folder)
        if place is not None and place.matters(name) and not _being_written(path.path, mask):
            self._something_changed()

    def _something_changed(self) -> None:
        now = self._reactor.seconds()
        if self._settling is None:
            self._latest = now + LONGEST
            self._settling = self._reactor.callLater(QUIET, self._settled)
        else:
            self._settling.reset(max(min(QUIET, self._latest - now), 0))

    def _settled(self) -> None:
        self._settling = None
        self._look_around()
        self._changed()


def _being_written(path: bytes, mask: int) -> bool:
    """Whether a file has only just been made: it matters when it is closed. Links are whole at once."""
    return bool(mask & _CREATE) and not mask & _ISDIR and not os.path.islink(path) and _links(path) == 1  # noqa: PTH114


def _links(path: bytes) -> int:
    try:
        return os.stat(path).st_nlink  # noqa: PTH116
    except OSError:
        return 0


class WatchService(Service):
    """
    Watches what a gateway has read, from its start to its end.

    Without inotify it says so, and does nothing.
    """

    def __init__(self, reactor: IReactorTime, changed: Callable[[], object]) -> None:
        """
        @param reactor: Also provides C{IReactorFDSet}.
        @param changed: Called after changes.
        """
        self._reactor = reactor
        self._changed = changed
        self._watch: Watch | None = None

    def startService(self) -> None:
        """Begin."""
        super().startService()  # type: ignore[no-untyped-call]
        if available():
            self._watch = Watch(self._reactor, self._changed)
        else:
            log.info("this system has no inotify: files are not watched, reload by SIGHUP")

    def stopService(self) -> None:
        """End."""
        super().stopService()  # type: ignore[no-untyped-call]
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.stop()

    def follow(self, config: Path | None, files: Iterable[Path]) -> None:
        """Watch what was read, and nothing else; see L{Watch.follow}."""
        if self._watch is not None:
            self._watch.follow(config, files)
