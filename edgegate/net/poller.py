# Hot path: every readiness of every socket passes here.
"""
One reader on the reactor that stands for all sockets of the data plane.

Twisted's reactors call each descriptor through the logging context, which costs
more Python than the rest of a small message's way. Here an epoll object of our
own is registered as one reader: when it is ready, its descriptors are called
directly. Only L{IReactorFDSet} is used, so the reactor, its timers and its
other descriptors go on as ever.

The kernel is told as little as can be: who is watched anew after another on
the same socket, and who is closed, costs no call.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Hashable
from time import monotonic
from typing import Final, cast

from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import (
    IReactorFDSet,
    IReactorTime,
    IReadDescriptor,
    IWriteDescriptor,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import classImplements

from edgegate.net.loop_lag import LoopLag
from edgegate.net.pace import Pace
from edgegate.net.turns import Event, fair_order

log = Logger(namespace=__name__)

_EVENTS: Final = 256
"""Descriptors that are called in one turn, so that the reactor's others have theirs."""

_MANY: Final = 1 << 14
"""Of how many the kernel tells at once, where they are more: the order in which they are called is ours then."""

_SHARE: Final = 0.008
"""Seconds for which some of these are called, until it is asked who has become ready meanwhile."""

_TURN: Final = 0.004
"""Seconds after which the reactor's others have their turn, however much there is to do here."""

_NO_BOUND: Final = 1e9

_IN: Final = 0x1  # EPOLLIN, EPOLLOUT, EPOLLERR | EPOLLHUP: the module has them where the kernel does
_OUT: Final = 0x4
_BROKEN: Final = 0x18


_EPOLL: Final = hasattr(select, "epoll")


def paced(reactor: IReactorFDSet, work: Callable[[], None], whose: Hashable) -> bool:
    """See L{Poller.paced}; where there is no epoll it is called at once."""
    if isinstance(reactor, Poller):
        return reactor.paced(work, whose)
    work()
    return True


def poller(
    reactor: IReactorFDSet, wait: float = 0.0, epoll: bool = _EPOLL, lag: LoopLag | None = None
) -> IReactorFDSet:
    """
    Return what streams are to be watched by: a L{Poller} where there is epoll, elsewhere the reactor itself.

    @param wait: See L{Poller}.
    @param epoll: Whether there is epoll.
    @param lag: See L{Poller}.
    """
    return Poller(reactor, wait, lag) if epoll else reactor


class Poller:
    """
    Watches descriptors in place of a reactor, of which it is one reader while it watches any.

    What a descriptor raises is logged and ends that descriptor, as in Twisted.
    """

    __slots__ = (
        "_called",
        "_calls",
        "_epoll",
        "_gone",
        "_hurried",
        "_lag",
        "_most",
        "_pace",
        "_paced",
        "_reactor",
        "_readers",
        "_since",
        "_soon",
        "_turning",
        "_wait",
        "_watched",
        "_writers",
    )

    def __init__(self, reactor: IReactorFDSet, wait: float = 0.0, lag: LoopLag | None = None) -> None:
        """
        @param lag: Told how long turns take.
        @param wait: Seconds for which more is waited for in a turn, in place of the reactor, whose way there and back
            is long; its timers and other descriptors wait as long, and for L{_TURN} at most.
        """
        self._reactor = reactor
        self._wait = wait
        self._lag = LoopLag(_NO_BOUND) if lag is None else lag
        self._epoll: select.epoll | None = None
        self._readers: dict[int, IReadDescriptor] = {}
        self._writers: dict[int, IWriteDescriptor] = {}
        self._watched: dict[int, int] = {}
        self._gone: set[int] = set()
        self._soon: list[IWriteDescriptor] = []
        self._calls: list[Callable[[], None]] = []
        self._most = _EVENTS
        self._called: set[int] = set()  # who was called while many are ready
        self._turning = self._hurried = False
        self._pace = Pace()
        self._paced = False  # whether the reactor will call for what was put off
        self._since = 0.0  # when those became ready who are called now or next, at the latest

    # IReactorFDSet ----------------------------------------------------------------------------------------------------

    def addReader(self, reader: IReadDescriptor) -> None:
        """Call C{doRead} when something can be read."""
        fd = reader.fileno()
        self._readers[fd] = reader
        self._watch(fd)

    def addWriter(self, writer: IWriteDescriptor) -> None:
        """Call C{doWrite} when something can be written."""
        fd = writer.fileno()
        self._writers[fd] = writer
        self._watch(fd)

    def removeReader(self, reader: IReadDescriptor) -> None:
        """Call C{doRead} no more. Comes before the descriptor is closed."""
        fd = reader.fileno()
        if self._readers.pop(fd, None) is not None:
            self._watch(fd)

    def removeWriter(self, writer: IWriteDescriptor) -> None:
        """Call C{doWrite} no more. Comes before the descriptor is closed."""
        fd = writer.fileno()
        if self._writers.pop(fd, None) is not None:
            self._watch(fd)

    def removeAll(self) -> list[IReadDescriptor | IWriteDescriptor]:
        """Watch nothing; return what was watched."""
        found: dict[int, IReadDescriptor | IWriteDescriptor] = {id(each): each for each in self._readers.values()}
        found.update((id(each), each) for each in self._writers.values())
        for fd in list(self._watched):
            self._readers.pop(fd, None)
            self._writers.pop(fd, None)
            self._watch(fd)
        return list(found.values())

    def getReaders(self) -> list[IReadDescriptor]:
        """Return what is watched for reading."""
        return list(self._readers.values())

    def getWriters(self) -> list[IWriteDescriptor]:
        """Return what is watched for writing."""
        return list(self._writers.values())

    # What spares calls of the kernel ----------------------------------------------------------------------------------

    def rest(self, fd: int) -> None:
        """
        Call nobody for a descriptor. The kernel is not told unless it has something to say.

        Comes before another is watched on it, L{settle} or L{forget}.
        """
        self._readers.pop(fd, None)
        self._writers.pop(fd, None)

    def settle(self, fd: int) -> None:
        """Tell the kernel what is to be watched of a descriptor that was at rest: it may be closed by others then."""
        if fd in self._watched:
            self._watch(fd)

    def forget(self, fd: int) -> None:
        """Know nothing of a descriptor any more: it is closed next, and the kernel forgets it by that."""
        self._readers.pop(fd, None)
        self._writers.pop(fd, None)
        if self._watched.pop(fd, None) is not None:
            self._gone.add(fd)
            if not self._watched:
                self._close()

    def hurry(self) -> None:
        """Do not wait in this turn: the reactor has something to call at once."""
        self._hurried = True

    def drop(self, fd: int, reason: Failure) -> bool:
        """Tell whoever watches a descriptor that it ends; return whether anybody does, and so owns it."""
        descriptor = self._readers.get(fd) or self._writers.get(fd)
        if descriptor is not None:
            self._unwatch(fd)
            descriptor.connectionLost(reason)
        return descriptor is not None

    def soon(self, writer: IWriteDescriptor) -> None:
        """Call C{doWrite} once, at the end of this turn."""
        self._soon.append(writer)
        if not self._turning:
            self._begin_turn()

    def at_turn_end(self, call: Callable[[], None]) -> None:
        """Call once, at the end of this turn, before those whose L{soon} it is."""
        self._calls.append(call)
        if not self._turning:
            self._begin_turn()

    def paced(self, work: Callable[[], None], whose: Hashable) -> bool:
        """
        Call once for some expensive work: now if this turn has time for it, or else in one of the next.

        @param whose: Those of one client are called in order, and clients in turn.
        @return: Whether it was called.
        """
        pace = self._pace
        if not pace.takes():
            self.put_off(work, whose)
            return False
        pace.do(work)
        if not self._paced:
            self._call_for_pace()
        return True

    def put_off(self, work: Callable[[], None], whose: Hashable) -> None:
        """Call once in one of the next turns; see L{paced}."""
        self._pace.put_off(work, whose)
        if not self._paced:
            self._call_for_pace()

    # The reactor's reader ---------------------------------------------------------------------------------------------

    def fileno(self) -> int:
        """Return the epoll object's descriptor."""
        return self._epoll.fileno() if self._epoll is not None else -1

    def logPrefix(self) -> str:
        """Return what the log calls this."""
        return "edgegate"

    def connectionLost(self, reason: Failure) -> None:
        """The reactor watches this no longer: it is ending."""

    def doRead(self) -> None:
        """Some descriptors are ready: call them."""
        epoll = self._epoll
        assert epoll is not None
        self._hurried = False
        wait, pace = self._wait, self._pace
        now = monotonic()
        until = now + _TURN if wait else 0.0
        if not self._since:
            self._since = now
        if self._lag.late:
            self._lag.begin(self._since)
        events = epoll.poll(0, self._most)
        while events or pace.waiting:
            if len(events) < _EVENTS:
                if self._most != _EVENTS:
                    self._most = _EVENTS
                    self._lag.crowded = False
                    self._called.clear()
                all_called = self._turn(epoll, events, _EVENTS, 0.0)
            else:
                all_called = self._call_in_turns(epoll, events)
            if self._paced:
                self._do_paced()
            now = monotonic()
            if all_called:
                self._lag.turned(now - self._since, now)
                self._since = 0.0
            # else the others are as late as these
            if self._epoll is not epoll or not wait or self._hurried or now > until:
                return
            events = epoll.poll(0 if pace.waiting else wait, self._most)
            if not self._since:
                self._since = monotonic()
        self._since = 0.0

    def _call_in_turns(self, epoll: select.epoll, events: list[Event]) -> bool:
        """More are ready than are called at once: call some of each client; return whether all were."""
        if self._most == _EVENTS:
            self._most = _MANY
            self._lag.crowded = True
            events = epoll.poll(0, _MANY)
        called = len(self._called)
        events, least = fair_order(events, self._client_of, self._called)
        if called and not self._called:
            # all who were ready were called since
            now = monotonic()
            self._lag.turned(now - self._since, now)
            self._since = now
        all_called = self._turn(epoll, events, least, monotonic() + _SHARE)
        if all_called:
            # the caller tells of this round: the next one begins with nobody
            self._called.clear()
        return all_called

    def _call_for_pace(self) -> None:
        """Have what was put off called, be anybody ready or not."""
        self._paced = self._hurried = True
        cast(IReactorTime, self._reactor).callLater(0, self._go_on)

    def _go_on(self) -> None:
        self._paced = False
        self._do_paced()
        if self._pace.waiting:
            self._call_for_pace()

    def _do_paced(self) -> None:
        """Do what was put off, as far as there is time, and what is to be done at the end of that."""
        mine, self._turning = not self._turning, True
        self._pace.turn()
        if mine:
            self._end_turn()

    def _client_of(self, fd: int) -> Hashable:
        """Return whose a descriptor is; those of others than streams are no client's."""
        descriptor = self._readers.get(fd) or self._writers.get(fd)
        return getattr(descriptor, "client", None)

    def _turn(self, epoll: select.epoll, events: list[Event], least: int, until: float) -> bool:
        """Call those that are ready: so many at least, and the others until that time; return whether all were."""
        # whoever is to be called soon is called by the one who is turning already
        mine, self._turning = not self._turning, True
        self._gone.clear()
        called = 0
        for fd, event in events:
            called += 1
            # one that was closed by another before it in this turn may have its number used again by now
            if fd not in self._gone:
                self._call(fd, event)
                if self._epoll is not epoll or (called >= least and monotonic() > until):
                    break
        if until:
            self._called.update([fd for fd, _ in events[:called]])
        if mine:
            self._end_turn()
        return called == len(events)

    def _call(self, fd: int, event: int) -> None:
        """Something can be done with a descriptor: do it."""
        reader = self._readers.get(fd)
        descriptor = reader if reader is not None else self._writers.get(fd)
        try:
            if descriptor is None:
                # it was at rest
                self._watch(fd)
                return
            if event & _IN and reader is not None:
                reader.doRead()
            elif event & _BROKEN:
                self._unwatch(fd)
                descriptor.connectionLost(Failure(ConnectionLost()))
                return
            if event & _OUT and fd not in self._gone:
                writer = self._writers.get(fd)
                if writer is not None:
                    writer.doWrite()
        except BaseException:
            self._broke(descriptor, fd)

    def _begin_turn(self) -> None:
        """Nothing is read at present: the reactor's turn is one of ours."""
        self._turning = True
        cast(IReactorTime, self._reactor).callLater(0, self._end_turn)

    def _end_turn(self) -> None:
        """Call whoever was to be called soon, and those that they bring."""
        soon, calls = self._soon, self._calls
        while soon or calls:
            wanted = calls.copy()
            calls.clear()
            for call in wanted:
                try:
                    call()
                except BaseException:
                    log.failure("a call at the end of a turn failed")
            due = soon.copy()
            soon.clear()
            for writer in due:
                fd = writer.fileno()
                try:
                    if fd >= 0:
                        writer.doWrite()
                except BaseException:
                    self._broke(writer, fd)
        self._turning = False

    def _broke(self, descriptor: IReadDescriptor | IWriteDescriptor | None, fd: int) -> None:
        """One has failed: tell it that it ends. Whatever it does then, the others go on.

        Also where it raised what is to end a process: so does the reactor in its own turns, and for what passed here it
        would watch the poller, and with it everything, no longer."""
        log.failure("a connection broke")
        failure = Failure()
        # one that has handed its socket on before it failed does not own it any more
        heir = None if fd in self._gone else self._readers.get(fd) or self._writers.get(fd)
        try:
            if fd not in self._gone:
                self._unwatch(fd)
            if descriptor is not None:
                descriptor.connectionLost(failure)
            if heir is not None and heir is not descriptor:
                heir.connectionLost(failure)
        except BaseException:
            log.failure("a connection broke as it ended")

    # ------------------------------------------------------------------------------------------------------------------

    def _watch(self, fd: int) -> None:
        """Tell the kernel what is to be watched now."""
        mask = (_IN if fd in self._readers else 0) | (_OUT if fd in self._writers else 0)
        before = self._watched.get(fd)
        if mask == before:
            return
        epoll = self._epoll
        if epoll is None:
            epoll = self._open()
        if not mask:
            if before is not None:
                del self._watched[fd]
                self._gone.add(fd)
                epoll.unregister(fd)
            if not self._watched:
                self._close()
            return
        if before is None:
            epoll.register(fd, mask)
        else:
            epoll.modify(fd, mask)
        self._watched[fd] = mask

    def _unwatch(self, fd: int) -> None:
        self._readers.pop(fd, None)
        self._writers.pop(fd, None)
        self.settle(fd)

    def _open(self) -> select.epoll:
        self._epoll = epoll = select.epoll()
        self._reactor.addReader(self)
        return epoll

    def _close(self) -> None:
        epoll = self._epoll
        if epoll is not None:
            self._reactor.removeReader(self)
            self._epoll = None
            epoll.close()


classImplements(Poller, IReactorFDSet, IReadDescriptor)
