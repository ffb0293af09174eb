"""
The supervisor: the process of a gateway that owns the listening sockets, and the workers that serve.

It reads no files, and serves nobody but the admin listener. What it decides is which generation of workers serves, and
that there are as many workers as there should be.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import TypeVar, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorFDSet, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

from edgegate.admin.live.parts import Part
from edgegate.admin.views import REQUESTS, Row
from edgegate.model.addresses import Address
from edgegate.model.origin import placed
from edgegate.net.channel import wait_for_any
from edgegate.net.handed_sockets import HandedSockets
from edgegate.net.inherited_sockets import InheritedSockets
from edgegate.net.peer import Peer
from edgegate.net.sockets import descriptor_of
from edgegate.observe.log_tap import Wanted
from edgegate.observe.metrics.measured import Measured
from edgegate.observe.metrics.options import MetricsOptions
from edgegate.observe.tap import Tapped
from edgegate.server.first_certificates import Awaited
from edgegate.server.lifecycle import Lifecycle, Phase
from edgegate.server.ports import CannotBind
from edgegate.server.reload_coordinator import ReadingFailed, ReloadCoordinator, State
from edgegate.server.upgrade import Upgrade
from edgegate.sources import standard_input
from edgegate.startup import CannotStart
from edgegate.workers.candidates import Candidates
from edgegate.workers.generation import CannotServe, Surroundings, Worker
from edgegate.workers.generations import Generations
from edgegate.workers.listening_sockets import ListeningSockets
from edgegate.workers.messages import (
    Awaits,
    CounterBatch,
    FilesRead,
    GaugeRows,
    LivePart,
    LogEvent,
    ShedPrivileges,
    TappedRequest,
    ViewRows,
)
from edgegate.workers.slots import Slots, shared_memory
from edgegate.workers.spawn import adopt_orphans
from edgegate.workers.worker_live import WorkerLive
from edgegate.workers.worker_log import WorkerLog
from edgegate.workers.worker_metrics import WorkerMetrics
from edgegate.workers.worker_taps import WorkerTaps
from edgegate.workers.worker_views import WorkerViews
from edgegate.workers.zygotes import Errors, Files, Zygotes

log = Logger(namespace=__name__)

_LOOK = 1.0
"""Seconds between two looks at whether workers live."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds until files are read anew for want of a zygote that workers could come from, doubling."""

_GRACE = 10.0
"""Seconds after the end of a drain until workers that are still there are killed."""

T = TypeVar("T")


class Supervisor(Lifecycle[Files]):
    """
    Serves what the files say with several processes; an L{edgegate.admin.interfaces.Gateway}.

    Its children begin after its ports are open, and end when nothing is served any more.

    """

    def __init__(
        self,
        reactor: IReactorFDSet,
        config: str,
        arguments: tuple[str, ...],
        count: int,
        drain: float,
        delay: float = 0.0,
        upgrade_drain: float = 0.0,
        handed: HandedSockets | None = None,
        inherited: InheritedSockets | None = None,
        metrics: MetricsOptions = MetricsOptions(),  # noqa: B008 (frozen)
        daemon: bool = False,
    ) -> None:
        """
        @param reactor: Also provides C{IReactorTime}.
        @param config: The path of the files, absolute; C{-} for standard input.
        @param arguments: Those of C{twistd edgegate}.
        @param count: How many workers there are to be.
        @param drain: Seconds that what is under way may go on at the end.
        @param delay: Seconds before that in which everything goes on, though the gateway is not ready any more.
        @param upgrade_drain: Seconds that connections may go on once a new process serves in the place of this one.
        @param metrics: How they are counted and written.
        @param daemon: This process becomes one: workers are not to write where it was started.
        @param handed: The listening sockets of a process whose place this one takes.
        @param inherited: Listening sockets that are open already, for ports of the files.
        """
        super().__init__(reactor, config, inherited)
        self._count = count
        self._drain = drain
        self._delay = delay
        self._delayed: IDelayedCall | None = None
        self._upgrade_drain = upgrade_drain
        # whoever sends requests to a process whose place this one takes goes on
        self._waits = handed is None
        memory = shared_memory()
        self._zygotes = Zygotes(reactor, arguments, memory, daemon)
        self._log = WorkerLog()
        self._views = WorkerViews()
        self._taps = WorkerTaps()
        self._live = WorkerLive()
        self._slots = Slots(memory)
        surroundings = Surroundings(
            reactor, self._slots, self._told, self._lost, self.files_changed, lambda: self._log.file
        )
        self._generations = Generations(surroundings, count)
        self._sockets = ListeningSockets(handed, self._inherited)
        self._users = os.getuid(), os.getgid()
        self._until = 0.0
        self._pause = FIRST_PAUSE
        self._read_anew = 0.0
        self._looking = LoopingCall(self._look)
        self._looking.clock = cast(IReactorTime, reactor)
        self._metrics_options = metrics
        self._metrics: WorkerMetrics

    @property
    def _serves(self) -> bool:
        if self._phase is Phase.LEFT:
            return True
        return self._phase is Phase.SERVING and bool(self._generations.serving)

    def _awaited(self) -> Iterable[Awaited]:
        """What one of the workers at least waits for."""
        return dict.fromkeys(each for worker in self._generations.serving for each in worker.awaits)

    @property
    def connections(self) -> int:
        """Clients' connections that are open, as their workers last said."""
        return self._slots.open_connections()

    @property
    def ports(self) -> dict[Address, int]:
        """The descriptors of its ports, by what they are bound for."""
        return {bind: descriptor_of(sock) for bind, sock in self._sockets.open.items()}

    # Beginning --------------------------------------------------------------------------------------------------------

    def load(self) -> FilesRead:
        """
        Have the files read, and wait for it. Comes first.

        @raise edgegate.startup.CannotStart: The process that was to read them has died.
        """
        if self._config == standard_input.NAME:
            self._zygotes.keep_standard_input(standard_input.read_standard_input())
        zygote = self._zygotes.first()
        try:
            read = self._wait_for(zygote.read)
        except ReadingFailed as error:
            raise CannotStart("\n".join((str(error), *self._zygotes.last_words()))) from None
        assert read is not None
        first = Files(zygote, read)
        self._candidates = Candidates(
            first, self._zygotes, self._generations, self._sockets, lambda: self._phase is Phase.ENDING
        )
        self._reload_by(ReloadCoordinator(self._candidates, cast(IReactorTime, self._reactor)))
        self._metrics = WorkerMetrics(cast(IReactorTime, self._reactor), self, self._metrics_options)
        return read

    def log_to(self, path: str) -> None:
        """Have the workers write the access log to a file; C{-}: to standard output."""
        self._log.path = path

    def privilegedStartService(self) -> None:
        """
        Open the ports and the access log, while the process may still open any.

        @raise edgegate.startup.CannotStart: One can't be opened; the others are closed again.
        """
        self._open()
        super().privilegedStartService()  # type: ignore[no-untyped-call]

    def startService(self) -> None:
        """
        Start the workers, and say what is served.

        @raise edgegate.startup.CannotStart: No worker can serve. Or see L{privilegedStartService}, which C{twist}
            leaves out.
        """
        self._open()
        adopt_orphans()
        users = os.getuid(), os.getgid()
        if users != self._users:
            self._candidates.latest.zygote.peer.send(ShedPrivileges(*users))
        generation = self._generations.make(self._candidates.latest.zygote)
        try:
            sockets = self._sockets.open
            ready = self._wait_for(Deferred.fromCoroutine(generation.start(sockets, self._sockets.passed(sockets))))
        except CannotServe as error:
            generation.drain(0.0)
            raise CannotStart(placed(f"cannot serve: {error}", error.origin)) from None
        self._generations.take_over(generation, ())
        if self._waits:
            self.first_certificates.begin()
        super().startService()  # type: ignore[no-untyped-call]
        for level, line in ready.says:
            log.emit(LogLevel.levelWithName(level), "{line}", line=line)
        log.info("{count} workers serve", count=self._count)
        self._looking.start(_LOOK)
        self._reloads.follow()

    def _open(self) -> None:
        if self._phase is not Phase.CLOSED:
            return
        self._log.open()
        try:
            self._sockets.change(self._candidates.latest.read.openings).finish()
        except CannotBind as error:
            origin = error.listener.origin
            raise CannotStart(
                f"cannot bind {error.listener.bind} for {origin.resource} ({origin}): {error.reason}"
            ) from None
        self._phase = Phase.SERVING

    def _wait_for(self, done: Deferred[T]) -> T:
        """
        Wait for what other processes do, while there is no reactor that would; return it, or raise why it failed.
        """
        outcome: list[T | Failure] = []
        done.addBoth(outcome.append)
        while not outcome:
            for peer in tuple(self._peers()):
                # nobody else sends what waits
                peer.doWrite()
            readers: dict[int, Peer | Errors] = {peer.fileno(): peer for peer in self._peers()}
            readers.update((errors.fileno(), errors) for errors in self._zygotes.errors())
            for fd in wait_for_any(readers, _LOOK):
                readers[fd].doRead()
            self._look()
        if isinstance(outcome[0], Failure):
            outcome[0].raiseException()
        return outcome[0]

    def _peers(self) -> Iterator[Peer]:
        """Yield whoever may tell something."""
        yield from self._zygotes.peers()
        yield from self._generations.peers()

    # A new process ----------------------------------------------------------------------------------------------------

    def upgrade(self) -> Deferred[Upgrade]:
        """Have a new process serve in the place of this one."""
        return self.upgrades.upgrade()

    def hand_over(self, serves: Iterable[Address]) -> None:
        """See L{edgegate.server.upgrade.Leaving}."""
        self._phase = Phase.LEFT
        self.first_certificates.stop()
        self._reloads.end()
        self._delay = 0.0
        self._generations.retire(set(self._sockets.open).difference(serves))
        self._sockets.close()
        limit = cast(IReactorTime, self._reactor).callLater(self._upgrade_drain, self._reset)

        def ended(result: object) -> None:
            if limit.active():
                limit.cancel()
            self.end()

        self._generations.ended().addCallback(ended)

    def _reset(self) -> None:
        log.info("connections that are left of before the upgrade are reset")
        self._generations.drain(0.0)

    # Ending -----------------------------------------------------------------------------------------------------------

    def stopService(self) -> Deferred[None]:
        """
        Close the ports, have the workers serve who has connected already, let requests and relays end, then reset what
        is left.

        @return: Fires when nothing is left.
        """
        self._phase = Phase.ENDING
        self.first_certificates.stop()
        self.upgrades.cancel()
        self._reloads.end()
        self._until = monotonic() + self._delay + self._drain + _GRACE
        if self._delay:
            log.info("the ports will be closed in {delay:g} seconds", delay=self._delay)
            self._delayed = cast(IReactorTime, self._reactor).callLater(self._delay, self._close)
        else:
            self._close()
        ended: Deferred[None] = self._generations.ended().addCallback(lambda _: self._ended())
        return ended

    def _close(self) -> None:
        self._delayed = None
        if self._sockets.shared:
            # not to be closed for the process before, which goes on
            self._generations.retire()
        self._generations.drain(self._drain)
        self._sockets.close()

    def hurry(self) -> None:
        """End the drain at once; one that has not begun yet ends as it begins."""
        self._drain = self._delay = 0.0
        if self._phase is Phase.ENDING:
            delayed, self._delayed = self._delayed, None
            if delayed is not None:
                delayed.cancel()
                self._close()
            self._until = min(self._until, monotonic() + _GRACE)
            self._generations.drain(0.0)

    def _ended(self) -> Deferred[None]:
        if self._looking.running:
            self._looking.stop()
        self._log.close()
        self._zygotes.stop()
        children: Deferred[None] = super().stopService()  # type: ignore[no-untyped-call]
        return children

    # ------------------------------------------------------------------------------------------------------------------

    def rows(self, view: str, of: str = "") -> Deferred[list[Row]]:
        """
        Return the rows of a view: of endpoints those of each worker, of what is the same for all those of one. Requests
        are those of workers of older files as well that still have connections.
        """
        generations = self._generations
        return self._views.rows(view, generations.workers() if view == REQUESTS else generations.serving, of)

    def measure(self) -> Deferred[Measured]:
        """Return the metrics of all workers together, those of older files that still have connections included."""
        return self._metrics.measure(self._generations.workers())

    def tap(self, wanted: Wanted, show: Callable[[Tapped], None]) -> Callable[[], None]:
        """Have all workers show what passes; return what ends it."""
        return self._taps.begin(wanted, show, self._generations.workers())

    @property
    def serving_workers(self) -> frozenset[int]:
        """The slots of the workers that serve the files in force."""
        return frozenset(worker.slot for worker in self._generations.serving)

    def watch(self, take: Callable[[int, Part], None], lost: Callable[[int], None]) -> Callable[[], None]:
        """Have all workers tell what they do; return what ends it."""
        return self._live.begin(take, lost, self._generations.workers(), self._generations.serving)

    def reopen(self) -> None:
        """Have the workers write the access logs to new files: the old ones were renamed."""
        self._log.reopen()
        self._generations.log_to()

    def _told(self, worker: Worker, value: object) -> None:
        if isinstance(value, LogEvent):
            self._log.tell(worker.number, value)
        elif isinstance(value, ViewRows):
            self._views.shown(value)
        elif isinstance(value, CounterBatch):
            self._metrics.counted(value)
        elif isinstance(value, GaugeRows):
            self._metrics.read(value)
        elif isinstance(value, TappedRequest):
            self._taps.seen(worker, value)
        elif isinstance(value, LivePart):
            self._live.told(worker, value)
        elif isinstance(value, Awaits):
            worker.awaits = value.certificates
            self.first_certificates.look()

    def _lost(self, worker: Worker) -> None:
        self._views.lost(worker)
        self._metrics.lost(worker)
        self._taps.lost(worker)
        self._live.lost(worker)

    def _look(self) -> None:
        """End what hangs, and see to it that there is a zygote."""
        self._zygotes.reap()
        self._look_at_zygote()
        workers = self._generations.workers()
        self._taps.look(workers)
        self._live.look(workers, self._generations.serving)
        if self._phase is Phase.ENDING and monotonic() > self._until:
            self._generations.kill()
        else:
            self._generations.look()

    def _look_at_zygote(self) -> None:
        """Have the files read again, where those that were read anew are refused, or who read them has died."""
        current = self._generations.current
        lives = current is None or current.zygote.peer.open
        if lives:
            self._pause = FIRST_PAUSE
        if lives or self._reloads.state is not State.IDLE:
            self._read_anew = monotonic() + self._pause
        elif monotonic() >= self._read_anew:
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            self.files_changed()
