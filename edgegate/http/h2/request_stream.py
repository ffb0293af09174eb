# Hot path: each event of an HTTP/2 client's stream passes here.
"""
A stream of an HTTP/2 client between the layer and what carries an exchange on it.

What is raised in a stream's events ends that stream, so that the layer goes on with the others.
"""

from __future__ import annotations

from abc import abstractmethod

from edgegate.errors import Fault
from edgegate.http.downstream_stream import DownstreamStream
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.fields import Field
from edgegate.http.forwarded import Client
from edgegate.http.h2.server import ServerConnection, ServerStream
from edgegate.http.interfaces import Dispatcher
from edgegate.http.overdue import Overdue
from edgegate.http.request import RequestHead
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.containment import broke


class StreamOwner(ServerConnection):
    """
    A client's connection, as its streams know it.

    @ivar client: Who it is of.
    @ivar dispatcher: Finds what answers their requests.
    @ivar downstream: The connection, as the next request on it will have it.
    @ivar environment: What all connections share.
    @ivar fault: What becomes of requests that end with the connection.
    @ivar touched: Streams that have given something to their uploads in this turn.
    """

    __slots__ = ("client", "dispatcher", "downstream", "environment", "fault", "touched")

    client: Client
    dispatcher: Dispatcher
    downstream: ConnectionInfo
    environment: HTTPEnvironment
    fault: Fault
    touched: list[StreamCarrier]

    @abstractmethod
    def write_soon(self) -> None:
        """Write what is queued at the end of this turn."""

    @abstractmethod
    def write_now(self) -> None:
        """Write what is queued."""

    @abstractmethod
    def look_within(self, seconds: float) -> None:
        """See after so many seconds at the latest whether anything is overdue."""

    @abstractmethod
    def give_up(self) -> None:
        """End the connection at once: too much waits on all of them, and on this one the most."""

    @abstractmethod
    def begin_drain(self) -> None:
        """Let the connection end with the streams that are under way or on their way."""


class StreamCarrier(DownstreamStream):
    """What a stream of the layer tells the exchange on it."""

    __slots__ = ()

    @abstractmethod
    def request_head(self, head: RequestHead) -> None:
        """A request begins."""

    @abstractmethod
    def request_refused(self, fault: Fault) -> None:
        """What came is no request."""

    @abstractmethod
    def request_body(self, data: bytes) -> None:
        """A piece of the request's body came."""

    @abstractmethod
    def request_end(self, trailers: list[Field]) -> None:
        """The request is whole."""

    @abstractmethod
    def flush_upload(self) -> None:
        """No more of the upload comes in this turn."""

    @abstractmethod
    def upload_opened(self) -> None:
        """The client may send bodies again: before, those of other streams had used up the room of all."""

    @abstractmethod
    def response_flows(self) -> None:
        """The client reads again."""

    @abstractmethod
    def abandon(self) -> None:
        """The stream is gone, by the client, by its fault or with the connection."""

    @abstractmethod
    def look(self, now: float) -> float:
        """
        See whether anything is overdue, and end the exchange or the stream if it is.

        @return: Seconds after which to look again.
        """

    @abstractmethod
    def end_overdue(self, overdue: Overdue) -> None:
        """Give up the request if it has taken too long in all; a tunnel may last."""

    @abstractmethod
    def broke(self) -> None:
        """An error of ours was raised in what the stream is for: the exchange ends with it, and nothing else does."""


class RequestStream(ServerStream):
    """
    What the layer knows of a stream: tells its carrier.

    @ivar carrier: Set when it begins; L{None} once the stream is over, so that neither keeps the other in memory.
    """

    __slots__ = ("carrier",)

    def __init__(self, connection: StreamOwner, number: int) -> None:
        ServerStream.__init__(self, connection, number)
        self.carrier: StreamCarrier | None = None

    def request_received(self, head: RequestHead) -> None:
        """A request begins."""
        carrier = self.carrier
        if carrier is not None:
            try:
                carrier.request_head(head)
            except Exception:
                broke(carrier)

    def request_refused(self, fault: Fault) -> None:
        """What came is no request."""
        carrier = self.carrier
        if carrier is not None:
            try:
                carrier.request_refused(fault)
            except Exception:
                broke(carrier)

    def body_received(self, data: bytes) -> None:
        """A piece of the request's body came."""
        carrier = self.carrier
        if carrier is not None:
            try:
                carrier.request_body(data)
            except Exception:
                broke(carrier)

    def message_ended(self, trailers: list[Field]) -> None:
        """The request is whole."""
        carrier = self.carrier
        if carrier is not None:
            try:
                carrier.request_end(trailers)
            except Exception:
                broke(carrier)

    def send_room(self) -> None:
        """So little of the response waits that more may come."""
        carrier = self.carrier
        if carrier is not None:
            try:
                carrier.response_flows()
            except Exception:
                broke(carrier)

    def stream_reset(self, code: int, processed: bool) -> None:
        """Nothing can be answered any more."""
        carrier, self.carrier = self.carrier, None
        if carrier is not None:
            try:
                carrier.abandon()
            except Exception:
                broke(carrier)

    def stream_closed(self) -> None:
        """The stream is over in good order; the exchange's end is told by whoever answers it."""
        self.carrier = None
