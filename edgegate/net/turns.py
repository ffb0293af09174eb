# Hot path: orders those who are ready, where they are many.
"""
In whose turn those are called who are ready, where one turn of the loop has no room for all.

The kernel tells of them in the order in which they became ready. Thousands of
connections of a few clients would come before the one of another so. Here each
client has one called, and then each a second one, as packets of flows are sent
by fair queueing (RFC 8290 section 4.2). The connection to a backend that carries a
client's request is that client's, too: who asks for much is told of it in turns.
So a client for whom little is ready would wait for as many turns as it has events,
each as long as there are clients. Those with the least have all of theirs called in
one, and read again for what came behind (a read of TLS takes one record), as far as
that makes the turn little longer: who asks for much hardly waits longer for it.
What is no client's comes before: connections that are to be accepted or made, and
those to backends that carry requests of many. These, the first one of each client and
all of those with the least are always called, and of one client's those first that were
not called the last time, so that nobody is left out for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final

Event = tuple[int, int]
"""A descriptor's number, and what it is ready for."""

SPARE: Final = 96
"""Calls beyond the first of each client that are always made: for the clients that have the fewest events."""

AGAIN: Final = 3
"""How often what can be read is read again for these; nothing happens where no more has come."""

_IN: Final = 0x1  # EPOLLIN


def fair_order(
    ready: list[Event], client_of: Callable[[int], Hashable], called: set[int], spare: int = SPARE
) -> tuple[list[Event], int]:
    """
    Return who is ready in the order in which they are to be called, and how many of them in any case.

    @param client_of: Returns whose a descriptor is; L{None}: no client's.
    @param called: Those that were called since all others were ready: the kernel tells of them before these, if more
        has come for them. Emptied where nobody else is left, or as many were called as are ready: then those that go on
        becoming ready anew are not to be before them either.
    @param spare: See L{SPARE}.
    """
    late = [each for each in ready if each[0] not in called]
    if not late or len(called) > len(ready):
        called.clear()
    elif called:
        ready = late + [each for each in ready if each[0] in called]
    order: list[Event] = []
    lines: dict[Hashable, list[Event]] = {}
    for each in ready:
        client = client_of(each[0])
        if client is None:
            order.append(each)
            continue
        line = lines.get(client)
        if line is None:
            lines[client] = [each]
        else:
            line.append(each)
    few = _few(lines, spare)
    rounds: list[list[Event]] = []
    for line in lines.values():
        if len(line) <= few:
            order += line
            order += [(fd, _IN) for fd, event in line if event & _IN] * AGAIN
            continue
        order.append(line[0])
        for turn in range(1, len(line)):
            if turn > len(rounds):
                rounds.append([])
            rounds[turn - 1].append(line[turn])
    least = len(order)
    for each_round in rounds:
        order += each_round
    return order, least


def _few(lines: dict[Hashable, list[Event]], spare: int) -> int:
    """
    Return how many events are few: the clients that have no more than these have so many calls to spare together; 0:
    there are too many clients.
    """
    few = 0
    sizes = sorted([len(line) for line in lines.values()])
    for at, size in enumerate(sizes):
        spare -= size * (1 + AGAIN) - 1
        if spare < 0:
            break
        if at + 1 == len(sizes) or sizes[at + 1] > size:
            few = size
    return few
