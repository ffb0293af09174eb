"""
Looking at the first bytes of a connection without taking them.

The choice of a TLS context, or to pass a connection on untouched, is made from
the ClientHello. What is looked at stays in the kernel, for whoever gets the
socket then.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import classImplements

from edgegate.net.descriptor import Descriptor
from edgegate.net.wheel import Deadline, TimerWheel

log = Logger(namespace=__name__)

LIMIT: Final = 65536 + 5 * 8
"""Bytes that are looked at: a ClientHello of 64 KiB in a few records."""

_AGAIN: Final = 0.05
"""Seconds until the next look where the kernel cannot wait for a number of bytes."""


class Peek(Descriptor):
    """
    Look at a socket until enough was seen.

    The socket is watched from L{start} until C{done} or C{failed} is called,
    one of them once, or L{cancel}. Then it is the caller's again: untouched,
    unwatched, its low-water mark as it was.
    """

    __slots__ = (
        "_again",
        "_deadline",
        "_done",
        "_failed",
        "_handed_on",
        "_low",
        "_needed",
        "_socket",
    )

    def __init__(
        self,
        reactor: IReactorFDSet,
        wheel: TimerWheel,
        sock: socket.socket,
        needed: Callable[[bytes], int | None],
        done: Callable[[], None],
        failed: Callable[[str], None],
        handed_on: bool = False,
    ) -> None:
        """
        @param needed: Is shown what is there; returns how many bytes must be there before it can tell more, or L{None}
            if it has seen enough.
        @param failed: Gets C{"timeout"}, C{"closed"}, C{"reset"} or C{"too long"}.
        @param handed_on: Whether C{done} has somebody else watch the socket, which spares telling the kernel; or else
            calls L{settle}.
        """
        super().__init__(reactor, sock.fileno())
        self._socket = sock
        self._needed = needed
        self._done = done
        self._failed = failed
        self._handed_on = handed_on
        self._deadline = Deadline(wheel, self._expired)
        self._again = Deadline(wheel, self._look_again)
        self._low = 1

    def start(self, timeout: float) -> None:
        """Begin to look; C{failed} with C{"timeout"} after so many seconds."""
        self._deadline.start(timeout)
        self._watch_reading()

    def cancel(self) -> None:
        """Look no more; nobody is called."""
        self._release()

    def logPrefix(self) -> str:
        """Return what the log calls this."""
        return "peek"

    def connectionLost(self, reason: Failure) -> None:
        """The reactor has seen an error on the socket."""
        self._fail("reset")

    def doRead(self) -> None:
        """Something is there."""
        try:
            data = self._socket.recv(LIMIT, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            self._fail("reset")
            return
        if not data:
            self._fail("closed")
            return
        needed = self._needed(data)
        if needed is None:
            done = self._done
            self._disarm()
            if self._handed_on:
                self._rest()
            else:
                self._unwatch()
            done()
        elif needed > LIMIT:
            self._fail("too long")
        elif len(data) < self._low:
            # woken below the mark that was set: the other side has closed
            self._fail("closed")
        else:
            self._wait_for(needed)

    def _wait_for(self, needed: int) -> None:
        """
        Be woken when so many bytes are there.

        Without the mark a level-triggered reactor would wake us again and
        again for the bytes already seen. UNIX sockets have none: there we look
        again a little later.
        """
        if self._socket.family == socket.AF_UNIX or not self._mark(needed):
            self._unwatch()
            self._again.start(_AGAIN)
        else:
            self._low = needed

    def _mark(self, number: int) -> bool:
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, number)
        except OSError:
            return False
        return True

    def _look_again(self) -> None:
        self._watch_reading()

    def _expired(self) -> None:
        self._fail("timeout")

    def _fail(self, reason: str) -> None:
        failed = self._failed
        self._release()
        failed(reason)

    def _release(self) -> None:
        self._unwatch()
        self._disarm()

    def _disarm(self) -> None:
        self._deadline.end()
        # whoever looks knows us: neither is to keep the other in memory
        self._needed, self._done, self._failed = _sees_nothing, _hears_nothing, _is_told_nothing
        self._again.end()
        if self._low > 1:
            self._mark(1)
            self._low = 1


def _sees_nothing(data: bytes) -> None:
    pass


def _hears_nothing() -> None:
    pass


def _is_told_nothing(reason: str) -> None:
    pass


# Behind the class, not as its decorator: mypyc makes a decorated class a plain Python one, several times as slow.
classImplements(Peek, IReadDescriptor)
