"""
Watching files for changes, with Twisted's inotify.

Which names matter in which folder is worked out by L{places}; L{Watch} follows the result.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
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
from zope.interface import implementer

from edgegate.sources.file_reader import FileReader, defer_to_daemon
from edgegate.sources.places import Place, places
from edgegate.sources.source import Follower, Watched

log = Logger(namespace=__name__)

QUIET = 0.1
"""Seconds without a change after which a series of changes counts as over."""

LONGEST = 0.5
"""Seconds after its first change that a series is taken for over, whatever goes on."""

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


Defer = Callable[[Callable[[], dict[str, Place]]], Deferred[dict[str, Place]]]
"""Works places out, which may take its time."""


def available() -> bool:
    """Whether this system has inotify."""
    try:
        import twisted.internet.inotify  # noqa: F401, PLC0415
    except ImportError:
        return False
    return True


class Watch:
    """
    Calls back some time after files that are followed have changed; changes that come together count once.

    @ivar quiet: Seconds without a change after which a series of them counts as over.
    """

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
        self.quiet = QUIET
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
            self._settling = self._reactor.callLater(self.quiet, self._settled)
        else:
            self._settling.reset(max(min(self.quiet, self._latest - now), 0))

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


@implementer(Follower)
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

    def follow(self, watched: Watched) -> None:
        """Watch the files that were read, and nothing else; see L{Watch.follow}."""
        if self._watch is not None:
            self._watch.follow(watched.path, watched.files)

    def _defer(self, look: Callable[[], dict[str, Place]]) -> Deferred[dict[str, Place]]:
        """Look in a thread, which may hang."""

        def patiently() -> dict[str, Place]:
            with self._looking:
                try:
                    return self._reader(look)
                finally:
                    self._reader.close()

        return defer_to_daemon(cast(IReactorFromThreads, self._reactor), patiently)
