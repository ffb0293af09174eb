"""Sockets as such: their type, for those above C{net} who own one and hand it on, and what few ask of one."""

from __future__ import annotations

import socket
import struct
import sys
from array import array
from collections.abc import Callable
from socket import socket as Socket  # noqa: N812

__all__ = [
    "NewSocket",
    "Socket",
    "acknowledged",
    "begin_no_more",
    "descriptor_of",
    "has_route",
    "reset_on_close",
    "unpaced",
]

NewSocket = Callable[[int, int], Socket]
"""Makes a socket of a family and a type."""

_TCP_INFO = int(getattr(socket, "TCP_INFO", 0)) if sys.platform == "linux" else 0
_BYTES_ACKED = slice(120, 128)  # of struct tcp_info, in linux/tcp.h
_TCP_CONGESTION = int(getattr(socket, "TCP_CONGESTION", 0)) if sys.platform == "linux" else 0
_PACES = b"bbr"  # what the names of those begin with that pace: bbr, bbr2, bbr3
_SENDS = b"reno"  # in every kernel, and open to every user
_ATTACH_FILTER = 26 if sys.platform == "linux" else 0  # SO_ATTACH_FILTER, which Python does not name
# In classic BPF (linux/filter.h): load the flags of the TCP header, leave SYN and ACK of them; drop what is SYN alone.
_NO_SYN = ((0x30, 0, 0, 13), (0x54, 0, 0, 0x12), (0x15, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))


def descriptor_of(sock: Socket) -> int:
    """Return the descriptor of a socket, which stays the socket's."""
    return sock.fileno()


def reset_on_close(sock: Socket) -> None:
    """Have the next close of a connection throw away what is queued, and reset it."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass  # the kernel has let go of it already


def begin_no_more(sock: Socket) -> bool:
    """
    Have the kernel begin no more connections on a listening socket of TCP; return whether it can be had.

    Handshakes that have begun are completed. A SYN that comes is dropped: who sends it sends it again a second later,
    and finds who listens then. What is accepted afterwards is not disturbed, for no packet of it is a SYN alone.
    """
    if not _ATTACH_FILTER:
        return False
    instructions = array("B", b"".join(struct.pack("HBBI", *each) for each in _NO_SYN))
    try:
        # struct sock_fprog, which the kernel copies
        program = struct.pack("HP", len(_NO_SYN), instructions.buffer_info()[0])
        sock.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program)
    except OSError:
        return False
    return True


def acknowledged(sock: Socket) -> int | None:
    """Return how many bytes the other side's system has acknowledged, those of TLS and all; Linux knows it of TCP."""
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _BYTES_ACKED.stop)
    except OSError:
        return None
    return int.from_bytes(info[_BYTES_ACKED], sys.byteorder) if len(info) == _BYTES_ACKED.stop else None


def unpaced(sock: Socket, host: str) -> None:
    """
    Have what is sent to C{host} go out at once, where that is this machine's loopback address.

    A congestion control that paces spreads what is sent over the time of a network's way. There is none over
    loopback, and the kernel's timers cost more there than all else that bytes need. Any other control stays as the
    machine has it.

    Comes before the socket connects or listens: one that was paced once stays so. The connections that a listening
    socket accepts are controlled as it is.

    @param host: An IP literal.
    """
    if not _TCP_CONGESTION or not (host.startswith("127.") or host == "::1"):
        return
    try:
        if sock.getsockopt(socket.IPPROTO_TCP, _TCP_CONGESTION, 16).startswith(_PACES):
            sock.setsockopt(socket.IPPROTO_TCP, _TCP_CONGESTION, _SENDS)
    except OSError:
        pass  # not every system that calls itself Linux has it


def has_route(host: str) -> bool:
    """
    Whether the kernel knows a way to an IP address (as RFC 6724 section 6 asks, rule 1).

    Nothing is sent: connecting a datagram socket only looks the way up.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((host, 9))
    except OSError:
        return False
    return True
