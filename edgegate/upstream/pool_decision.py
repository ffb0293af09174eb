# Compiled: looked at by what gets each request its stream.
"""What becomes of a request that needs a stream to an endpoint: pure, so that it is a table in its tests."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Step(Enum):
    """What is to be done next."""

    REUSE = "use a stream that is free"
    OPEN = "connect"
    JOIN = "wait for a connection that is being made, which has room"
    BORROW = "use a stream that is free elsewhere in the cluster, or else wait until the cluster's limits have room"
    REFUSE = "the cluster is asked for too much already"


@dataclass(frozen=True, slots=True)
class PoolView:
    """
    All that the decision depends on.

    @ivar free: Streams that could be taken now: idle connections, or what room there is on those that carry many.
    @ivar opening: Streams that the connections which are being made will have room for, beside those who wait for them:
        0 where a connection carries one request at a time, which is then spoken for.
    @ivar may_wait: Whether the cluster's limits let one more request be without a connection.
    @ivar room: Whether they let one more connection be made.
    """

    free: int = 0
    opening: int = 0
    may_wait: bool = True
    room: bool = True


def decide(view: PoolView) -> Step:
    """Return what a request has to do that needs a stream."""
    if view.free > 0:
        return Step.REUSE
    if not view.may_wait:
        return Step.REFUSE
    if view.opening > 0:
        return Step.JOIN
    return Step.OPEN if view.room else Step.BORROW
