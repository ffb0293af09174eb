# Hot path: looks at each new connection on a port that speaks TLS.
"""
Looking at the first bytes of a connection without taking them.

The choice of a TLS context, or to pass a connection on untouched, is made from
the ClientHello. What is looked at stays in the kernel, for whoever gets the
socket then.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Hashable
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorFDSet, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import classImplements

from edgegate.net.accepted_socket import client_on
from edgegate.net.descriptor import Descriptor
from edgegate.net.wheel import Deadline, TimerWheel

log = Logger(namespace=__name__)

LIMIT: Final = 65536 + 5 * 8
"""Bytes that are looked at: a ClientHello of 64 KiB in a few records."""

_AGAIN: Final = 0.05
"""Seconds until the next look where the kernel does not wait for a number of bytes; each time twice as long."""

_RDHUP: Final[int] = int(getattr(select, "POLLRDHUP", 0))
"""What C{poll(2)} says of a stream that the other side has ended, on Linux."""


class Peek(Descriptor):
    """
    Look at a socket until enough was seen.

    The socket is watched from L{start} until C{done} or C{failed} is called,
    one of them once, or L{cancel}. Then it is the caller's again: untouched,
    unwatched, its low-water mark as it was.
    """

    __slots__ = (
        "_again",
        "_ahead",
        "_deadline",
        "_done",
        "_failed",
        "_handed_on",
        "_low",
        "_needed",
        "_socket",
        "_wheel",
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
        self._wheel = wheel
        self._again: IDelayedCall | None = None
        self._ahead = _AGAIN
        self._low = 1

    @property
    def client(self) -> Hashable:
        """Whose connection it is."""
        return client_on(self._socket)

    def start(self, timeout: float) -> None:
        """Begin to look; C{failed} with C{"timeout"} after so many seconds."""
        self._deadline.start(timeout)
        self._watch_reading()

    def cancel(self) -> None:
        """Look no more; nobody is called."""
        self._release()

    def take(self, number: int) -> bytes:
        """Once enough was seen: read at most so many of the bytes; none where the connection is broken."""
        try:
            return self._socket.recv(number)
        except OSError:
            return b""

    def reply(self, words: bytes) -> bool:
        """Once enough was seen: send a few bytes; return whether the connection takes them."""
        try:
            return self._socket.send(words) == len(words)
        except OSError:
            return False

    def logPrefix(self) -> str:
        """Return what the log calls this."""
        return "peek"

    def connectionLost(self, reason: Failure) -> None:
        """The reactor has seen an error on the socket."""
        self._fail("reset")

    def doRead(self) -> None:
        """Something is there."""
        self._look(False)

    def _look(self, ended: bool) -> None:
        """
        See whether it is enough.

        @param ended: Whether it is known that no more will come than there is.
        """
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
        elif ended:
            self._fail("closed")
        elif self._has_ended():
            # the last bytes may have come since
            self._look(True)
        else:
            self._wait_for(needed, len(data))

    def _has_ended(self) -> bool:
        """Whether the other side has said its last, of which the bytes that are still there tell nothing."""
        if not _RDHUP:
            return False  # the deadline ends it
        poll = select.poll()
        poll.register(self._socket, _RDHUP)
        return bool(poll.poll(0))

    def _wait_for(self, needed: int, there: int) -> None:
        """
        Be woken when so many bytes are there.

        Without the mark a level-triggered reactor would wake us again and
        again for the bytes already seen. UNIX sockets have none, and the kernel
        wakes us below it where its buffer is full, as it is with hundreds of
        small segments: there we look again a little later.
        """
        if there < self._low or self._socket.family == socket.AF_UNIX or not self._mark(needed):
            self._unwatch()
            self._again = self._wheel.clock.callLater(self._ahead, self._look_again)
            self._ahead *= 2
        else:
            self._low = needed

    def _mark(self, number: int) -> bool:
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, number)
        except OSError:
            return False
        return True

    def _look_again(self) -> None:
        self._again = None
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
        again, self._again = self._again, None
        if again is not None:
            again.cancel()
        if self._low > 1:
            self._mark(1)
            self._low = 1


def _sees_nothing(data: bytes) -> None:
    pass


def _hears_nothing() -> None:
    pass


def _is_told_nothing(reason: str) -> None:
    pass


classImplements(Peek, IReadDescriptor)
