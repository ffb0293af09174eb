"""
gRPC's own question for health, asked once over HTTP/2 (U{https://github.com/grpc/grpc/blob/master/doc/health-checking.md}).

The messages are so small that they are written and read by hand.
"""

from __future__ import annotations

from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import ProtocolError
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamClientEndpoint, ITCPTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

MAX_ANSWER = 4096
"""Bytes of a response that are read."""

SERVING = 1

STATUSES = {0: "UNKNOWN", SERVING: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}
"""C{HealthCheckResponse.ServingStatus}."""


class NotServing(Exception):
    """The endpoint says that it is not well, or says nothing that can be understood."""


def question(service: str) -> bytes:
    """Return a C{HealthCheckRequest}, framed: not compressed, four bytes of length."""
    name = service.encode()
    message = b"\n" + _varint(len(name)) + name if name else b""
    return b"\0" + len(message).to_bytes(4, "big") + message


def response_of(body: bytes) -> int:
    """
    Return the status that a framed C{HealthCheckResponse} says.

    @raise NotServing: It is none.
    """
    if len(body) < 5 or body[0] or len(body) != 5 + int.from_bytes(body[1:5], "big"):
        raise NotServing("its answer is no message of gRPC")
    message = body[5:]
    if not message:
        return 0
    # one field, number 1, a varint; none of its values is longer than a byte
    if len(message) != 2 or message[0] != 0x08:
        raise NotServing("its answer is no HealthCheckResponse")
    return message[1]


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


class HealthCheck(Protocol):
    """
    One question on a connection of its own.

    @ivar result: Fires when the endpoint says that it serves, or fails.
    """

    transport: ITCPTransport

    def __init__(self, service: str) -> None:
        self.result: Deferred[None] = Deferred(lambda _: self.transport.abortConnection())
        self._service = service
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._fields: dict[str, str] = {}
        self._body = b""
        self._ended = False

    def connectionMade(self) -> None:
        """Ask."""
        connection = self._h2
        connection.initiate_connection()
        peer = self.transport.getPeer()
        authority = f"{peer.host}:{peer.port}" if hasattr(peer, "port") else "localhost"
        fields = [
            (":method", "POST"),
            (":scheme", "http"),
            (":authority", authority),
            (":path", "/grpc.health.v1.Health/Check"),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            ("user-agent", "edgegate-probe"),
        ]
        connection.send_headers(1, fields)
        connection.send_data(1, question(self._service), end_stream=True)
        self.transport.write(connection.data_to_send())

    def dataReceived(self, data: bytes) -> None:
        """Read the response."""
        try:
            for event in self._h2.receive_data(data):
                self._happened(event)
        except (ProtocolError, NotServing) as error:
            self._end(error if isinstance(error, NotServing) else NotServing("it does not speak HTTP/2"))
            return
        self.transport.write(self._h2.data_to_send())

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """There is no more."""
        self._end(NotServing("it closed the connection"))

    def _happened(self, event: Event) -> None:
        if isinstance(event, ResponseReceived | TrailersReceived):
            self._fields.update((str(name), str(value)) for name, value in event.headers or ())
        elif isinstance(event, DataReceived):
            self._body += event.data or b""
            if len(self._body) > MAX_ANSWER:
                raise NotServing("its answer is too long")
            self._h2.acknowledge_received_data(event.flow_controlled_length or 0, 1)
        elif isinstance(event, StreamEnded):
            self._judge()
            self._end(None)
        elif isinstance(event, StreamReset | ConnectionTerminated):
            raise NotServing("it broke the call off")

    def _judge(self) -> None:
        """
        The response is whole.

        @raise NotServing: It is not that the endpoint serves.
        """
        status = self._fields.get(":status")
        if status != "200":
            raise NotServing(f"it answers {status}")
        code = self._fields.get("grpc-status", "")
        if code != "0":
            raise NotServing(f"it answers gRPC status {code or 'none'}")
        serving = response_of(self._body)
        if serving != SERVING:
            raise NotServing(f"it answers {STATUSES.get(serving, serving)}")

    def _end(self, error: NotServing | None) -> None:
        if self._ended:
            return
        self._ended = True
        self.transport.abortConnection()
        if error is None:
            self.result.callback(None)
        else:
            self.result.errback(error)


def check_health(endpoint: IStreamClientEndpoint, service: str) -> Deferred[None]:
    """
    Ask for the health of a service, or with an empty name of the whole server.

    @return: Fires when it serves; fails with L{NotServing}, or because no connection was made; may be cancelled.
    """
    factory = Factory()
    factory.noisy = False
    factory.buildProtocol = lambda _: HealthCheck(service)  # type: ignore[method-assign,assignment]
    connecting: Deferred[Any] = endpoint.connect(factory)
    return connecting.addCallback(lambda protocol: protocol.result)
