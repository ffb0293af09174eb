"""The second part, of each kind of frame, and of error codes: RFC 9113 sections 6 and 7."""

from __future__ import annotations

from edgegate.http.h2.errors import (
    CANCEL,
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    PROTOCOL_ERROR,
    STREAM_CLOSED,
)
from edgegate.http.h2.frames import (
    ACK,
    ENABLE_PUSH,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    MAX_FRAME_SIZE,
    PADDED,
    PING,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
)
from tests.acceptance.conformance.exchange import (
    Case,
    answered,
    body,
    case,
    closed,
    connection_error,
    ponged,
    settled,
    stream_error,
)
from tests.http.h2.messages import (
    EVERY,
    block,
    continuation,
    data,
    dummies,
    frame,
    goaway,
    headers,
    ping,
    priority,
    request,
    reset,
    settings,
    window_update,
)

_NO_CODE = 0xFF
"""An error code that nobody knows."""


def cases(scheme: str) -> list[Case]:
    """Return the cases."""
    get = block(request(scheme))
    post = headers(1, block(request(scheme, "POST")), END_HEADERS)
    return [
        *_data_and_headers(scheme, get),
        *_priority_and_reset(get),
        *_settings(get),
        *_ping_and_goaway(),
        *_window_updates(get),
        *_continuation(scheme, get),
        case("7", "GOAWAY with an unknown code", goaway(0, _NO_CODE), closed()),
        case("7", "RST_STREAM with an unknown code", post + reset(1, _NO_CODE) + ping(), ponged()),
    ]


def _data_and_headers(scheme: str, get: bytes) -> list[Case]:
    fields = request(scheme, "POST")
    whole = headers(1, block(fields))
    sized = headers(1, block([*fields, ("content-length", "4")]), END_HEADERS)
    begun = headers(1, get, 0)
    more = continuation(1, block(dummies(1)))
    flags = END_STREAM | END_HEADERS | PADDED
    padding = frame(HEADERS, flags, 1, bytes((len(get) + 2,)) + get)
    return [
        case("6.1", "DATA of stream 0", data(0, b"test"), connection_error(PROTOCOL_ERROR)),
        case("6.1", "DATA of a stream that is not open", whole + data(1, b"test"), stream_error(STREAM_CLOSED)),
        case(
            "6.1",
            "DATA with more padding than there is",
            sized + data(1, b"\x06test", END_STREAM | PADDED),
            connection_error(PROTOCOL_ERROR),
        ),
        case("6.2", "PRIORITY behind a part of a block", begun + priority(1) + more, connection_error(PROTOCOL_ERROR)),
        case(
            "6.2",
            "HEADERS of another stream behind it",
            begun + headers(3, get) + more,
            connection_error(PROTOCOL_ERROR),
        ),
        case("6.2", "HEADERS of stream 0", headers(0, get), connection_error(PROTOCOL_ERROR)),
        case("6.2", "HEADERS with more padding than there is", padding, stream_error(PROTOCOL_ERROR)),
    ]


def _priority_and_reset(get: bytes) -> list[Case]:
    short = frame(PRIORITY, 0, 1, b"\x80\0\0\1")
    return [
        case("6.3", "PRIORITY of stream 0", priority(0), connection_error(PROTOCOL_ERROR)),
        case("6.3", "PRIORITY of 4 bytes", headers(1, get) + short, stream_error(FRAME_SIZE_ERROR)),
        case("6.4", "RST_STREAM of stream 0", reset(0, CANCEL), connection_error(PROTOCOL_ERROR)),
        case("6.4", "RST_STREAM of an idle stream", reset(1, CANCEL), connection_error(PROTOCOL_ERROR)),
        case(
            "6.4",
            "RST_STREAM of 3 bytes",
            headers(1, get) + frame(RST_STREAM, 0, 1, bytes(3)),
            stream_error(FRAME_SIZE_ERROR),
        ),
    ]


def _settings(get: bytes) -> list[Case]:
    def wrong(text: str, name: int, value: int, code: int = PROTOCOL_ERROR) -> Case:
        return case("6.5.2", text, settings((name, value)), connection_error(code))

    of_stream = frame(SETTINGS, 0, 1, b"\0\3\0\0\0\x64")
    small = settings((INITIAL_WINDOW_SIZE, 100), (INITIAL_WINDOW_SIZE, 1))
    return [
        case("6.5", "ACK with a payload", frame(SETTINGS, ACK, 0, b"\0"), connection_error(FRAME_SIZE_ERROR)),
        case("6.5", "SETTINGS of a stream", of_stream, connection_error(PROTOCOL_ERROR)),
        case(
            "6.5",
            "SETTINGS of 8 bytes",
            frame(SETTINGS, 0, 0, b"\0\3\0\0\0\x64\0\2"),
            stream_error(PROTOCOL_ERROR, FRAME_SIZE_ERROR),
        ),
        wrong("ENABLE_PUSH neither 0 nor 1", ENABLE_PUSH, 2),
        wrong("INITIAL_WINDOW_SIZE too large", INITIAL_WINDOW_SIZE, 1 << 31, FLOW_CONTROL_ERROR),
        wrong("MAX_FRAME_SIZE too small", MAX_FRAME_SIZE, 16383),
        wrong("MAX_FRAME_SIZE too large", MAX_FRAME_SIZE, 1 << 24),
        case("6.5.2", "an unknown setting", settings((0xFF, 1)) + ping(), ponged()),
        case("6.5.3", "a setting twice: the last holds", small, settled(), headers(1, get), body(1, 1)),
        case("6.5.3", "SETTINGS are acknowledged", settings((ENABLE_PUSH, 0)), settled()),
    ]


def _ping_and_goaway() -> list[Case]:
    acks = ping(b"invalid.", ACK) + ping(b"payload.")
    return [
        case("6.7", "PING", ping(b"payload."), ponged(b"payload.")),
        case("6.7", "PING with ACK is not answered", acks, ponged(b"payload.")),
        case("6.7", "PING of a stream", frame(PING, 0, 1, bytes(8)), connection_error(PROTOCOL_ERROR)),
        case("6.7", "PING of 6 bytes", frame(PING, 0, 0, bytes(6)), connection_error(FRAME_SIZE_ERROR)),
        case("6.8", "GOAWAY of a stream", frame(GOAWAY, 0, 1, bytes(8)), connection_error(PROTOCOL_ERROR)),
    ]


def _window_updates(get: bytes) -> list[Case]:
    open_ = headers(1, get, END_HEADERS)

    def window(size: int) -> bytes:
        return settings((INITIAL_WINDOW_SIZE, size))

    return [
        case("6.9", "an increment of 0", window_update(0, 0), connection_error(PROTOCOL_ERROR)),
        case("6.9", "an increment of 0 of a stream", open_ + window_update(1, 0), stream_error(PROTOCOL_ERROR)),
        case(
            "6.9",
            "WINDOW_UPDATE of 3 bytes",
            frame(WINDOW_UPDATE, 0, 0, b"\0\0\1"),
            connection_error(FRAME_SIZE_ERROR),
        ),
        case("6.9.1", "a window of 1", window(1), settled(), headers(1, get), body(1, 1)),
        case("6.9.1", "a window too large", window_update(0, EVERY) * 2, connection_error(FLOW_CONTROL_ERROR)),
        case(
            "6.9.1",
            "a stream's window too large",
            open_ + window_update(1, EVERY) * 2,
            stream_error(FLOW_CONTROL_ERROR),
        ),
        case(
            "6.9.2",
            "INITIAL_WINDOW_SIZE changes open streams",
            window(0),
            settled(),
            headers(1, get) + window(1),
            settled(),
            body(1, 1),
        ),
        case(
            "6.9.2",
            "a window below 0",
            window(3),
            settled(),
            headers(1, get),
            body(1, 3),
            window(2),
            settled(),
            window_update(1, 2),
            body(1, 1),
        ),
        case("6.9.2", "INITIAL_WINDOW_SIZE of 2^31", window(1 << 31), connection_error(FLOW_CONTROL_ERROR)),
    ]


def _continuation(scheme: str, get: bytes) -> list[Case]:
    begun = headers(1, get, END_STREAM)
    upload = headers(1, block(request(scheme, "POST")), 0)
    more = block(dummies(1))
    last = continuation(1, more)
    wrong = connection_error(PROTOCOL_ERROR)
    return [
        case("6.10", "several CONTINUATION", begun + continuation(1, more, 0) + last, answered()),
        case("6.10", "DATA inside a block", upload + continuation(1, more, 0) + data(1, b"test"), wrong),
        case("6.10", "CONTINUATION of stream 0", begun + continuation(0, more), wrong),
        case("6.10", "CONTINUATION behind whole HEADERS", headers(1, get) + last, wrong),
        case("6.10", "CONTINUATION behind the last", begun + last + last, wrong),
        case("6.10", "CONTINUATION behind DATA", upload + data(1, b"test") + continuation(1, more, 0), wrong),
    ]
