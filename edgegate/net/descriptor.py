# Hot path: everything that reads or writes a socket is one.
"""A socket that is watched, for those who read and write it when they may."""

from __future__ import annotations

from collections.abc import Hashable
from typing import cast

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor, IWriteDescriptor

from edgegate.net.poller import Poller


class Descriptor:
    """
    The part of a reactor's descriptor that knows whether it is watched.

    @ivar fd: The socket's number, or -1 once it is closed.
    """

    __slots__ = ("_reactor", "_reading", "_writing", "fd")

    def __init__(self, reactor: IReactorFDSet, fd: int) -> None:
        self._reactor = reactor
        self._reading = self._writing = False
        self.fd = fd

    def fileno(self) -> int:
        """Return the descriptor, or -1 once it is closed."""
        return self.fd

    @property
    def client(self) -> Hashable:
        """Whose connection it is; L{None}: no client's. Where many are ready clients have their turns by it."""
        return None

    def _watch_reading(self) -> None:
        if not self._reading:
            self._reading = True
            self._reactor.addReader(cast(IReadDescriptor, self))

    def _unwatch_reading(self) -> None:
        if self._reading:
            self._reading = False
            self._reactor.removeReader(cast(IReadDescriptor, self))

    def _watch_writing(self) -> None:
        if not self._writing:
            self._writing = True
            self._reactor.addWriter(cast(IWriteDescriptor, self))

    def _unwatch_writing(self) -> None:
        if self._writing:
            self._writing = False
            self._reactor.removeWriter(cast(IWriteDescriptor, self))

    def _unwatch(self) -> None:
        self._unwatch_reading()
        self._unwatch_writing()

    def settle(self) -> None:
        """After L{_rest}: nobody is watched on the socket next, and it may be closed by those who know no poller."""
        poller = self._reactor
        if isinstance(poller, Poller):
            poller.settle(self.fd)

    def _rest(self) -> None:
        """
        Be watched no more, of which the kernel is not told.

        Another is watched on the socket next, or L{settle} or L{_leave} comes.
        """
        poller = self._reactor
        if isinstance(poller, Poller):
            self._reading = self._writing = False
            poller.rest(self.fd)
        else:
            self._unwatch()

    def _write_soon(self) -> None:
        """Have C{doWrite} called as soon as can be, and nothing else before."""
        poller = self._reactor
        if isinstance(poller, Poller):
            self._rest()
            poller.soon(cast(IWriteDescriptor, self))
        else:
            self._unwatch_reading()
            self._watch_writing()

    def _leave(self) -> None:
        """Be watched no more, and have no number: the socket is closed next, which must not be put off."""
        poller = self._reactor
        if isinstance(poller, Poller):
            self._reading = self._writing = False
            poller.forget(self.fd)
        else:
            self._unwatch()
        self.fd = -1
