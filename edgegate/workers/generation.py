"""
One generation: the workers that serve what one zygote has read.

The first worker is ahead of the others: files that bring down whoever serves them bring down that one, before anybody
else has anything to do with them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import cast

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall, IReactorFDSet, IReactorTime
from twisted.logger import Logger

from edgegate.model.addresses import Address
from edgegate.model.origin import Origin
from edgegate.net.channel import MOST_DESCRIPTORS, Channel, Received, descriptors_of, pair
from edgegate.net.peer import Peer
from edgegate.net.sockets import Socket
from edgegate.server.first_certificates import Awaited
from edgegate.workers.messages import Accept, Adopt, Died, Drain, End, Failed, Fork, Forked, LogTo, Ready, Retire
from edgegate.workers.slots import ABSENT, Slots
from edgegate.workers.zygotes import Zygote

log = Logger(namespace=__name__)

SILENCE = 10.0
"""Seconds without a sign of life after which a worker hangs."""

LONGEST_START = 60.0
"""Seconds that a worker may take until it is ready."""

QUICK = 1.0
"""Seconds: who dies sooner is replaced later."""

FIRST_DELAY, LONGEST_DELAY = 0.1, 5.0
"""Seconds that the replacement of those is put off for, doubling."""


class CannotServe(Exception):
    """
    No worker can serve the files; the reason is in one line.

    @ivar origin: What in them is the reason, where that is known.
    """

    def __init__(self, reason: str, origin: Origin | None = None) -> None:
        super().__init__(reason)
        self.origin = origin


@dataclass(frozen=True, slots=True)
class Surroundings:
    """
    What all generations share.

    @ivar told: Takes what a worker tells that is no matter of its generation.
    @ivar lost: Called when a worker is gone.
    @ivar zygote_lost: Called when the zygote of workers that serve is gone: there is nobody who would replace them.
    @ivar log_file: Returns the descriptor of the access log, which stays its owner's; L{None}: there is none.
    """

    reactor: IReactorFDSet
    slots: Slots
    told: Callable[[Worker, object], None]
    lost: Callable[[Worker], None]
    zygote_lost: Callable[[], None]
    log_file: Callable[[], int | None]


class Worker:
    """
    One worker, as the supervisor knows it.

    @ivar number: What the log and the admin listener call it, from 0.
    @ivar pid: 0 until it is known.
    @ivar ready: Fires with what it says of what it serves, or fails with L{CannotServe}.
    @ivar failed: Why it is not ready, should it end before it is.
    @ivar killed: The signal that was to end it, if any was: first one that shows its stack.
    @ivar awaits: The first certificates that it is without.
    @ivar missed: Whether it is gone though it was to serve: another one takes its place.
    """

    def __init__(self, slot: int, number: int, peer: Peer) -> None:
        self.slot = slot
        self.number = number
        self.peer = peer
        self.pid = 0
        self.since = monotonic()
        self.ready: Deferred[Ready] = Deferred()
        self.failed = Failed("it died before it was ready")
        self.serving = False
        self.killed: signal.Signals | None = None
        self.missed = False
        self.awaits: tuple[Awaited, ...] = ()


class Generation:
    """
    Workers, and the zygote that they come from.

    @ivar workers: Those that live, by their slots.
    @ivar retired: Whether a newer one serves.
    @ivar ended: Fires when no worker is left after L{retire} or L{drain}.
    """

    def __init__(self, surroundings: Surroundings, zygote: Zygote, slots: range) -> None:
        """
        @param slots: One for each worker.
        """
        self._surroundings = surroundings
        self.zygote = zygote
        zygote.told, zygote.gone = self._zygote_told, self._zygote_gone
        self.slots = slots
        self.workers: dict[int, Worker] = {}
        self.ended: Deferred[None] = Deferred()
        self.retired = False
        self._accepting = self._leaving = False
        self._delay = FIRST_DELAY
        self._waiting: set[IDelayedCall] = set()

    async def start(self, sockets: Mapping[Address, Socket], passed: frozenset[Address] = frozenset()) -> Ready:
        """
        Make the workers, the first one ahead of the others. They take no connections yet.

        @param sockets: All that they serve.
        @param passed: Which of them are a service manager's.
        @return: What the first one says.
        @raise CannotServe: It can't serve.
        """
        addresses = list(sockets)
        for first in range(0, len(addresses), MOST_DESCRIPTORS):
            some = tuple(addresses[first : first + MOST_DESCRIPTORS])
            self.zygote.peer.send(
                Adopt(some, passed.intersection(some)), descriptors_of(sockets[each] for each in some)
            )
        ready = await self._first()
        for slot in self.slots[1:]:
            self._fork_in_place(slot)
        await DeferredList([self.workers[slot].ready for slot in self.slots[1:] if slot in self.workers])
        return ready

    def _first(self) -> Deferred[Ready]:
        try:
            return self._fork(self.slots[0]).ready
        except OSError as error:
            raise CannotServe(f"no worker can be made: {error.strerror}") from None

    def accept(self) -> None:
        """Have the workers take connections, and those that come in their place."""
        self._accepting = True
        self._tell(Accept())
        if not self.zygote.peer.open:
            self._look_for_zygote()

    def retire(self, gone: tuple[Address, ...]) -> None:
        """A newer generation serves: the workers end with their connections."""
        self.retired = True
        self._leave(Retire(gone))

    def drain(self, seconds: float) -> None:
        """End the workers; what is under way on them may go on for some time. May be called again to hurry."""
        self._leave(Drain(seconds))

    def kill(self) -> None:
        """End the workers, whatever they do."""
        for worker in tuple(self.workers.values()):
            if worker.pid:
                log.error(
                    "worker {number} (pid {pid}) does not end: it is killed", number=worker.number, pid=worker.pid
                )
                _signal(worker, signal.SIGKILL)
        if any(not worker.pid for worker in self.workers.values()):
            self._give_up_zygote()

    def log_to(self) -> None:
        """The access log is another file now, and so are those that workers open themselves."""
        log_file = self._surroundings.log_file()
        self._tell(LogTo(), () if log_file is None else (log_file,))

    @property
    def serving(self) -> list[Worker]:
        """The workers that are ready, in their order."""
        return [self.workers[slot] for slot in self.slots if slot in self.workers and self.workers[slot].serving]

    def look(self, now: float, since: float = 0.0) -> bool:
        """
        Kill one that hangs: it is told to show its stack first, and ended with the next look. A zygote that does not
        make one hangs, too.

        @param now: Monotonic seconds.
        @param since: Since when the signs of life count.
        @return: Whether there was one.
        """
        for worker in tuple(self.workers.values()):
            if not (worker.pid or worker.serving) and now - max(worker.since, since) > LONGEST_START:
                self._give_up_zygote()
                return True
            if worker.killed is signal.SIGKILL:
                # more can't be done
                continue
            last = max(self._surroundings.slots.last_beat(worker.slot), since)
            patience = SILENCE if worker.serving else LONGEST_START
            if worker.pid and now - last > patience:
                _kill(worker, now - last)
                return True
        return False

    def _zygote_told(self, received: Received) -> None:
        """The zygote tells something of the workers."""
        value = received.value
        if isinstance(value, Forked):
            worker = self.workers.get(value.slot)
            if worker is not None:
                worker.pid = value.pid
        elif isinstance(value, Died) and value.status != 0:
            number = value.slot - self.slots.start
            log.error("worker {number} (pid {pid}) {how}", number=number, pid=value.pid, how=_how(value.status))

    def _zygote_gone(self) -> None:
        """The zygote is gone; the workers go on. Of files that are not served yet it is for L{start} to tell."""
        if self._accepting and not self._leaving:
            self._look_for_zygote()
        for worker in tuple(self.workers.values()):
            if not worker.pid:
                # it was asked for, and never made
                worker.peer.close()
                self._lost(worker)

    # ------------------------------------------------------------------------------------------------------------------

    def _give_up_zygote(self) -> None:
        """It hangs. Once it goes on it finds that it is to end."""
        self.zygote.peer.close()
        self._zygote_gone()

    def _look_for_zygote(self) -> None:
        log.error("the process that workers come from is gone: the files are read anew")
        self._surroundings.zygote_lost()

    def _leave(self, value: object) -> None:
        self._leaving = True
        for each in self._waiting:
            each.cancel()
        self._waiting.clear()
        self._tell(value)
        self.zygote.peer.send(End())
        self._end_if_empty()

    def _tell(self, value: object, descriptors: tuple[int, ...] = ()) -> None:
        for worker in tuple(self.workers.values()):
            worker.peer.send(value, descriptors)

    def _end_if_empty(self) -> None:
        if self._leaving and not self.workers and not self.ended.called:
            self.zygote.peer.close()
            self.ended.callback(None)

    def _fork(self, slot: int) -> Worker:
        around = self._surroundings
        ours, theirs = pair()

        def told(received: Received) -> None:
            self._told(worker, received)

        def gone() -> None:
            self._lost(worker)

        worker = Worker(slot, slot - self.slots.start, Peer(around.reactor, Channel(ours), told, gone))
        self.workers[slot] = worker
        around.slots.set_connections(slot, ABSENT)
        around.slots.set_open(slot, 0)
        around.slots.beat(slot, monotonic())
        worker.peer.start()
        log_file = around.log_file()
        if log_file is not None:
            worker.peer.send(LogTo(), (log_file,))
        self.zygote.peer.send(Fork(slot, tuple(self.slots)), (theirs.fileno(),))
        theirs.close()
        return worker

    def _fork_in_place(self, slot: int) -> None:
        """Make a worker; where it fails, the next one comes."""
        try:
            worker = self._fork(slot)
        except OSError as error:
            log.error("worker {number} can't be made: {reason}", number=slot - self.slots.start, reason=error.strerror)
            self._fork_later(slot)
        else:
            worker.ready.addErrback(lambda failure: None)

    def _told(self, worker: Worker, received: Received) -> None:
        value = received.value
        if isinstance(value, Ready):
            worker.serving, worker.awaits = True, value.awaits
            if self._accepting:
                worker.peer.send(Accept())
                log.info("worker {number} serves again", number=worker.number)
            worker.ready.callback(value)
        elif isinstance(value, Failed):
            worker.failed = value
        else:
            self._surroundings.told(worker, value)

    def _lost(self, worker: Worker) -> None:
        """A worker is gone."""
        del self.workers[worker.slot]
        self._surroundings.slots.set_connections(worker.slot, ABSENT)
        self._surroundings.slots.set_open(worker.slot, 0)
        first = not worker.serving and worker.slot == self.slots[0] and not self._accepting
        worker.missed = not (self._leaving or first)
        self._surroundings.lost(worker)
        if not worker.serving:
            worker.ready.errback(CannotServe(worker.failed.reason, worker.failed.origin))
        if self._leaving:
            self._end_if_empty()
        elif worker.missed:
            self._replace(worker)

    def _replace(self, worker: Worker) -> None:
        if not self.zygote.peer.open:
            words = "worker {number} is gone: another one comes when the files have been read"
            log.error(words, number=worker.number)
            return
        if monotonic() - worker.since >= QUICK:
            self._delay = FIRST_DELAY
            log.error("worker {number} is gone: another one takes its place", number=worker.number)
            self._fork_in_place(worker.slot)
            return
        words = "worker {number} is gone as soon as it was there: the next one comes in {delay:g} s"
        log.error(words, number=worker.number, delay=self._delay)
        self._fork_later(worker.slot)

    def _fork_later(self, slot: int) -> None:
        delay, self._delay = self._delay, min(self._delay * 2, LONGEST_DELAY)

        def fork() -> None:
            self._waiting.discard(call)
            self._fork_in_place(slot)

        call = cast(IReactorTime, self._surroundings.reactor).callLater(delay, fork)
        self._waiting.add(call)


def _kill(worker: Worker, silence: float) -> None:
    words = "worker {number} (pid {pid}) hangs: no sign of life for {silence:.0f} s; it is ended"
    if not worker.killed:
        log.error(words, number=worker.number, pid=worker.pid, silence=silence)
    worker.killed = signal.SIGKILL if worker.killed else signal.SIGABRT
    _signal(worker, worker.killed)


def _signal(worker: Worker, number: signal.Signals) -> None:
    try:
        os.kill(worker.pid, number)
    except ProcessLookupError:
        pass  # it has ended meanwhile


def _how(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"was killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"ended with status {os.waitstatus_to_exitcode(status)}"
