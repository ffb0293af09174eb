"""
What the data plane tells those who count and log.

Addresses and connections are seen here by what is shown of them only: whoever
observes knows none of the parts that it is told of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from edgegate.errors import Fault
from edgegate.model.origin import Origin
from edgegate.observe.metrics.meters import Meter
from edgegate.observe.tracing.trace import Trace


class Connection(Protocol):
    """A client's connection; an C{edgegate.net.addresses.ConnectionInfo}. Addresses are shown by C{str}."""

    @property
    def peer(self) -> object:
        """The client's address."""

    @property
    def local(self) -> object:
        """The address that it connected to."""

    @property
    def server_name(self) -> str:
        """The SNI name, or empty."""

    @property
    def since(self) -> float:
        """When it was told apart, in seconds of L{monotonic}."""


class Route(Protocol):
    """What was taken; a route of the Snapshot."""

    @property
    def name(self) -> str:
        """Its name in the files, or empty."""

    @property
    def origin(self) -> object:
        """Where in the files it is."""


class Head(Protocol):
    """What the client asked for; an C{edgegate.http.request.RequestHead}."""

    method: bytes
    target: bytes
    version: str
    authority: bytes

    @property
    def fields(self) -> Sequence[tuple[bytes, bytes]]:
        """Its fields, names in lower case."""


class Response(Protocol):
    """The head of a response; an C{edgegate.http.response.ResponseHead}."""

    @property
    def fields(self) -> Sequence[tuple[bytes, bytes]]:
        """Its fields, names in lower case."""


class Ended(Protocol):
    """
    A request that ended; an C{edgegate.http.exchange.Exchange}.

    @ivar started: When its head was whole, in seconds of L{monotonic}.
    @ivar status: 0 where no response began.
    @ivar flags: Response flags beside the fault's, with commas.
    @ivar details: Which filter answered, or what it said of that; empty: none did.
    @ivar upstream_time: Milliseconds until the backend's response began, or -1.
    @ivar request_id: What tells it from all others, its backend as well; empty: it has none, and no trace either.
    @ivar attempts: How many backends were asked.
    @ivar trace: The one that it is in; L{None}: nothing is traced, or it could not be read.
    """

    started: float
    status: int
    sent: int
    received: int
    fault: Fault | None
    flags: str
    details: str
    cluster: str
    upstream_time: int
    request_id: bytes
    attempts: int
    trace: Trace | None

    @property
    def response(self) -> Response | None:
        """The head of its final response; L{None} where none began."""

    @property
    def connection(self) -> Connection:
        """The connection that carried it."""

    @property
    def head(self) -> Head:
        """What the client asked for."""

    @property
    def scheme(self) -> bytes:
        """C{http} or C{https}."""

    @property
    def port(self) -> int:
        """The port that it came to, by its number in the files."""

    @property
    def forwarded_for(self) -> bytes:
        """What told its backend who the client is, or empty."""

    @property
    def policy(self) -> Origin | None:
        """Where the policy is said that has refused it, if any has."""

    @property
    def asks_grpc(self) -> bool:
        """Whether a call of gRPC was asked for."""

    @property
    def request_messages(self) -> int:
        """How many messages of gRPC have begun in the request, if it is one of gRPC, else 0."""

    @property
    def response_messages(self) -> int:
        """How many have begun in its response."""

    @property
    def route(self) -> Route | None:
        """The route that was taken."""

    @property
    def upstream(self) -> object | None:
        """The address of the backend that was asked last."""

    @property
    def upstream_local(self) -> object | None:
        """Our address towards it."""


@dataclass(slots=True)
class RelayEnd:
    """
    A relay that ended.

    @ivar fault: Why; L{None} where both sides finished.
    @ivar origin: Where in the files the route is that was taken, if any was.
    @ivar cluster: The name of what was connected to, or empty.
    @ivar upstream: The address of the endpoint that was connected to; L{None} where none was.
    @ivar upstream_local: Our address towards it.
    @ivar sent: Bytes that came from the backend for the client.
    @ivar received: Bytes that came from the client for the backend.
    @ivar meter: Counts it: that of its endpoint; L{None}: none was connected to.
    @ivar counted_sent: How many of the bytes are counted already; C{counted_received} likewise.
    """

    connection: Connection
    fault: Fault | None = None
    origin: object | None = None
    cluster: str = ""
    upstream: object | None = None
    upstream_local: object | None = None
    sent: int = 0
    received: int = 0
    meter: Meter | None = None
    counted_sent: int = 0
    counted_received: int = 0


@dataclass(frozen=True, slots=True)
class RejectedConnection:
    """
    A connection that ended before anything was served on it: by its ClientHello, its handshake, its silence.

    It is a L{Connection} as far as it got.

    @ivar reason: A short phrase.
    @ivar unknown: Whether no server has its name.
    """

    peer: object
    local: object
    reason: str
    server_name: str = ""
    unknown: bool = False
    since: float = field(default_factory=monotonic)


@dataclass(frozen=True, slots=True)
class UpstreamTry:
    """
    One try to get a response from a backend, when its outcome is known.

    @ivar exchange: The request that it was made for.
    @ivar number: 1 for the first one.
    @ivar endpoint: The address that was asked, or that would have been.
    @ivar started: When it began, in seconds of L{monotonic}.
    @ivar seconds: From then until the response's head was whole, or none was to be had.
    @ivar status: Of the response; 0 where there is none.
    @ivar fault: Why there is none; L{None} where there is one, and where the client left before. What happens to a
        response behind its head is the exchange's to tell.
    @ivar reused: Whether it went on a connection that was kept.
    """

    exchange: Ended
    number: int
    endpoint: object
    started: float
    seconds: float
    status: int = 0
    fault: Fault | None = None
    reused: bool = False
