"""Sockets towards a syslog: datagrams to a local path, or by UDP."""

from __future__ import annotations

import socket

from edgegate.model.addresses import UNIXAddress
from edgegate.model.syslog import SyslogAddress


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
