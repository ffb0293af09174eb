# Hot path: orders those who are ready, where they are many.
"""
In whose turn those are called who are ready, where one turn of the loop has no room for all.

The kernel tells of them in the order in which they became ready. Thousands of
connections of a few clients would come before the one of another so. Here each
client has one called, and then each a second one, as packets of flows are sent
by fair queueing (RFC 8290 section 4.2). The connection to a backend that carries a
client's request is that client's, too: who asks for much is told of it in turns.
What is no client's comes before: connections that are to be accepted or made, and
those to backends that carry requests of many. These and the first one of each
client are always called, and of one client's those first that were not called the
last time, so that nobody is left out for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

Event = tuple[int, int]
"""A descriptor's number, and what it is ready for."""


def fair_order(ready: list[Event], client_of: Callable[[int], Hashable], called: set[int]) -> tuple[list[Event], int]:
    """
    Return who is ready in the order in which they are to be called, and how many of them in any case.

    @param client_of: Returns whose a descriptor is; L{None}: no client's.
    @param called: Those that were called since all others were ready: the kernel tells of them before these, if more
        has come for them. Emptied where nobody else is left, or as many were called as are ready: then those that go on
        becoming ready anew are not to be before them either.
    """
    rounds: list[list[Event]] = [[], []]
    turns: dict[Hashable, int] = {}
    late = [each for each in ready if each[0] not in called]
    if not late or len(called) > len(ready):
        called.clear()
    elif called:
        ready = late + [each for each in ready if each[0] in called]
    for each in ready:
        client = client_of(each[0])
        turn = 0
        if client is not None:
            turn = turns.get(client, 0) + 1
            turns[client] = turn
            if turn == len(rounds):
                rounds.append([])
        rounds[turn].append(each)
    return [each for one in rounds for each in one], len(rounds[0]) + len(rounds[1])
