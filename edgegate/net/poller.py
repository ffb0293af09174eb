# Hot path: every readiness of every socket passes here.
"""
One reader on the reactor that stands for all sockets of the data plane.

Twisted's reactors call each descriptor through the logging context, which costs
more Python than the rest of a small message's way. Here an epoll object of our
own is registered as one reader: when it is ready, its descriptors are called
directly. Only L{IReactorFDSet} is used, so the reactor, its timers and its
other descriptors go on as ever.
"""

from __future__ import annotations

import select

from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import (
    IReactorFDSet,
    IReadDescriptor,
    IWriteDescriptor,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

log = Logger()

_EVENTS = 256
"""Descriptors that are called in one turn, so that the reactor's others have theirs."""


def poller(reactor: IReactorFDSet) -> IReactorFDSet:
    """Return what streams are to be watched by: a L{Poller} where there is epoll, elsewhere the reactor itself."""
    return Poller(reactor) if hasattr(select, "epoll") else reactor


@implementer(IReactorFDSet, IReadDescriptor)
class Poller:
    """
    Watches descriptors in place of a reactor, of which it is one reader while it watches any.

    What a descriptor raises is logged and ends that descriptor, as in Twisted.
    """

    __slots__ = ("_epoll", "_gone", "_reactor", "_readers", "_watched", "_writers")

    def __init__(self, reactor: IReactorFDSet) -> None:
        self._reactor = reactor
        self._epoll: select.epoll | None = None
        self._readers: dict[int, IReadDescriptor] = {}
        self._writers: dict[int, IWriteDescriptor] = {}
        self._watched: dict[int, int] = {}
        self._gone: set[int] = set()

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
        assert self._epoll is not None
        gone = self._gone
        gone.clear()
        readers, writers = self._readers, self._writers
        for fd, event in self._epoll.poll(0, _EVENTS):
            if fd in gone:
                # closed by one before it in this turn; the number may be another's by now
                continue
            reader = readers.get(fd)
            descriptor = reader if reader is not None else writers.get(fd)
            if descriptor is None:
                continue
            try:
                if event & select.EPOLLIN and reader is not None:
                    reader.doRead()
                elif event & (select.EPOLLHUP | select.EPOLLERR):
                    self._forget(fd)
                    descriptor.connectionLost(Failure(ConnectionLost()))
                    continue
                if event & select.EPOLLOUT and fd not in gone:
                    writer = writers.get(fd)
                    if writer is not None:
                        writer.doWrite()
            except Exception:
                log.failure("a connection broke")
                self._forget(fd)
                descriptor.connectionLost(Failure())
            if self._epoll is None:
                return

    # ------------------------------------------------------------------------------------------------------------------

    def _watch(self, fd: int) -> None:
        """Tell the kernel what is to be watched now."""
        mask = (select.EPOLLIN if fd in self._readers else 0) | (select.EPOLLOUT if fd in self._writers else 0)
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

    def _forget(self, fd: int) -> None:
        self._readers.pop(fd, None)
        self._writers.pop(fd, None)
        if fd in self._watched:
            self._watch(fd)

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
