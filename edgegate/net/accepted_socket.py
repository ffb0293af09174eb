"""
The socket of a client's connection, which tells when it is closed.

Whoever has a connection at last closes its socket, be it HTTP, a relay or a
filter that turns it away: what is counted until then can't be forgotten, nor
counted twice.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Hashable

from edgegate.model.addresses import Address
from edgegate.net.client_counts import NOBODY, ClientCounts


def client_on(sock: socket.socket) -> Hashable:
    """Return what tells the client of a socket from others; L{None}: it is no client's, as those to backends."""
    if not isinstance(sock, AcceptedSocket):
        return None
    # of whom nothing is known yet, or counted, each is somebody else
    return sock if sock.counts is NOBODY else sock.counts


def _nothing(sock: AcceptedSocket) -> None:
    pass


class AcceptedSocket(socket.socket):
    """
    A socket that was accepted.

    @ivar counts: Of the client whose connection it is.
    @ivar introducer: Who has connected, where a PROXY header says that it is for another; L{None}: it is for itself.
    @ivar closed: Called once, when it is closed.
    """

    __slots__ = ("closed", "counts", "introducer")

    counts: ClientCounts
    introducer: Address | None
    closed: Callable[[AcceptedSocket], None]

    @classmethod
    def accept_from(cls, listening: socket.socket) -> tuple[AcceptedSocket, object]:
        """
        Accept a connection; return it and the peer's address. It does not block.

        @raise OSError: There is none, or it can't be accepted.
        """
        # what socket.accept() does, which has no way to say of which class the new one is
        fd, peer = listening._accept()  # type: ignore[attr-defined]
        sock = cls(listening.family, listening.type, listening.proto, fileno=fd)
        sock.counts = NOBODY
        sock.introducer = None
        sock.closed = _nothing
        sock.setblocking(False)
        return sock, peer

    def close(self) -> None:
        """Close it; may be called again."""
        if self.fileno() >= 0:
            try:
                super().close()
            finally:
                closed, self.closed = self.closed, _nothing
                closed(self)
