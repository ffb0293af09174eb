"""
The two ends of HTTP/2 that L{http2_layer} measures: a server that answers each request the same, and a client.

Compiled together with the layer, as what drives it is.
"""

from __future__ import annotations

from typing import Final

from edgegate.errors import Fault
from edgegate.http.fields import Field
from edgegate.http.h2.client import ClientConnection, ClientStream
from edgegate.http.h2.connection import Connection
from edgegate.http.h2.hpack import block_of, literal
from edgegate.http.h2.request_heads import RequestHeads
from edgegate.http.h2.server import ServerConnection, ServerStream
from edgegate.http.request import RequestHead
from edgegate.http.response import ResponseHead

BODY: Final = b'{"id":1,"name":"catalog","price":12.5}'

ANSWER: Final = [
    (b":status", b"200"),
    (b"content-type", b"application/json"),
    (b"content-length", b"38"),
    (b"server", b"edgegate"),
    (b"date", b"Sat, 28 Nov 2026 12:00:00 GMT"),
]
_ANSWER: Final = block_of(ANSWER)
_TIMES: Final = [literal(b"x-envoy-upstream-service-time", b"%d" % time) for time in range(10)]


class Request(ServerStream):
    """Answered at once when it is whole."""

    __slots__ = ()

    def request_received(self, head: RequestHead) -> None:
        """Answer."""
        connection = self.connection
        connection.send_head(self, _ANSWER + _TIMES[self.number % 10], False, 38)
        connection.send_data(self, BODY)

    def request_refused(self, fault: Fault) -> None:
        """There is none."""

    def body_received(self, data: bytes) -> None:
        """There is none."""

    def message_ended(self, trailers: list[Field]) -> None:
        """There is none."""

    def stream_reset(self, code: int, processed: bool) -> None:
        """There is none."""

    def stream_closed(self) -> None:
        """Nothing is kept."""

    def send_room(self) -> None:
        """Nothing waits."""


class Server(ServerConnection):
    """Answers."""

    __slots__ = ()

    def begin(self, number: int) -> ServerStream:
        """Return a request."""
        return Request(self, number)


class Response(ClientStream):
    """Read and forgotten."""

    __slots__ = ()

    def interim_received(self, head: ResponseHead) -> None:
        """There is none."""

    def response_received(self, head: ResponseHead) -> None:
        """Nothing is kept."""

    def body_received(self, data: bytes) -> None:
        """Forget it."""
        client = self.connection
        assert isinstance(client, Connection)
        client.consumed(self, len(data))

    def message_ended(self, trailers: list[Field]) -> None:
        """Nothing is kept."""

    def stream_reset(self, code: int, processed: bool) -> None:
        """There is none."""

    def stream_closed(self) -> None:
        """Nothing is kept."""

    def send_room(self) -> None:
        """Nothing waits."""


def _no_time() -> float:
    return 0.0


def server(methods: frozenset[bytes]) -> Server:
    """Return a server."""
    return Server(RequestHeads(methods), _no_time)


def client() -> ClientConnection:
    """Return a client."""
    return ClientConnection(_no_time)


def ask(connection: ClientConnection, block: bytes, times: int) -> None:
    """Ask so many times."""
    for _ in range(times):
        connection.ask(Response(connection), block, True)
