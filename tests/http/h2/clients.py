"""A client of HTTP/2 for the tests: the package h2, on a stream whose other side is the gateway."""

from __future__ import annotations

from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)

from edgegate.http.fields import Field
from edgegate.net.addresses import ConnectionInfo
from tests.http.conversation import Conversation


@dataclass
class Answer:
    """
    What came on a stream.

    @ivar alone: Whether its head ended it.
    """

    interim: list[bytes] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)
    body: bytes = b""
    trailers: list[Field] = field(default_factory=list)
    ended: bool = False
    alone: bool = False
    code: int | None = None

    @property
    def status(self) -> bytes:
        """The status, or nothing."""
        return dict(self.fields).get(b":status", b"")


class HTTP2Client:
    """
    One connection.

    @ivar answers: What came, by stream.
    @ivar goaways: The codes and last streams of GOAWAYs.
    @ivar reads: Whether the room for bodies is given back as they come.
    """

    def __init__(self, talk: Conversation, downstream: ConnectionInfo | None = None, reads: bool = True) -> None:
        self.stream = talk.client(downstream)
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self.answers: dict[int, Answer] = {}
        self.goaways: list[tuple[int, int | None]] = []
        self.reads = reads
        self.h2.initiate_connection()
        self.send()

    def send(self) -> None:
        """Send what h2 has to say, and read what is answered."""
        data = self.h2.data_to_send()
        if data:
            self.stream.deliver(data)
        self.read()

    def read(self) -> None:
        """Read what the gateway has written."""
        data = self.stream.take()
        if data:
            for event in self.h2.receive_data(data):
                self._take(event)
            self.send()

    def head(self, path: bytes = b"/", method: bytes = b"GET", ends: bool = True, *fields: Field) -> int:
        """Send the head of a request; return its stream."""
        number = self.h2.get_next_available_stream_id()
        self.answers[number] = Answer()
        names = {name for name, _ in fields}
        own = [(b":method", method), (b":scheme", b"http"), (b":authority", b"web.example"), (b":path", path)]
        self.h2.send_headers(number, [*(each for each in own if each[0] not in names), *fields], end_stream=ends)
        self.send()
        return number

    def body(self, number: int, data: bytes, ends: bool = False) -> None:
        """Send a piece of a body."""
        self.h2.send_data(number, data, end_stream=ends)
        self.send()

    def trailers(self, number: int, *fields: Field) -> None:
        """End a request with trailers."""
        self.h2.send_headers(number, list(fields), end_stream=True)
        self.send()

    def reset(self, number: int) -> None:
        """Reset a stream."""
        self.h2.reset_stream(number, 8)
        self.send()

    def answer(self, number: int) -> Answer:
        """Read, and return what came on a stream."""
        self.read()
        return self.answers[number]

    def _take(self, event: Event) -> None:
        if isinstance(event, ConnectionTerminated):
            self.goaways.append((int(event.error_code or 0), event.last_stream_id))
            return
        answer = self.answers.get(getattr(event, "stream_id", 0) or 0)
        if answer is None:
            return
        if isinstance(event, InformationalResponseReceived):
            answer.interim.append(dict(_fields(event.headers))[b":status"])
        elif isinstance(event, ResponseReceived):
            answer.fields = _fields(event.headers)
            answer.alone = event.stream_ended is not None
        elif isinstance(event, DataReceived):
            answer.body += event.data or b""
            if self.reads and event.flow_controlled_length:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id or 0)
        elif isinstance(event, TrailersReceived):
            answer.trailers = _fields(event.headers)
        elif isinstance(event, StreamEnded):
            answer.ended = True
        elif isinstance(event, StreamReset):
            answer.code = int(event.error_code or 0)


def _fields(headers: object) -> list[Field]:
    assert isinstance(headers, list)
    return [(bytes(name), bytes(value)) for name, value in headers]
