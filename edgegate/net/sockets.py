"""Sockets as such: their type, for those above C{net} who own one and hand it on, and what few ask of one."""

from __future__ import annotations

import socket
import struct
import sys
from socket import socket as Socket  # noqa: N812

__all__ = ["Socket", "acknowledged", "reset_on_close"]

_TCP_INFO = int(getattr(socket, "TCP_INFO", 0)) if sys.platform == "linux" else 0
_BYTES_ACKED = slice(120, 128)  # of struct tcp_info, in linux/tcp.h


def reset_on_close(sock: Socket) -> None:
    """Have the next close of a connection throw away what is queued, and reset it."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass  # the kernel has let go of it already


def acknowledged(sock: Socket) -> int | None:
    """Return how many bytes the other side's system has acknowledged, those of TLS and all; Linux knows it of TCP."""
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _BYTES_ACKED.stop)
    except OSError:
        return None
    return int.from_bytes(info[_BYTES_ACKED], sys.byteorder) if len(info) == _BYTES_ACKED.stop else None
