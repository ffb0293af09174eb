"""Clients' connections from one Snapshot to the next, and how many there may be."""

from __future__ import annotations

import resource
from collections.abc import Collection, Hashable, Iterable, Set
from typing import cast

from twisted.logger import Logger

from edgegate.downstream.listener import DownstreamListener
from edgegate.http.interfaces import Served
from edgegate.http.overdue import Overdue
from edgegate.net.pipe import MOST_PIPES
from edgegate.overload.connections import client_of
from edgegate.overload.idle import Idle, LongestIdle, longest_idle

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


def end_old(connections: Iterable[Served], before: float) -> None:
    """
    Have connections end with what is under way on them that began before a time.

    @param before: In seconds of C{monotonic}.
    """
    for connection in connections:
        if connection.downstream.since < before:
            try:
                connection.drain()
            except Exception:
                # what is wrong with one of them is no matter of the others
                log.failure("a connection could not end at its age")


def end_overdue(connections: Iterable[Served], overdue: Overdue) -> None:
    """Have requests end that have taken too long in all."""
    for connection in connections:
        try:
            connection.end_overdue(overdue)
        except Exception:
            # what is wrong with one of them is no matter of the others
            log.failure("a request could not end at its time")


def end_idle(
    connections: Set[Served], ports: Collection[DownstreamListener], now: float, count: int, idle: LongestIdle
) -> int:
    """
    Have connections end that lie idle, the longest idle first; return how many do.

    @param ports: All of them, for the connections that are not told apart yet.
    @param now: The wheel's seconds.
    @param count: How many may end.
    @param idle: What was found before.
    """

    def everybody() -> list[Idle]:
        found: list[Idle] = list(connections)
        for port in ports:
            found += port.pending
        return found

    def is_open(each: Idle) -> bool:
        return each in connections or any(each in port.pending for port in ports)

    return _end(idle.take(count, now, everybody, is_open))


def end_idle_of(
    connections: Iterable[Served], ports: Iterable[DownstreamListener], now: float, count: int, client: Hashable = None
) -> int:
    """
    Have connections of some ports, or of one client, end that lie idle, the longest idle first; return how many do.

    @param ports: Those whose connections are looked at, with those that are not told apart yet.
    @param now: The wheel's seconds.
    @param count: How many may end.
    @param client: Whose connections are looked at; L{None}: everybody's.
    """
    among = set(ports)
    # whose one is costs more to tell than whether it is idle, which few are where one looks often
    candidates: list[Idle] = [
        each
        for each in connections
        if each.downstream.entry in among
        and (client is None or (each.idle_since() <= now and client_of(each.downstream.peer) == client))
    ]
    for port in among:
        candidates += [
            each
            for each in port.pending
            if client is None or (each.idle_since() <= now and client_of(each.peer) == client)
        ]
    return _end(longest_idle(candidates, now, count))


def _end(found: Iterable[Idle]) -> int:
    ending = 0
    for each in found:
        try:
            ending += each.give_way()
        except Exception:
            # what is wrong with one of them is no matter of the others
            log.failure("a connection could not give way to others")
    return ending


def most_connections() -> int:
    """
    Return how many connections the limit on descriptors allows: each needs one, and mostly one more to a backend; what
    is relayed by the kernel needs pipes too.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return 1 << 20
    return max((limit - 2 * MOST_PIPES) // 2 - 32, 16)
