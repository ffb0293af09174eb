# Compiled: values that hot modules read.
"""How often requests may pass, by what they are told apart, and who counts them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from edgegate.model.guards.guard import Guard, Stage
from edgegate.model.matching import StringMatch
from edgegate.model.picklable import Picklable
from edgegate.model.redis import RedisServer


class KeySource(Enum):
    """What of a request a limit tells apart."""

    CLIENT_ADDRESS = "clientAddress"
    IDENTITY = "identity"
    HEADER = "header"
    COOKIE = "cookie"
    CLAIM = "claim"
    HOST = "host"
    PATH = "path"


class Absent(Enum):
    """What becomes of a request that does not have what a limit tells apart."""

    SHARED = "Shared"  # all of them count as one
    CLIENT_ADDRESS = "ClientAddress"  # each counts for its client's address
    SKIP = "Skip"  # the limit does not count them


@dataclass(frozen=True, slots=True)
class KeyPart(Picklable):
    """
    A part of what tells a limit's requests apart.

    @ivar name: Of the header (lower case), the cookie or the claim (its names, from the outside in); of a path the
        regular expression whose groups tell requests apart, or all of the path where it has none.
    @ivar ipv4_prefix: Bits of addresses that count; so for IPv6.
    """

    source: KeySource
    name: tuple[str, ...] = ()
    absent: Absent = Absent.SHARED
    ipv4_prefix: int = 32
    ipv6_prefix: int = 64


@dataclass(frozen=True, slots=True)
class Matched(Picklable):
    """
    Which requests a limit counts: those that satisfy all that is given, each by one of its values.

    @ivar headers: Of each name (lower case) one of the values; none: the header must be there.
    """

    methods: tuple[StringMatch, ...] = ()
    paths: tuple[StringMatch, ...] = ()
    not_paths: tuple[StringMatch, ...] = ()
    headers: tuple[tuple[str, tuple[StringMatch, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class RateLimit(Picklable):
    """
    One limit of a policy.

    @ivar requests: How many may pass in C{period} seconds.
    @ivar burst: How many may pass at once after a rest. Where Redis counts, C{requests} may.
    @ivar by: What requests are told apart by, all together; none: all are counted together.
    @ivar cost: For how many each request counts.
    """

    name: str
    requests: int
    period: float
    burst: int
    by: tuple[KeyPart, ...] = ()
    match: Matched | None = None
    cost: int = 1


class OnFailure(Enum):
    """What becomes of requests while Redis can't be asked."""

    OPEN = "Open"
    CLOSED = "Closed"
    LOCAL = "Local"  # this gateway counts them for itself


@dataclass(frozen=True, slots=True)
class GlobalCount(Picklable):
    """
    Who counts for several gateways.

    @ivar timeout: Seconds that a request waits for an answer at most.
    @ivar prefix: Of the keys in Redis.
    """

    redis: RedisServer
    on_failure: OnFailure = OnFailure.OPEN
    timeout: float = 0.05
    prefix: str = "edgegate"


@dataclass(frozen=True, slots=True)
class RateLimited(Picklable):
    """
    What a request gets that is one too many.

    @ivar grpc_exhausted: Whether a client of gRPC is told 8 (resource exhausted) in place of 14 (unavailable).
    """

    status: int = 429
    body: bytes = b"too many requests\n"
    content_type: bytes = b"text/plain"
    grpc_exhausted: bool = False


@dataclass(frozen=True, slots=True)
class RateLimitGuard(Guard):
    """
    edgegate's C{RateLimitPolicy}: a request passes where none of the limits that count it is over.

    @ivar shadow: Whether all pass, and what would not have is only counted.
    @ivar shown: Whether responses have the fields C{RateLimit-Policy} and C{RateLimit}.
    """

    limits: tuple[RateLimit, ...] = ()
    response: RateLimited = field(default_factory=RateLimited)
    shadow: bool = False
    shown: bool = False
    shared: GlobalCount | None = None

    def stage(self) -> Stage:
        """See L{Guard.stage}."""
        return Stage.RATE_LIMIT
