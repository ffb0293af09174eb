"""The second part, of how a connection begins and what its streams go through: RFC 9113 sections 3 to 5."""

from __future__ import annotations

from edgegate.http.h2.errors import (
    CANCEL,
    COMPRESSION_ERROR,
    FRAME_SIZE_ERROR,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    STREAM_CLOSED,
)
from edgegate.http.h2.frames import (
    END_HEADERS,
    INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS,
    PING,
)
from tests.acceptance.conformance.exchange import (
    GOAWAY,
    Awaited,
    Case,
    Event,
    answered,
    case,
    closed,
    connection_error,
    ended,
    first_settings,
    ponged,
    stream_error,
)
from tests.http.h2.messages import (
    block,
    continuation,
    data,
    dummies,
    frame,
    greeting,
    headers,
    ping,
    priority,
    request,
    reset,
    settings,
    window_update,
    with_priority,
)

UNKNOWN = frame(0x16, 0, 0, bytes(8))
"""A frame of a kind that nobody knows."""


def cases(scheme: str) -> list[Case]:
    """Return the cases."""
    get = block(request(scheme))
    post = headers(1, block(request(scheme, "POST")), END_HEADERS)
    return [*_frames(scheme, get, post), *_states(get), *_streams(get), *_errors(get)]


def _frames(scheme: str, get: bytes, post: bytes) -> list[Case]:
    large = block([*request(scheme), *dummies(5)])
    begun = headers(1, get, 0)
    more = continuation(1, block(dummies(1)))
    return [
        case("3.4", "the preface", greeting((INITIAL_WINDOW_SIZE, 65535)), first_settings(), greets=False),
        case("3.4", "no preface", b"INVALID CONNECTION PREFACE\r\n\r\n", closed(), greets=False),
        case("4.1", "a frame of an unknown kind", UNKNOWN + ping(), ponged()),
        case("4.1", "flags that have no meaning", ping(flags=0x16), ponged()),
        case("4.1", "the reserved bit", frame(PING, 0x16, 1 << 31, bytes(8)), ponged()),
        case("4.2", "DATA of 2^14 bytes", post + data(1, b"x" * 16384), answered()),
        case("4.2", "DATA too large", post + data(1, b"x" * 16385), stream_error(FRAME_SIZE_ERROR)),
        case("4.2", "HEADERS too large", headers(1, large), connection_error(FRAME_SIZE_ERROR)),
        case("4.3", "a field cut short", headers(1, b"\x40"), connection_error(COMPRESSION_ERROR)),
        case("4.3", "PRIORITY inside a block", begun + priority(1) + more, connection_error(PROTOCOL_ERROR)),
        case("4.3", "HEADERS inside a block", begun + headers(3, get) + more, connection_error(PROTOCOL_ERROR)),
    ]


def _states(get: bytes) -> list[Case]:
    body = data(1, b"test")
    again = continuation(1, block(dummies(1)))
    late = headers(1, get, END_HEADERS) + reset(1, CANCEL)
    either = (STREAM_CLOSED, PROTOCOL_ERROR)
    return [
        case("5.1", "idle: DATA", body, connection_error(PROTOCOL_ERROR)),
        case("5.1", "idle: RST_STREAM", reset(1, CANCEL), connection_error(PROTOCOL_ERROR)),
        case("5.1", "idle: WINDOW_UPDATE", window_update(1, 100), connection_error(PROTOCOL_ERROR)),
        case("5.1", "idle: CONTINUATION", continuation(1, get), connection_error(PROTOCOL_ERROR)),
        case("5.1", "half-closed: DATA", headers(1, get) + body, stream_error(STREAM_CLOSED)),
        case("5.1", "half-closed: HEADERS", headers(1, get) * 2, stream_error(STREAM_CLOSED)),
        case("5.1", "half-closed: CONTINUATION", headers(1, get) + continuation(1, get), stream_error(*either)),
        case("5.1", "closed by RST_STREAM: DATA", late + body, stream_error(STREAM_CLOSED)),
        case("5.1", "closed by RST_STREAM: HEADERS", late + headers(1, get), stream_error(STREAM_CLOSED)),
        case("5.1", "closed by RST_STREAM: CONTINUATION", late + again, stream_error(*either)),
        case("5.1", "closed: DATA", headers(1, get), ended(), body, connection_error(STREAM_CLOSED)),
        case("5.1", "closed: HEADERS", headers(1, get), ended(), headers(1, get), connection_error(STREAM_CLOSED)),
        case("5.1", "closed: CONTINUATION", headers(1, get), ended(), again, connection_error(*either)),
    ]


def _streams(get: bytes) -> list[Case]:
    def too_many(its: dict[int, int]) -> bytes:
        # no window, so none of them comes to its end
        numbers = range(1, 2 * its.get(MAX_CONCURRENT_STREAMS, 1000) + 2, 2)
        return settings((INITIAL_WINDOW_SIZE, 0)) + b"".join(headers(number, get) for number in numbers)

    lower = headers(5, get) + headers(3, get)
    return [
        case("5.1.1", "an even number", headers(2, get), connection_error(PROTOCOL_ERROR)),
        case("5.1.1", "a number lower than the last", lower, connection_error(PROTOCOL_ERROR)),
        case("5.1.2", "more streams than are allowed", too_many, stream_error(PROTOCOL_ERROR, REFUSED_STREAM)),
        case("5.3.1", "HEADERS that depend on themselves", with_priority(1, get, 1), stream_error(PROTOCOL_ERROR)),
        case("5.3.1", "PRIORITY of itself", priority(1, 1), stream_error(PROTOCOL_ERROR)),
    ]


def _errors(get: bytes) -> list[Case]:
    wrong = frame(PING, 0, 3, bytes(8))
    said = Awaited("GOAWAY", _leaves)
    return [
        case("5.4.1", "PING of a stream ends the connection", wrong, closed()),
        case("5.4.1", "PING of a stream: that is said", wrong, said),
        case("5.5", "an extension's frame", UNKNOWN + ping(), ponged()),
        case(
            "5.5", "an extension's frame inside a block", headers(1, get, 1) + UNKNOWN, connection_error(PROTOCOL_ERROR)
        ),
    ]


def _leaves(event: Event) -> bool:
    return event.kind == GOAWAY and event.code == PROTOCOL_ERROR
