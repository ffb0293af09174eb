"""Both ends of HTTP/2 that write down what they are told, and the frames that a peer may say to them."""

from __future__ import annotations

import hpack
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from edgegate.errors import Fault
from edgegate.http.fields import Field
from edgegate.http.h1.head_parser import METHODS
from edgegate.http.h2.client import ClientConnection, ClientStream
from edgegate.http.h2.connection import Connection
from edgegate.http.h2.frames import PREFACE
from edgegate.http.h2.hpack import block_of
from edgegate.http.h2.request_heads import RequestHeads
from edgegate.http.h2.server import ServerConnection, ServerStream
from edgegate.http.h2.settings import STREAMS
from edgegate.http.request import RequestHead
from edgegate.http.response import ResponseHead

REQUEST: list[Field] = [
    (b":method", b"GET"),
    (b":scheme", b"https"),
    (b":authority", b"a.example"),
    (b":path", b"/"),
]
UPLOAD: list[Field] = [(b":method", b"POST"), *REQUEST[1:]]
OK = block_of([(b":status", b"200")])

Event = tuple[object, ...]


class Clock:
    """Stands still."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


class RecordedRequest(ServerStream):
    """
    Writes down what it is told; the body is consumed at once unless it is held.

    @ivar events: What was told.
    """

    def __init__(self, connection: RecordedServer, number: int) -> None:
        super().__init__(connection, number)
        self.server = connection
        self.events: list[Event] = []
        self.head: RequestHead | None = None
        self.fault: Fault | None = None

    def request_received(self, head: RequestHead) -> None:
        self.head = head
        self.events.append(("head",))
        if self.whole:
            self._answer()

    def request_refused(self, fault: Fault) -> None:
        self.fault = fault
        self.events.append(("refused", fault))
        if self.server.answers:
            self.server.send_head(self, block_of([(b":status", b"%d" % fault.status)]), True)

    def body_received(self, data: bytes) -> None:
        self.events.append(("body", data))
        if not self.server.holds:
            self.server.consumed(self, len(data))

    def message_ended(self, trailers: list[Field]) -> None:
        self.events.append(("end", trailers))
        self._answer()

    def _answer(self) -> None:
        if self.server.answers:
            self.server.send_head(self, OK, False, len(self.server.answers))
            self.server.send_data(self, self.server.answers)

    def stream_reset(self, code: int, processed: bool) -> None:
        self.events.append(("reset", code))

    def stream_closed(self) -> None:
        self.events.append(("closed",))

    def send_room(self) -> None:
        self.events.append(("room",))

    @property
    def body(self) -> bytes:
        """All of the body that came."""
        return b"".join(event[1] for event in self.events if event[0] == "body" and isinstance(event[1], bytes))


class RecordedServer(ServerConnection):
    """
    A client's connection.

    @ivar began: Its streams, in the order in which they began.
    @ivar answers: What each whole request is answered with; empty: with nothing.
    @ivar holds: Whether bodies are not consumed.
    """

    def __init__(self, answers: bytes = b"", holds: bool = False, extended_connect: bool = True) -> None:
        self.clock = Clock()
        super().__init__(RequestHeads(METHODS), self.clock, extended_connect)
        self.answers = answers
        self.holds = holds
        self.began: list[RecordedRequest] = []
        self.pings: list[bytes] = []

    def begin(self, number: int) -> RecordedRequest:
        stream = RecordedRequest(self, number)
        self.began.append(stream)
        return stream

    def ping_acknowledged(self, payload: bytes) -> None:
        self.pings.append(payload)

    def take(self) -> bytes:
        """A turn is over: begin what waited for room, as its owner would."""
        if self.held_back:
            self.begin_held(STREAMS)
        return super().take()


class RecordedResponse(ClientStream):
    """Writes down what it is told, and consumes the body."""

    def __init__(self, connection: RecordedClient, bodiless: bool = False) -> None:
        super().__init__(connection, bodiless)
        self.client = connection
        self.events: list[Event] = []
        self.head: ResponseHead | None = None

    def interim_received(self, head: ResponseHead) -> None:
        self.events.append(("interim", head.status))

    def response_received(self, head: ResponseHead) -> None:
        self.head = head
        self.events.append(("head", head.status))

    def body_received(self, data: bytes) -> None:
        self.events.append(("body", data))
        self.client.consumed(self, len(data))

    def message_ended(self, trailers: list[Field]) -> None:
        self.events.append(("end", trailers))

    def stream_reset(self, code: int, processed: bool) -> None:
        self.events.append(("reset", code, processed))

    def stream_closed(self) -> None:
        self.events.append(("closed",))

    def send_room(self) -> None:
        self.events.append(("room",))


class RecordedClient(ClientConnection):
    """A connection to a backend."""

    def __init__(self) -> None:
        super().__init__(Clock())

    def get(self, bodiless: bool = False) -> RecordedResponse:
        """Ask for something."""
        stream = RecordedResponse(self, bodiless)
        self.ask(stream, block_of(REQUEST), True)
        return stream

    def post(self, length: int = -1) -> RecordedResponse:
        """Begin an upload."""
        stream = RecordedResponse(self)
        self.ask(stream, block_of(UPLOAD), False, length)
        return stream


class Peer:
    """Says frames to a connection, and reads what it writes."""

    def __init__(self, connection: Connection, start: bytes = PREFACE) -> None:
        self.connection = connection
        self.encoder = hpack.Encoder()
        self.decoder = hpack.Decoder()
        self.say(start + SettingsFrame(0).serialize())

    def say(self, data: bytes) -> list[Frame]:
        """Say bytes, and return the frames that are written for them."""
        self.connection.receive(data)
        return self.frames()

    def frames(self) -> list[Frame]:
        """Return the frames that were written."""
        return frames_of(self.connection.take())

    def tell(self, *frames: Frame) -> list[Frame]:
        """Say frames."""
        return self.say(b"".join(frame.serialize() for frame in frames))

    def block(self, fields: list[Field]) -> bytes:
        """Encode fields with a table."""
        return bytes(self.encoder.encode(fields))

    def headers(self, number: int, fields: list[Field], ends: bool = True) -> list[Frame]:
        """Say HEADERS."""
        return self.tell(headers(number, self.block(fields), ends))


def frames_of(data: bytes) -> list[Frame]:
    """Return the frames in bytes."""
    data = data.removeprefix(PREFACE)
    found = []
    while data:
        frame, length = Frame.parse_frame_header(memoryview(data[:9]))
        frame.parse_body(memoryview(data[9 : 9 + length]))
        found.append(frame)
        data = data[9 + length :]
    return found


def headers(number: int, block: bytes, ends: bool = True, whole: bool = True) -> HeadersFrame:
    """Return HEADERS."""
    frame = HeadersFrame(number, block)
    if ends:
        frame.flags.add("END_STREAM")
    if whole:
        frame.flags.add("END_HEADERS")
    return frame


def continuation(number: int, block: bytes, whole: bool = True) -> ContinuationFrame:
    """Return CONTINUATION."""
    frame = ContinuationFrame(number, block)
    if whole:
        frame.flags.add("END_HEADERS")
    return frame


def data(number: int, body: bytes, ends: bool = False, padding: int | None = None) -> DataFrame:
    """Return DATA."""
    frame = DataFrame(number, body)
    if ends:
        frame.flags.add("END_STREAM")
    if padding is not None:
        frame.flags.add("PADDED")
        frame.pad_length = padding
    return frame


def reset(number: int, code: int = 8) -> RstStreamFrame:
    """Return RST_STREAM."""
    frame = RstStreamFrame(number)
    frame.error_code = code
    return frame


def ping(acknowledges: bool = False) -> PingFrame:
    """Return PING."""
    frame = PingFrame(0, b"12345678")
    if acknowledges:
        frame.flags.add("ACK")
    return frame


def window_update(number: int, more: int) -> WindowUpdateFrame:
    """Return WINDOW_UPDATE."""
    frame = WindowUpdateFrame(number)
    frame.window_increment = more
    return frame


def settings(values: dict[int, int]) -> SettingsFrame:
    """Return SETTINGS."""
    return SettingsFrame(0, values)


def goaway(last: int, code: int = 0) -> GoAwayFrame:
    """Return GOAWAY."""
    frame = GoAwayFrame(0)
    frame.last_stream_id, frame.error_code = last, code
    return frame


def said(frames: list[Frame]) -> list[tuple[object, ...]]:
    """Return what frames say, short: their kind, stream and what else matters."""
    return [_short(frame) for frame in frames]


def _short(frame: Frame) -> tuple[object, ...]:
    if isinstance(frame, GoAwayFrame):
        return "GOAWAY", frame.last_stream_id, frame.error_code
    if isinstance(frame, RstStreamFrame):
        return "RST_STREAM", frame.stream_id, frame.error_code
    if isinstance(frame, DataFrame):
        return "DATA", frame.stream_id, len(frame.data), "END_STREAM" in frame.flags
    if isinstance(frame, HeadersFrame):
        return "HEADERS", frame.stream_id, "END_STREAM" in frame.flags
    if isinstance(frame, WindowUpdateFrame):
        return "WINDOW_UPDATE", frame.stream_id, frame.window_increment
    return type(frame).__name__, frame.stream_id, "ACK" in frame.flags
