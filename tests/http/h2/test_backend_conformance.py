"""
What RFC 9113 and RFC 7541 ask of a client, case by case: a backend says it on a connection with two requests.

What breaks the connection ends both of them with 502, and the next request has
another connection. What breaks the first response ends that alone. What is odd
but right harms nobody. Each case names its section.
"""

from __future__ import annotations

from edgegate.http.h2.errors import (
    CANCEL,
    COMPRESSION_ERROR,
    CONNECT_ERROR,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    HTTP_1_1_REQUIRED,
    INADEQUATE_SECURITY,
    INTERNAL_ERROR,
    NO_ERROR,
    PROTOCOL_ERROR,
)
from edgegate.http.h2.frames import (
    ACK,
    CONTINUATION,
    DATA,
    ENABLE_CONNECT_PROTOCOL,
    ENABLE_PUSH,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADER_TABLE_SIZE,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS,
    MAX_FRAME_SIZE,
    PADDED,
    PING,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    WITH_PRIORITY,
)
from edgegate.model.clusters import HTTPVersion
from tests.http.conversation import Conversation
from tests.http.h2.backend import Backend
from tests.http.h2.messages import (
    EVERY,
    Fields,
    block,
    continuation,
    data,
    frame,
    goaway,
    headers,
    padded,
    ping,
    priority,
    push_promise,
    request,
    reset,
    settings,
    window_update,
    with_priority,
)
from tests.http.h2.recording import frames_of, said
from tests.http.h2.shared_connection import GET, SharedConnectionCase

OK: Fields = [(":status", "200")]
_OK = block(OK)
_GREASE = 0x4B

CONNECTION_ERRORS: dict[str, tuple[bytes, int]] = {
    "4.2 DATA too large": (data(1, bytes(16385)), FRAME_SIZE_ERROR),
    "4.2 an unknown frame too large": (frame(_GREASE, 0, 0, bytes(16385)), FRAME_SIZE_ERROR),
    "4.3 PING inside a block": (headers(1, _OK, 0) + ping(), PROTOCOL_ERROR),
    "4.3 HEADERS inside a block": (headers(1, _OK, 0) + headers(3, _OK), PROTOCOL_ERROR),
    "4.3 CONTINUATION of another stream": (headers(1, _OK, 0) + continuation(3, b""), PROTOCOL_ERROR),
    "5.1 idle: DATA": (data(5, b"x"), PROTOCOL_ERROR),
    "5.1 idle: HEADERS": (headers(5, _OK), PROTOCOL_ERROR),
    "5.1 idle: RST_STREAM": (reset(5, CANCEL), PROTOCOL_ERROR),
    "5.1 idle: WINDOW_UPDATE": (window_update(5, 1), PROTOCOL_ERROR),
    "5.1 idle: CONTINUATION": (continuation(5, _OK), PROTOCOL_ERROR),
    "5.1.1 a stream of its own": (headers(2, _OK), PROTOCOL_ERROR),
    "5.3.1 PRIORITY of itself": (priority(1, 1), PROTOCOL_ERROR),
    "5.3.1 HEADERS that depend on themselves": (with_priority(1, _OK, 1), PROTOCOL_ERROR),
    "5.5 an unknown frame inside a block": (headers(1, _OK, 0) + frame(_GREASE, 0, 1), PROTOCOL_ERROR),
    "6.1 DATA of stream 0": (data(0, b"x"), PROTOCOL_ERROR),
    "6.1 more padding than DATA": (frame(DATA, PADDED, 1, b"\x05abcd"), PROTOCOL_ERROR),
    "6.1 DATA that says no padding": (frame(DATA, PADDED, 1), FRAME_SIZE_ERROR),
    "6.2 HEADERS of stream 0": (headers(0, _OK), PROTOCOL_ERROR),
    "6.2 more padding than HEADERS": (frame(HEADERS, PADDED | END_HEADERS, 1, b"\xff" + _OK), PROTOCOL_ERROR),
    "6.2 too short for a priority": (headers(1, b"\0\0", END_HEADERS | WITH_PRIORITY), FRAME_SIZE_ERROR),
    "6.3 PRIORITY of stream 0": (priority(0), PROTOCOL_ERROR),
    "6.3 PRIORITY of 4 bytes": (frame(PRIORITY, 0, 1, bytes(4)), FRAME_SIZE_ERROR),
    "6.4 RST_STREAM of stream 0": (reset(0, CANCEL), PROTOCOL_ERROR),
    "6.4 RST_STREAM of 3 bytes": (frame(RST_STREAM, 0, 1, bytes(3)), FRAME_SIZE_ERROR),
    "6.5 SETTINGS of a stream": (frame(SETTINGS, 0, 1), PROTOCOL_ERROR),
    "6.5 SETTINGS of 5 bytes": (frame(SETTINGS, 0, 0, bytes(5)), FRAME_SIZE_ERROR),
    "6.5 ACK with a payload": (frame(SETTINGS, ACK, 0, bytes(6)), FRAME_SIZE_ERROR),
    "6.5.2 ENABLE_PUSH of a server": (settings((ENABLE_PUSH, 1)), PROTOCOL_ERROR),
    "6.5.2 ENABLE_PUSH of 2": (settings((ENABLE_PUSH, 2)), PROTOCOL_ERROR),
    "6.5.2 INITIAL_WINDOW_SIZE too large": (settings((INITIAL_WINDOW_SIZE, 1 << 31)), FLOW_CONTROL_ERROR),
    "6.5.2 MAX_FRAME_SIZE too small": (settings((MAX_FRAME_SIZE, 16383)), PROTOCOL_ERROR),
    "6.5.2 MAX_FRAME_SIZE too large": (settings((MAX_FRAME_SIZE, 1 << 24)), PROTOCOL_ERROR),
    "RFC 8441 3 ENABLE_CONNECT_PROTOCOL of 2": (settings((ENABLE_CONNECT_PROTOCOL, 2)), PROTOCOL_ERROR),
    "6.6 PUSH_PROMISE": (push_promise(1, 2, block(request("http"))), PROTOCOL_ERROR),
    "6.7 PING of a stream": (frame(PING, 0, 1, bytes(8)), PROTOCOL_ERROR),
    "6.7 PING of 7 bytes": (frame(PING, 0, 0, bytes(7)), FRAME_SIZE_ERROR),
    "6.8 GOAWAY of a stream": (frame(GOAWAY, 0, 1, bytes(8)), PROTOCOL_ERROR),
    "6.8 GOAWAY of 7 bytes": (frame(GOAWAY, 0, 0, bytes(7)), FRAME_SIZE_ERROR),
    "6.9 WINDOW_UPDATE of 3 bytes": (frame(WINDOW_UPDATE, 0, 0, bytes(3)), FRAME_SIZE_ERROR),
    "6.9 an increment of 0": (window_update(0, 0), PROTOCOL_ERROR),
    "6.9.1 a window too large": (window_update(0, EVERY), FLOW_CONTROL_ERROR),
    "6.10 CONTINUATION alone": (frame(CONTINUATION, END_HEADERS, 1, _OK), PROTOCOL_ERROR),
    "6.10 CONTINUATION of stream 0": (headers(1, _OK, 0) + continuation(0, b""), PROTOCOL_ERROR),
    "RFC 7541 2.3.3 a place that there is not": (headers(1, _OK + b"\xff\x10"), COMPRESSION_ERROR),
    "RFC 7541 4.2 a size update behind a field": (headers(1, _OK + b"\x20"), COMPRESSION_ERROR),
    "RFC 7541 5.1 an integer without an end": (headers(1, _OK + b"\xff" * 20), COMPRESSION_ERROR),
    "RFC 7541 5.2 a value cut short": (headers(1, _OK + b"\x00\x01x\x7fy"), COMPRESSION_ERROR),
    "RFC 7541 5.2 a whole byte of padding": (headers(1, _OK + b"\x00\x01x\x81\xff"), COMPRESSION_ERROR),
    "RFC 7541 6.1 place 0": (headers(1, _OK + b"\x80"), COMPRESSION_ERROR),
    "RFC 7541 6.3 a table too large": (headers(1, b"\x3f\xe2\x1f" + _OK), COMPRESSION_ERROR),
}

BEGINNINGS: dict[str, tuple[bytes, int]] = {
    "3.4 HEADERS": (headers(1, _OK), PROTOCOL_ERROR),
    "3.4 PING": (ping(), PROTOCOL_ERROR),
    "3.4 GOAWAY": (goaway(), PROTOCOL_ERROR),
    "3.4 ACK of SETTINGS": (frame(SETTINGS, ACK, 0), PROTOCOL_ERROR),
    "3.3 a response of HTTP/1.1": (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", FRAME_SIZE_ERROR),
}
"""What a server does not begin with."""

STREAM_ERRORS: dict[str, tuple[bytes, int]] = {
    "6.9 an increment of 0 of a stream": (window_update(1, 0), PROTOCOL_ERROR),
    "6.9.1 a stream's window too large": (window_update(1, EVERY), FLOW_CONTROL_ERROR),
    "8.1 DATA before the head": (data(1, b"x"), PROTOCOL_ERROR),
    "8.1 an interim response that ends": (headers(1, block([(":status", "103")])), PROTOCOL_ERROR),
    "8.6 101": (headers(1, block([(":status", "101")]), END_HEADERS), PROTOCOL_ERROR),
    "10.5.1 a list of fields too large": (
        headers(1, block([*OK, ("x", "y" * 8000)]), 0) + continuation(1, block([("x", "z" * 9000)])),
        ENHANCE_YOUR_CALM,
    ),
    **{
        f"8 {fields}": (headers(1, block(fields)), PROTOCOL_ERROR)
        for fields in (
            [],
            [("x", "y")],
            [("x", "y"), *OK],
            [*OK, *OK],
            [*OK, (":x", "y")],
            [*OK, (":path", "/")],
            *([(":status", value)] for value in ("", "20", "2000", "abc", "099", "+20", " 200", "200 ")),
            *([*OK, (name, "x")] for name in ("", "a b", " a", "a\n", "a\0", "A", "a:b", "ä")),
            *([*OK, ("x", value)] for value in (" a", "a ", "\ta", "a\t", "a\rb", "a\nb", "a\0b")),
            *(
                [*OK, (name, "x")]
                for name in ("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade")
            ),
            *([*OK, ("content-length", value)] for value in ("", "+0", "-1", "0x0", "1,2", "x", "4")),
            [*OK, ("content-length", "0"), ("content-length", "0")],
        )
    },
}
"""What is no response."""

_BEGUN = headers(1, _OK, END_HEADERS)
_SIZED = headers(1, block([*OK, ("content-length", "4")]), END_HEADERS)

CUT_SHORT: dict[str, bytes] = {
    "8.1 trailers without an end": _BEGUN + headers(1, block([("x", "y")]), END_HEADERS),
    "8.1 a second head": _BEGUN + headers(1, _OK, END_HEADERS),
    "8.1 a pseudo field in trailers": _BEGUN + headers(1, _OK),
    "8.2 a name in upper case in trailers": _BEGUN + headers(1, block([("X", "y")])),
    "8.2.2 a field of the connection in trailers": _BEGUN + headers(1, block([("connection", "close")])),
    "8.1.1 more DATA than content-length": _SIZED + data(1, b"12345"),
    "8.1.1 fewer": _SIZED + data(1, b"123"),
    "8.1.1 fewer, with trailers": _SIZED + data(1, b"123", 0) + headers(1, block([("x", "y")])),
    "8.1.1 none": _SIZED + data(1, b""),
}
"""What breaks a response that has begun; all with PROTOCOL_ERROR."""

_DONE = headers(1, _OK)

RIGHT: dict[str, bytes] = {
    "5.1 RST_STREAM, closed": _DONE + reset(1, NO_ERROR),
    "5.1 WINDOW_UPDATE, closed": _DONE + window_update(1, 5),
    "5.1 PRIORITY, closed": _DONE + priority(1),
    "5.1 PRIORITY, idle": priority(5) + _DONE,
    "5.1.1 the reserved bit": headers(1 << 31 | 1, _OK),
    "5.5 unknown frames": b"".join(frame(_GREASE, 0xFF, number, b"x") for number in (0, 1, 2, 5)) + _DONE,
    "5.5 an unknown frame of a closed stream": _DONE + frame(_GREASE, 0, 1),
    "5.5 an unknown frame as large as may be": frame(_GREASE, 0, 0, bytes(16384)) + _DONE,
    "5.5 ALTSVC and ORIGIN": frame(0xA, 0, 0, b"\0\1a") + frame(0xC, 0, 0, b"\0\1a") + _DONE,
    "6.1 padding": _BEGUN + padded(DATA, 1, b"x", 255, END_STREAM),
    "6.1 padding of no bytes": _BEGUN + padded(DATA, 1, b"x", 0, END_STREAM),
    "6.1 nothing but padding": _BEGUN + padded(DATA, 1, b"", 9, END_STREAM),
    "6.2 padding": padded(HEADERS, 1, _OK, 9),
    "6.2 a priority": with_priority(1, _OK, 0),
    "6.5.2 settings that nobody knows": settings((0, 1), (0x0A0A, 7), (0xFFFF, 0)) + _DONE,
    "6.5.2 ENABLE_PUSH of 0": settings((ENABLE_PUSH, 0)) + _DONE,
    "6.5.2 no more streams": settings((MAX_CONCURRENT_STREAMS, 0)) + _DONE + settings((MAX_CONCURRENT_STREAMS, 9)),
    "6.5.2 an empty table": settings((HEADER_TABLE_SIZE, 0)) + _DONE,
    "RFC 9218 2.1 NO_RFC7540_PRIORITIES": settings((0x9, 1)) + _DONE,
    "RFC 9218 7.1 PRIORITY_UPDATE": frame(0x10, 0, 0, b"\0\0\0\1u=1") + _DONE,
    "6.9 the reserved bit of an increment": window_update(0, 1 << 31 | 5) + _DONE,
    "6.10 a head in pieces": headers(1, b"", END_STREAM) + continuation(1, _OK[:1], 0) + continuation(1, _OK[1:]),
    "8.1 trailers": _BEGUN + headers(1, block([("x", "y")])),
    "8.1 an interim response": headers(1, block([(":status", "103")]), END_HEADERS) + _DONE,
    "8.1.1 content-length": _SIZED + data(1, b"12", 0) + data(1, b"34", 0) + data(1, b""),
    "8.2.1 an empty value": headers(1, block([*OK, ("x", "")])),
    "8.3.2 a status that nobody knows": headers(1, block([(":status", "299")])),
    "RFC 7541 4.2 two size updates": headers(1, b"\x20\x3f\xe1\x1f" + _OK),
    "RFC 7541 6.2.3 never indexed": headers(1, _OK + b"\x10\x01x\x01y"),
}
"""What is odd, and a response all the same."""


class ConformanceTests(SharedConnectionCase):
    """Each table above, case by case."""

    def test_connection_errors(self) -> None:
        """What breaks the connection ends it with the code of RFC 9113; both requests are answered by 502."""
        for what, (says, code) in CONNECTION_ERRORS.items():
            self.begin()
            self.stream.deliver(says)
            self.ended(code, what)

    def test_beginnings(self) -> None:
        """So does a backend that does not begin with SETTINGS."""
        for what, (says, code) in BEGINNINGS.items():
            self.talk = Conversation(http=HTTPVersion.HTTP2)
            self.clients = [self.talk.ask(GET)]
            self.stream = self.talk.backend()
            Backend(self.stream, greets=False)
            self.stream.take()
            self.stream.deliver(says)
            self.ended(code, what)

    def test_stream_errors(self) -> None:
        """What is no response is 502 for the one who asked."""
        for what, (says, code) in STREAM_ERRORS.items():
            self.begin()
            self.stream.deliver(says)
            self.assertTrue(self.clients[0].sent.startswith(b"HTTP/1.1 502 "), (what, self.clients[0].sent))
            self.reset_alone(what, code)

    def test_cut_short(self) -> None:
        """A response that breaks when it has begun is cut short for its client, who can see that."""
        for what, says in CUT_SHORT.items():
            self.begin()
            self.stream.deliver(says)
            client = self.clients[0]
            self.assertTrue(client.ended, (what, client.sent))
            self.assertFalse(client.sent.endswith(b"0\r\n\r\n"), what)
            self.assertFalse(client.sent.endswith(b"\r\n\r\n1234"), what)
            self.reset_alone(what, PROTOCOL_ERROR)

    def reset_alone(self, what: str, code: int) -> None:
        """The first stream was reset, and the second goes on."""
        self.assertIn(("RST_STREAM", 1, code), said(frames_of(self.stream.take())), what)
        self.goes_on()

    def test_resets(self) -> None:
        """A reset of any code before the response is an error's answer to the one who asked."""
        for code in (
            NO_ERROR,
            PROTOCOL_ERROR,
            INTERNAL_ERROR,
            CANCEL,
            CONNECT_ERROR,
            ENHANCE_YOUR_CALM,
            INADEQUATE_SECURITY,
            HTTP_1_1_REQUIRED,
            0xFF,
            0xFFFFFFFF,
        ):
            self.begin()
            self.stream.deliver(reset(1, code))
            self.assertRegex(self.clients[0].sent, rb"^HTTP/1.1 50[23] ", hex(code))
            self.goes_on()

    def test_bodiless(self) -> None:
        """A response without a body may say how long it would be."""
        for first, status in ((GET.replace(b"GET", b"HEAD"), "200"), (GET, "304")):
            self.begin(first)
            self.stream.deliver(headers(1, block([(":status", status), ("content-length", "4")])))
            self.assertIn(b"content-length: 4\r\n", self.clients[0].sent.lower())
            self.assertTrue(self.clients[0].sent.startswith(b"HTTP/1.1 " + status.encode()))
            self.goes_on()

    def test_bodies_of_bodiless(self) -> None:
        """It may have none all the same: what comes is no other response's beginning."""
        for first, status in ((GET.replace(b"GET", b"HEAD"), "200"), (GET, "304"), (GET, "204")):
            self.begin(first)
            self.stream.deliver(headers(1, block([(":status", status)]), END_HEADERS) + data(1, b"HTTP/1.1 200"))
            self.assertNotIn(b"HTTP/1.1 200", self.clients[0].sent.removeprefix(b"HTTP/1.1 200"))
            self.reset_alone(status, PROTOCOL_ERROR)

    def test_right(self) -> None:
        """What is odd but right harms nobody."""
        for what, says in RIGHT.items():
            self.begin()
            self.stream.deliver(says)
            self.assertRegex(self.clients[0].sent, rb"HTTP/1.1 2[0-9][0-9] ", what)
            self.assertFalse(self.clients[0].ended, what)
            self.goes_on()
