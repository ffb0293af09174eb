# Hot path: made for each line of a format that is not the default.
"""
What one line of the access log is made of: a request, a relay or a rejected connection, seen in one way.

The command operators of headers are asked about exchanges; so a relay and a rejected connection are given here as an
exchange of which there is no request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol, cast

from edgegate.errors import Fault
from edgegate.http.exchange import Exchange
from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import Field
from edgegate.http.formatter_context import Message, StreamInfo
from edgegate.http.request import RequestHead, refused_head
from edgegate.http.response import ResponseHead
from edgegate.http.upstream_head import UpstreamHead, framing_of
from edgegate.http.upstream_stream import UpstreamStream
from edgegate.model.addresses import Address, TCPAddress
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute
from edgegate.net.addresses import ConnectionInfo
from edgegate.observe.events import Ended, RejectedConnection, RelayEnd
from edgegate.observe.tracing.trace import Trace
from edgegate.routing.snapshot import FilterChain, Listener

NO_RESPONSE: Final = ResponseHead(0, b"", [])
"""Stands for the response of a request that has none."""

_SERVER: Final = (b"server", b"edgegate")


class EndedStream(StreamInfo, Protocol):
    """What is known at the end, besides what headers may ask for."""

    @property
    def headers(self) -> list[Field]:
        """The request's fields, those of its framing and its client included."""

    @property
    def status(self) -> int:
        """Of the response; 0: none began."""

    @property
    def asked(self) -> UpstreamHead | None:
        """What the backend got."""

    @property
    def asked_at(self) -> float:
        """When, in seconds of C{time.monotonic}; 0: none was asked."""

    @property
    def backend(self) -> UpstreamStream | None:
        """What carried that."""

    @property
    def responded_at(self) -> float:
        """When its response began; 0: it did not."""

    @property
    def response(self) -> ResponseHead | None:
        """The head that the client got."""

    @property
    def response_fields(self) -> tuple[FieldBlock, ...]:
        """What it has besides."""

    @property
    def trace(self) -> Trace | None:
        """The one that the request is in, if any is traced."""

    @property
    def trailers(self) -> list[Field] | None:
        """Those of the response."""


def _no_request() -> RequestHead:
    head = refused_head()
    head.method = head.target = head.path = b""
    head.version = ""
    return head


_NO_REQUEST: Final = _no_request()
_NOWHERE: Final = Origin("", 0, "")
_NO_CHAIN: Final = FilterChain("", _NOWHERE)
_NO_LISTENER: Final = Listener("", TCPAddress("", 0), 0, _NOWHERE)


class StreamWithoutRequest:
    """A relay, or a connection that was rejected: an L{EndedStream} of which there is no request."""

    __slots__ = (
        "attempts",
        "client_address",
        "cluster",
        "connection",
        "details",
        "fault",
        "flags",
        "port",
        "received",
        "sent",
        "started",
        "upstream",
        "upstream_local",
    )

    def __init__(self, connection: ConnectionInfo, port: int) -> None:
        self.connection = connection
        self.port = port
        peer = connection.peer
        self.client_address = peer.host.encode("ascii") if isinstance(peer, TCPAddress) else b""
        self.cluster = self.flags = self.details = ""
        self.fault: Fault | None = None
        self.upstream: Address | None = None
        self.upstream_local: Address | None = None
        self.received = self.sent = self.attempts = 0
        self.started = connection.since

    @property
    def head(self) -> RequestHead:
        """There is none."""
        return _NO_REQUEST

    @property
    def scheme(self) -> bytes:
        """There is none."""
        return b""

    @property
    def headers(self) -> list[Field]:
        """There are none."""
        return []

    def identity_fields(self) -> list[Field]:
        """There are none."""
        return []

    @property
    def request_whole(self) -> bool:
        """There is none."""
        return False

    @property
    def route(self) -> HTTPRoute | None:
        """It has none of HTTP."""
        return None

    @property
    def policy(self) -> Origin | None:
        """The details say which has refused it."""
        return None

    @property
    def metadata(self) -> Mapping[str, Mapping[str, object]] | None:
        """There is none."""
        return None

    @property
    def upstream_time(self) -> int:
        """There is no response."""
        return -1

    @property
    def status(self) -> int:
        """There is none."""
        return 0

    @property
    def uploaded(self) -> float:
        """There is no body."""
        return 0.0

    @property
    def asked(self) -> UpstreamHead | None:
        """There is no request."""
        return None

    @property
    def asked_at(self) -> float:
        """No backend was asked."""
        return 0.0

    @property
    def responded_at(self) -> float:
        """None has answered."""
        return 0.0

    @property
    def backend(self) -> UpstreamStream | None:
        """What carries relays is no stream of requests."""
        return None

    @property
    def response(self) -> ResponseHead | None:
        """There is none."""
        return None

    @property
    def response_fields(self) -> tuple[FieldBlock, ...]:
        """There are none."""
        return ()

    @property
    def trace(self) -> Trace | None:
        """Only requests are traced."""
        return None

    @property
    def trailers(self) -> list[Field] | None:
        """There are none."""
        return None


def _relayed(relay: RelayEnd) -> StreamWithoutRequest:
    connection = cast(ConnectionInfo, relay.connection)
    stream = StreamWithoutRequest(connection, connection.listener.port)
    stream.cluster, stream.fault = relay.cluster, relay.fault
    stream.upstream = cast("Address | None", relay.upstream)
    stream.upstream_local = cast("Address | None", relay.upstream_local)
    stream.received, stream.sent = relay.received, relay.sent
    stream.attempts = 0 if relay.upstream is None else 1
    return stream


def _rejected(rejected: RejectedConnection) -> StreamWithoutRequest:
    peer, local = cast(Address, rejected.peer), cast(Address, rejected.local)
    connection = ConnectionInfo(_NO_LISTENER, _NO_CHAIN, peer, local, rejected.server_name, since=rejected.since)
    stream = StreamWithoutRequest(connection, local.port if isinstance(local, TCPAddress) else 0)
    stream.flags = "NR" if rejected.unknown else ""
    return stream


class LogRecord:
    """
    What a line is made of.

    @ivar stream: The request, or what stands for a relay or a rejected connection.
    @ivar ended: As it was told.
    @ivar at: When it ended, in seconds of C{time.monotonic}.
    @ivar began: When it began, in seconds since the epoch.
    """

    __slots__ = ("_message", "at", "began", "ended", "stream")

    def __init__(self, ended: Ended | RelayEnd | RejectedConnection, at: float, ahead: float) -> None:
        """
        @param ahead: How many seconds the time since the epoch is ahead of C{time.monotonic}.
        """
        self.ended = ended
        stream: EndedStream
        if isinstance(ended, RelayEnd):
            stream = _relayed(ended)
        elif isinstance(ended, RejectedConnection):
            stream = _rejected(ended)
        else:
            stream = cast(Exchange, ended)
        self.stream = stream
        self.at = at
        self.began = stream.started + ahead
        self._message: Message | None = None

    @property
    def is_request(self) -> bool:
        """Whether it is one of HTTP."""
        return not isinstance(self.ended, RelayEnd | RejectedConnection)

    @property
    def duration(self) -> float:
        """Seconds from its beginning to its end."""
        return self.at - self.stream.started

    @property
    def message(self) -> Message:
        """The response and what was asked of the backend, as operators are asked about them. Made once."""
        message = self._message
        if message is None:
            message = self._message = self._made()
        return message

    def _made(self) -> Message:
        stream = self.stream
        response = stream.response
        if response is None:
            return Message([], NO_RESPONSE, stream.backend, self.request_fields())
        return Message(self.response_fields(), response, stream.backend, self.request_fields())

    def request_fields(self) -> list[Field]:
        """Return the fields of the request as its backend got them; where none was asked, as it would have."""
        stream, asked = self.stream, self.stream.asked
        if asked is None:
            return [*stream.identity_fields(), *stream.headers]
        line = ((b":path", asked.target), (b":authority", asked.authority), (b"host", asked.authority))
        fields = [*line, *asked.fields, *framing_of(asked), *stream.identity_fields()]
        return fields + self.trace_fields()

    def trace_fields(self) -> list[Field]:
        """Return the fields by which the backend that was asked last knows of its trace."""
        trace = self.stream.trace
        if trace is None or not trace.try_id or not trace.propagator.writes:
            return []
        return trace.propagator.write(trace, trace.try_id)

    def response_fields(self) -> list[Field]:
        """Return the fields of the response as its client got them, but for a date of the gateway's own."""
        response = self.stream.response
        if response is None:
            return []
        fields = [*response.fields, _SERVER]
        for block in self.stream.response_fields:
            fields += block.fields
        if response.length is not None:
            fields.append((b"content-length", b"%d" % response.length))
        return fields


Value = bytes | str | int | None
"""Bytes are somebody's whose words must not make lines of their own; L{None}: there is no value."""

Getter = Callable[[LogRecord], Value]
"""Gives the value of an operator."""
