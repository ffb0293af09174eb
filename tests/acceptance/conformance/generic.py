"""The first part: what every server takes."""

from __future__ import annotations

from edgegate.http.h2.errors import CANCEL
from edgegate.http.h2.frames import (
    DATA,
    ENABLE_PUSH,
    END_HEADERS,
    END_STREAM,
    HEADER_TABLE_SIZE,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS,
    MAX_FRAME_SIZE,
    MAX_HEADER_LIST_SIZE,
)
from tests.acceptance.conformance.exchange import (
    Case,
    answered,
    body,
    case,
    closed,
    ended,
    first_settings,
    ponged,
    settled,
)
from tests.http.h2.messages import (
    block,
    continuation,
    data,
    goaway,
    greeting,
    headers,
    padded,
    ping,
    priority,
    request,
    reset,
    settings,
    window_update,
    with_priority,
)

_AGENT = b"user-agent"
_AGENT_CODED = b"\xb5\x05\xb1\x61\xcc\x5a\x93"
_TEST = b"x-test"
_TEST_CODED = b"\xf2\xb2\x4a\x84\xff"
_VALUE = b"h2spec"
_VALUE_CODED = b"\x9c\x48\xac\xa4"


def cases(scheme: str) -> list[Case]:
    """Return the cases."""
    get = block(request(scheme))
    post = headers(1, block(request(scheme, "POST")), END_HEADERS)
    return [*_streams(get), *_frames(get, post), *_messages(scheme, get, post), *_fields(get)]


def _streams(get: bytes) -> list[Case]:
    held = settings((INITIAL_WINDOW_SIZE, 0)) + headers(1, get)
    some = body()
    return [
        case("3.4", "begin", greeting((INITIAL_WINDOW_SIZE, 65535)), first_settings(), greets=False),
        case("5.1", "PRIORITY, idle", priority(1) + ping(), ponged()),
        case("5.1", "WINDOW_UPDATE, half-closed", held + window_update(1, 1), some),
        case("5.1", "PRIORITY, half-closed", held + priority(1) + window_update(1, 1), some),
        case("5.1", "RST_STREAM, half-closed", headers(1, get) + reset(1, CANCEL) + ping(), ponged()),
        case("5.1", "PRIORITY, closed", headers(1, get), ended(), priority(1) + ping(), ponged()),
    ]


def _frames(get: bytes, post: bytes) -> list[Case]:
    every = (
        (HEADER_TABLE_SIZE, 4096),
        (ENABLE_PUSH, 1),
        (MAX_CONCURRENT_STREAMS, 100),
        (INITIAL_WINDOW_SIZE, 65535),
        (MAX_FRAME_SIZE, 16384),
        (MAX_HEADER_LIST_SIZE, 100),
    )
    begun = headers(1, get[:5], END_STREAM)
    return [
        case("6.1", "DATA", post + data(1, b"test"), answered()),
        case("6.1", "several DATA", post + data(1, b"test", 0) + data(1, b"test"), answered()),
        case("6.1", "DATA with padding", post + padded(DATA, 1, b"test", 6, END_STREAM), answered()),
        case("6.2", "HEADERS", headers(1, get), answered()),
        case("6.2", "HEADERS with padding", padded(HEADERS, 1, get, 8), answered()),
        case("6.2", "HEADERS with a priority", with_priority(1, get, 0), answered()),
        case("6.3", "PRIORITY, weight 1", priority(1, weight=0) + headers(1, get), answered()),
        case("6.3", "PRIORITY, weight 256", priority(1) + headers(1, get), answered()),
        case("6.3", "PRIORITY with a dependency", priority(3, 1, 0) + headers(1, get), answered()),
        case("6.3", "PRIORITY, exclusive", priority(1, 0, 0, True) + headers(1, get), answered()),
        case("6.3", "PRIORITY of an idle stream, then a lower one", priority(3) + headers(1, get), answered()),
        case("6.4", "RST_STREAM", headers(1, get, END_HEADERS) + reset(1, CANCEL) + ping(), ponged()),
        case("6.5", "SETTINGS", settings(*every), settled()),
        case("6.7", "PING", ping(b"payload."), ponged(b"payload.")),
        case("6.8", "GOAWAY", goaway(0, 0, b"words"), closed()),
        case("6.9", "WINDOW_UPDATE of the connection", window_update(0, 1) + ping(), ponged()),
        case("6.9", "WINDOW_UPDATE of a stream", headers(1, get) + window_update(1, 1), answered()),
        case("6.10", "CONTINUATION", begun + continuation(1, get[5:]), answered()),
        case(
            "6.10",
            "several CONTINUATION",
            begun + continuation(1, get[5:10], 0) + continuation(1, get[10:]),
            answered(),
        ),
    ]


def _messages(scheme: str, get: bytes, post: bytes) -> list[Case]:
    announced = headers(1, block([*request(scheme, "POST"), ("trailer", "x-test")]), END_HEADERS)
    trailers = headers(1, block([("x-test", "ok")]))
    return [
        case("8.1", "GET", headers(1, get), answered(1, 200)),
        case("8.1", "HEAD", headers(1, block(request(scheme, "HEAD"))), answered(1, 200)),
        case("8.1", "POST", post + data(1, b"test"), answered(1, 200)),
        case("8.1", "POST with trailers", announced + data(1, b"test", 0) + trailers, answered(1, 200)),
    ]


def _fields(get: bytes) -> list[Case]:
    """RFC 7541 section 6: each representation of a field, behind those of a request."""
    kinds = {b"\x40": "indexed literal", b"\x00": "literal", b"\x10": "never indexed literal"}
    names = {
        "user-agent": _plain(_AGENT) + _plain(_VALUE),
        "user-agent, coded": _coded(_AGENT_CODED) + _coded(_VALUE_CODED),
        "x-test": _plain(_TEST) + _plain(_VALUE),
        "x-test, coded": _coded(_TEST_CODED) + _coded(_VALUE_CODED),
    }
    found = [case("RFC 7541 6.1", "indexed field", headers(1, get + b"\xba"), answered())]
    for sign, kind in kinds.items():
        for name, said in names.items():
            found.append(case("RFC 7541 6.2", f"{kind}: {name}", headers(1, get + sign + said), answered()))
    found += [
        case("RFC 7541 6.3", "size update", headers(1, b"\x20" + get), answered()),
        case("RFC 7541 4.2", "two size updates", headers(1, b"\x20\x3f\xe1\x1f" + get), answered()),
    ]
    return found


def _plain(text: bytes) -> bytes:
    return bytes((len(text),)) + text


def _coded(text: bytes) -> bytes:
    return bytes((0x80 | len(text),)) + text
