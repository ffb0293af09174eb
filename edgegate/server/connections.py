"""Clients' connections from one Snapshot to the next, and how many there may be."""

from __future__ import annotations

import resource
from collections.abc import Iterable
from typing import cast

from twisted.logger import Logger

from edgegate.downstream.listener import DownstreamListener
from edgegate.http.interfaces import Served
from edgegate.net.pipe import MOST_PIPES

log = Logger(namespace=__name__)


def renew(connections: Iterable[Served]) -> None:
    """Let kept connections go on under the Snapshot of their ports, or end with the answer that is under way."""
    for connection in connections:
        try:
            _renew(connection)
        except Exception:
            # what is wrong with one of them is no matter of the others
            log.failure("a connection could not go over to new files")


def _renew(connection: Served) -> None:
    port = cast(DownstreamListener, connection.downstream.entry)
    current = port.current(connection.downstream)
    if port.leaving:
        connection.retire()
    elif current is None:
        connection.drain()
    else:
        connection.move(current)


def most_connections() -> int:
    """
    Return how many connections the limit on descriptors allows: each needs one, and mostly one more to a backend; what
    is relayed by the kernel needs pipes too.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return 1 << 20
    return max((limit - 2 * MOST_PIPES) // 2 - 32, 16)
