# Hot path: asked twice for each request.
"""
How far a client's connection of HTTP/1 is, and which of its two directions flow.

Each is one table: a state and what happened give the next state. A pair that
is not in its table cannot happen, and raises C{KeyError}.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class State(IntEnum):
    """
    How far a connection is.

    Once a response is to be the last one, nothing makes it another.
    """

    IDLE = 0  # no request is under way
    LAST_IDLE = 1  # nor is one, and the next is the last
    BUSY = 2  # a request is under way, and another may follow
    LAST = 3  # the connection ends with the response to the request that is under way
    EXPECTING = 4  # as BUSY, and the client waits to be told to send its body
    LAST_EXPECTING = 5  # as LAST, and the client waits to be told to send its body
    ENDED = 6  # nothing is read or answered any more: it is closed, or another's
    PROMISED = 7  # a response is under way whose head allows one more request, and the next is the last
    KEPT = 8  # that response is whole


class Event(IntEnum):
    """What happens to a connection."""

    BEGIN = 0  # a request has come
    EXPECT = 1  # it said C{Expect: 100-continue}, and has a body
    CONTINUE = 2  # its client was told to send the body
    LAST = 3  # nothing may follow what is under way, or what comes next
    DONE = 4  # the response is whole
    END = 5
    RETIRE = 6  # nothing may follow the next response that can say so in its head


NEXT: Final[dict[State, dict[Event, State]]] = {
    State.IDLE: {Event.BEGIN: State.BUSY, Event.LAST: State.LAST_IDLE, Event.END: State.ENDED},
    State.LAST_IDLE: {Event.BEGIN: State.LAST, Event.LAST: State.LAST_IDLE, Event.END: State.ENDED},
    State.BUSY: {
        Event.EXPECT: State.EXPECTING,
        Event.LAST: State.LAST,
        Event.DONE: State.IDLE,
        Event.END: State.ENDED,
        Event.RETIRE: State.PROMISED,
    },
    State.PROMISED: {Event.LAST: State.LAST, Event.DONE: State.KEPT, Event.END: State.ENDED},
    State.KEPT: {Event.LAST: State.LAST_IDLE, Event.END: State.ENDED},
    State.LAST: {
        Event.EXPECT: State.LAST_EXPECTING,
        Event.LAST: State.LAST,
        Event.DONE: State.LAST_IDLE,
        Event.END: State.ENDED,
    },
    State.EXPECTING: {
        Event.CONTINUE: State.BUSY,
        # also by the response's head: whether its client sends the body then, only the end of the connection tells
        Event.LAST: State.LAST_EXPECTING,
        Event.END: State.ENDED,
    },
    State.LAST_EXPECTING: {
        Event.CONTINUE: State.LAST,
        Event.LAST: State.LAST_EXPECTING,
        Event.DONE: State.LAST_IDLE,
        Event.END: State.ENDED,
    },
    # it is told of a drain, and of its transport's end, whenever that comes
    State.ENDED: {Event.LAST: State.ENDED, Event.END: State.ENDED},
}
"""What becomes of a connection."""


class Flow(IntEnum):
    """Which directions flow. From L{STALLED} on the client does not read: C{>=} asks for that."""

    BOTH = 0
    HELD = 1  # the client is not read
    STALLED = 2  # the client does not read
    NEITHER = 3


class Turn(IntEnum):
    """What changes in that."""

    HOLD = 0  # the client is to be read no more
    READ = 1  # it is to be read again
    STALL = 2  # the client has stopped reading
    RESUME = 3  # it reads again


NEXT_FLOW: Final[dict[Flow, dict[Turn, Flow]]] = {
    Flow.BOTH: {Turn.HOLD: Flow.HELD, Turn.STALL: Flow.STALLED, Turn.RESUME: Flow.BOTH},
    Flow.HELD: {Turn.READ: Flow.BOTH, Turn.STALL: Flow.NEITHER, Turn.RESUME: Flow.HELD},
    Flow.STALLED: {Turn.HOLD: Flow.NEITHER, Turn.STALL: Flow.STALLED, Turn.RESUME: Flow.BOTH},
    Flow.NEITHER: {Turn.READ: Flow.STALLED, Turn.STALL: Flow.NEITHER, Turn.RESUME: Flow.HELD},
}
"""What becomes of the flow. That the client reads or does not may be told twice."""
