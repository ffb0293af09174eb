"""
Watching files for changes, with Twisted's inotify.

Watched are folders, never files: a file that is replaced (by an editor that
saves by renaming, or by Kubernetes, which swaps a symbolic link to a folder) is
another file of the same name. Which names matter in which folder is worked out
by L{places}; L{Watch} follows the result.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, cast

from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorFromThreads, IReactorTime
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure
from twisted.python.filepath import FilePath

from edgegate.file_reader import FileReader, defer_to_daemon
from edgegate.tree import SUFFIXES, is_hidden, walk

log = Logger()

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

    def matters(self, name: str, folder: bool = False) -> bool:
        """
        Whether the change of a name does.

        @param folder: Whether it is a folder's, or may be.
        """
        return name in self.names or (self.documents and not is_hidden(name) and (folder or name.endswith(SUFFIXES)))


Defer = Callable[[Callable[[], dict[str, Place]]], Deferred[dict[str, Place]]]


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


def available() -> bool:
    """Whether this system has inotify."""
    try:
        import twisted.internet.inotify  # noqa: F401, PLC0415
    except ImportError:
        return False
    return True


class Watch:
    """Calls back some time after files that are followed have changed; changes that come together count once."""

    def __init__(self, reactor: IReactorTime, changed: Callable[[], object], defer: Defer = maybeDeferred) -> None:
        """
        @param reactor: Also provides C{IReactorFDSet}.
        @param changed: Called after changes.
        @param defer: Calls what looks at files, which may take its time.
        """
        from twisted.internet.inotify import INotify  # noqa: PLC0415

        class Events(INotify):
            """One inotify, which its owner closes: Twisted's own ends with the first folder that is deleted."""

            def loseConnection(self) -> None:  # noqa: N802
                """Stay open."""

        self._reactor = reactor
        self._changed = changed
        self._defer = defer
        self._looks = 0
        self._stopped = False
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
        self._look_around().addCallback(lambda fresh: self._something_changed() if fresh else None)

    def stop(self) -> None:
        """Watch no more."""
        self._stopped = True
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None
        self._events.stopReading()
        os.close(self._events.fileno())

    def _look_around(self) -> Deferred[bool]:
        """Watch the folders that there are now on the ways to what is followed; tell whether some are new."""
        self._looks += 1
        looking = self._defer(partial(places, self._config, self._files))
        return looking.addCallback(self._take, self._looks).addErrback(self._cannot_look)

    def _take(self, found: dict[str, Place], look: int) -> bool:
        if self._stopped or look != self._looks:
            # what is followed is something else now
            return False
        self._places = found
        for folder in self._watched - found.keys():
            self._forget(folder)
        fresh = [folder for folder in found if folder not in self._watched]
        for folder in fresh:
            self._watch(folder)
        return bool(fresh)

    def _cannot_look(self, failure: Failure) -> bool:
        """What was watched before goes on being watched."""
        if failure.check(OSError):
            log.emit(LogLevel.warn, "cannot look at what is watched: {reason}", reason=failure.getErrorMessage())
        else:
            log.failure("looking at what is watched broke", failure)
        return False

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
            self._lost(os.fsdecode(path.path), bool(mask & _MOVE_SELF))
            self._something_changed()
            return
        folder, name = os.path.split(os.fsdecode(path.path))
        place = self._places.get(folder)
        if place is None or _being_written(path.path, mask):
            return
        # a link that is new may lead to a folder
        is_folder = mask & _ISDIR or (mask & (_CREATE | _MOVED_TO) and os.path.islink(path.path))  # noqa: PTH114
        if place.matters(name, bool(is_folder)):
            self._something_changed()

    def _lost(self, folder: str, moved: bool) -> None:
        """A folder is no longer where it was; those in one that was moved have gone with it."""
        for each in [each for each in self._watched if each == folder or (moved and each.startswith(f"{folder}/"))]:
            if moved:
                self._forget(each)
            self._watched.discard(each)

    def _something_changed(self) -> None:
        now = self._reactor.seconds()
        if self._settling is None:
            self._latest = now + LONGEST
            self._settling = self._reactor.callLater(QUIET, self._settled)
        else:
            self._settling.reset(max(min(QUIET, self._latest - now), 0))

    def _settled(self) -> None:
        self._settling = None
        self._look_around().addCallback(lambda _: None if self._stopped else self._changed())


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
        @param reactor: Also provides C{IReactorFDSet} and C{IReactorFromThreads}.
        @param changed: Called after changes.
        """
        self._reactor = reactor
        self._changed = changed
        self._reader = FileReader()
        self._looking = Lock()
        self._watch: Watch | None = None

    def startService(self) -> None:
        """Begin."""
        super().startService()  # type: ignore[no-untyped-call]
        if available():
            self._watch = Watch(self._reactor, self._changed, self._defer)
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

    def _defer(self, look: Callable[[], dict[str, Place]]) -> Deferred[dict[str, Place]]:
        """Look in a thread, which may hang."""

        def patiently() -> dict[str, Place]:
            with self._looking:
                try:
                    return self._reader(look)
                finally:
                    self._reader.close()

        return defer_to_daemon(cast(IReactorFromThreads, self._reactor), patiently)
