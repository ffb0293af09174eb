"""Sockets towards a syslog: datagrams to a local path, or by UDP."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from edgegate.model.addresses import TCPAddress, UNIXAddress

PORT = 514
"""Where a syslog listens that names no other (RFC 5426)."""


@dataclass(frozen=True, slots=True)
class SyslogAddress:
    """
    Where a syslog is.

    @ivar to: A path for datagrams on this machine, or the host (by name or address) and port of one that takes UDP.
    """

    to: UNIXAddress | TCPAddress


def parse_syslog(text: str) -> SyslogAddress:
    """
    Read C{unix:/dev/log}, C{udp:HOST} or C{udp:HOST:PORT}; an IPv6 address stands in brackets.

    @raise ValueError: It is none of these.
    """
    kind, _, rest = text.partition(":")
    if kind == "unix" and rest.startswith("/"):
        return SyslogAddress(UNIXAddress(rest))
    if kind == "udp" and rest:
        host, port = _host_and_port(rest)
        return SyslogAddress(TCPAddress(host, port))
    raise ValueError("a syslog is unix:/PATH, udp:HOST or udp:HOST:PORT")


def _host_and_port(text: str) -> tuple[str, int]:
    if text.startswith("["):
        host, closed, port = text[1:].partition("]")
        port = port.removeprefix(":")
        if not closed:
            raise ValueError(f"{text!r} lacks a ]")
    else:
        host, _, port = text.partition(":")
    if not host or (port and not (port.isdecimal() and 0 < int(port) < 65536)):
        raise ValueError(f"{text!r} is no HOST or HOST:PORT (IPv6 in brackets)")
    return host, int(port) if port else PORT


def open_syslog(address: SyslogAddress) -> int:
    """
    Return the descriptor of a datagram socket that is connected to a syslog: each write to it is one message. It is the
    caller's. A host's name is looked up, which may take its time.

    @raise OSError: There is none.
    """
    to = address.to
    if isinstance(to, UNIXAddress):
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        where: tuple[object, ...] | str = to.path
    else:
        found = socket.getaddrinfo(to.host, to.port, type=socket.SOCK_DGRAM)
        made = socket.socket(found[0][0], socket.SOCK_DGRAM)
        where = found[0][4]
    try:
        made.connect(where)
    except OSError:
        made.close()
        raise
    return made.detach()
