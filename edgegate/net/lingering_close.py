# Compiled: a descriptor, as hot modules have them.
"""
The last words to a client, in a way that it hears them.

Closing a socket on which unread bytes lie makes the kernel reset the
connection, and the reset can overtake what was just sent. So our direction is
closed first, and what still comes is thrown away for a moment.
"""

from __future__ import annotations

import socket
from collections.abc import Hashable

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import classImplements

from edgegate.net.accepted_socket import client_on
from edgegate.net.descriptor import Descriptor
from edgegate.net.wheel import Deadline, TimerWheel

SECONDS = 2.0
"""How long is listened to a client that was told to go."""

BYTES = 1 << 20
"""How much of what it says is thrown away."""


class LingeringClose(Descriptor):
    """
    Send some bytes, close our direction, and close altogether once the client has, or a limit is reached.

    It owns the socket.
    """

    __slots__ = ("_deadline", "_left", "_socket")

    def __init__(self, reactor: IReactorFDSet, wheel: TimerWheel, sock: socket.socket, words: bytes = b"") -> None:
        """
        @param words: A few bytes; what a new connection's kernel does not take at once is lost.
        """
        super().__init__(reactor, sock.fileno())
        self._socket = sock
        self._left = BYTES
        self._deadline = Deadline(wheel, self._close)
        try:
            if words:
                sock.send(words)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close()
            return
        self._deadline.start(SECONDS)
        self._watch_reading()

    @property
    def client(self) -> Hashable:
        """Whose connection it is."""
        return client_on(self._socket)

    def logPrefix(self) -> str:
        """Return what the log calls this."""
        return "farewell"

    def doRead(self) -> None:
        """Throw away what came."""
        try:
            data = self._socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            self._close()
            return
        self._left -= len(data)
        if not data or self._left < 0:
            self._close()

    def connectionLost(self, reason: Failure) -> None:
        """The reactor has seen an error on the socket."""
        self._close()

    def _close(self) -> None:
        if self.fd >= 0:
            self._deadline.end()
            self._leave()
            self._socket.close()


classImplements(LingeringClose, IReadDescriptor)
