# Compiled: values that hot modules read.
"""How many requests may be under way at one time, by what they are told apart."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgegate.model.guards.guard import Guard, Stage
from edgegate.model.guards.rate_limit import KeyPart, Matched
from edgegate.model.picklable import Picklable


@dataclass(frozen=True, slots=True)
class ConcurrencyLimit(Picklable):
    """
    One limit of a policy.

    @ivar requests: How many may be under way in all processes together.
    @ivar by: What requests are told apart by, all together; none: all are counted together.
    """

    name: str
    requests: int
    by: tuple[KeyPart, ...] = ()
    match: Matched | None = None


@dataclass(frozen=True, slots=True)
class Crowded(Picklable):
    """
    What a request gets that is one too many.

    @ivar grpc_exhausted: Whether a client of gRPC is told 8 (resource exhausted) in place of 14 (unavailable).
    @ivar retry_after: Seconds after which it may come again; 0: it is not told.
    """

    status: int = 503
    body: bytes = b"too many requests at once\n"
    content_type: bytes = b"text/plain"
    grpc_exhausted: bool = False
    retry_after: int = 1


@dataclass(frozen=True, slots=True)
class ConcurrencyGuard(Guard):
    """
    edgegate's C{ConcurrencyPolicy}: a request passes where each limit that counts it has room.

    @ivar shadow: Whether all pass, and what would not have is only counted.
    """

    limits: tuple[ConcurrencyLimit, ...] = ()
    response: Crowded = field(default_factory=Crowded)
    shadow: bool = False

    def stage(self) -> Stage:
        """See L{Guard.stage}."""
        return Stage.CONCURRENCY
