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


def renew(channels: Iterable[Served]) -> None:
    """Let kept connections go on under the Snapshot of their ports, or end with the answer that is under way."""
    for channel in channels:
        try:
            _renew(channel)
        except Exception:
            # what is wrong with one of them is no matter of the others
            log.failure("a connection could not go over to new files")


def _renew(channel: Served) -> None:
    port = cast(DownstreamListener, channel.downstream.entry)
    current = port.current(channel.downstream)
    if port.leaving:
        channel.retire()
    elif current is None:
        channel.drain()
    else:
        channel.move(current)


def most_connections() -> int:
    """
    Return how many connections the limit on descriptors allows: each needs one, and mostly one more to a backend; what
    is relayed by the kernel needs pipes too.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return 1 << 20
    return max((limit - 2 * MOST_PIPES) // 2 - 32, 16)
