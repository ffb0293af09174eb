"""
Files that are read in another process, where there is much to read: requests wait for no thread of this one.

What comes of it is taken over in turns, and what is no longer served is let go in turns.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol, TypeVar

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import CooperativeTask, TaskStopped

from edgegate.routing.snapshot import Snapshot
from edgegate.server.loader_process import LoaderProcess
from edgegate.server.reload_coordinator import ReadingFailed
from edgegate.server.turns import PAUSE, in_turns
from edgegate.sources.loading import THOROUGH_EVERY, Answer, Configuration, Loaded, collector_paused
from edgegate.sources.pieces import MANY, Pieces
from edgegate.sources.source import Contents

MUCH = 256 * 1024
"""
Bytes of texts from which on another process reads them. To read that many takes a tenth of a second, which requests can
bear; to start the process takes half a second.
"""

_YOUNG = 1
"""The oldest generation of objects that the garbage collector looks through while requests wait."""

FEW_OBJECTS = 30_000
"""What the garbage collector looks through in a hundredth of a second, which requests can bear with each reading."""

T = TypeVar("T")


class Defer(Protocol):
    """Calls something that takes its time, in a thread."""

    def __call__(self, work: Callable[[], T], /) -> Deferred[T]:
        """Fires with what it returns."""


class OutsideLoader:
    """Has other processes read the files, one at a time."""

    def __init__(self, clock: IReactorTime, configuration: Configuration, defer: Defer, much: int = MUCH) -> None:
        """
        @param configuration: Says how they are to be taken.
        @param much: Bytes of texts from which on L{wanted} fires with L{True}.
        """
        self._clock = clock
        self._configuration = configuration
        self._defer = defer
        self._much = much
        self._known: dict[bytes, object] = {}
        self._loads = 0
        self._ended = False
        self._process: LoaderProcess | None = None
        self._tasks: set[CooperativeTask[Iterator[object]]] = set()

    def wanted(self, size: int) -> Deferred[bool]:
        """
        Find out whether there is much to read.

        @param size: Bytes of the texts that were read last.
        """
        if size >= self._much:
            return succeed(True)
        return self._defer(lambda: self._configuration.source.size() >= self._much).addCallback(self._keep)

    def load(self, before: Contents | None) -> Deferred[Loaded | None]:
        """
        Read the files; see L{Configuration.reload}. Fails with L{ReadingFailed} where the process dies, and with
        L{edgegate.server.loader_process.CannotLaunch} where none can be started.
        """
        return Deferred.fromCoroutine(self._load(before))

    def let_go(self, snapshot: Snapshot) -> None:
        """Let go what is served no longer: all at once that would take long."""
        self._free(_let_go(_parts(snapshot)))

    def end(self) -> None:
        """End what is under way, and begin nothing any more."""
        self._ended = True
        if self._process is not None:
            self._process.kill()
        for task in tuple(self._tasks):
            task.stop()

    # ------------------------------------------------------------------------------------------------------------------

    def _keep(self, wanted: bool) -> bool:
        """Know no pieces where others are to be served than those that they belong to."""
        if not wanted:
            self._known = {}
        return wanted

    async def _load(self, before: Contents | None) -> Loaded | None:
        self._process = process = LoaderProcess(self._configuration, before)
        if self._ended:
            process.kill()
        try:
            file = await self._defer(process.run)
        finally:
            self._process = None
        self._loads += 1
        thorough = gc.get_freeze_count() < FEW_OBJECTS or self._loads % THOROUGH_EVERY == 0
        with file, collector_paused(self._configuration.frozen, thorough, _YOUNG):
            answer = await self._take(file)
        # parsed documents are of use for a thread that reads
        self._free(self._configuration.forget())
        return None if answer is None else answer.loaded(self._configuration.source)

    async def _take(self, file: BinaryIO) -> Answer | None:
        """Take what was read out of a file, but for what is here already."""
        pieces = Pieces(file, self._known)
        try:
            if self._ended:
                raise TaskStopped
            await self._begin(iter(pieces))
        except TaskStopped:
            raise ReadingFailed("what was read is not wanted any more") from None
        answer = pieces.value
        if answer is None:
            return None
        assert isinstance(answer, Answer)
        if answer.snapshot is not None:
            self._known = pieces.known
        return answer

    def _free(self, work: Iterator[None]) -> None:
        # where it is stopped nothing is left to be done
        self._begin(work).addErrback(lambda failure: failure.trap(TaskStopped))

    def _begin(self, work: Iterator[None]) -> Deferred[object]:
        task = in_turns(self._clock, work, PAUSE)
        self._tasks.add(task)
        return task.whenDone().addBoth(self._done, task)

    def _done(self, result: object, task: CooperativeTask[Iterator[object]]) -> object:
        self._tasks.discard(task)
        return result


def _parts(snapshot: Snapshot) -> list[object]:
    """Return what a Snapshot is made of, in the order in which it is to be let go from the end."""
    routes: list[object] = []
    hosts: list[object] = []
    for listener in snapshot.listeners:
        for chain in listener.chains():
            for _, host in chain.http.items() if chain.http is not None else ():
                hosts.append(host)
                if len(host.routes) > MANY:
                    routes.extend(host.routes)
            hosts.append(chain)
    return [*routes, *snapshot.clusters.values(), *hosts]


def _let_go(parts: list[object]) -> Iterator[None]:
    while parts:
        parts.pop()
        yield
