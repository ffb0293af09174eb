"""Sockets as such: their type, for those above C{net} who own one and hand it on without touching it, and their end."""

import socket
import struct
from socket import socket as Socket  # noqa: N812

__all__ = ["Socket", "reset_on_close"]


def reset_on_close(sock: Socket) -> None:
    """Have the next close of a connection throw away what is queued, and reset it."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass  # the kernel has let go of it already
