"""What a peer says: frames and header blocks as bytes, right and wrong ones."""

from __future__ import annotations

import hpack

from edgegate.http.h2.frames import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    WITH_PRIORITY,
)

Fields = list[tuple[str, str]]

AUTHORITY = "a.example"

EVERY = 0x7FFFFFFF
"""The largest number of 31 bits: of a stream, of a window."""


def frame(kind: int, flags: int, number: int, payload: bytes = b"") -> bytes:
    """Return a frame, however wrong it is."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + number.to_bytes(4, "big") + payload


def block(fields: Fields) -> bytes:
    """Return a header block that needs nothing of the table, and leaves something there."""
    return bytes(hpack.Encoder().encode(fields))


def headers(number: int, said: bytes, flags: int = END_HEADERS | END_STREAM) -> bytes:
    """Return HEADERS, by default of a whole message."""
    return frame(HEADERS, flags, number, said)


def continuation(number: int, said: bytes, flags: int = END_HEADERS) -> bytes:
    """Return CONTINUATION, by default the last."""
    return frame(CONTINUATION, flags, number, said)


def data(number: int, body: bytes, flags: int = END_STREAM) -> bytes:
    """Return DATA, by default the last."""
    return frame(DATA, flags, number, body)


def padded(kind: int, number: int, payload: bytes, size: int, flags: int = END_HEADERS | END_STREAM) -> bytes:
    """Return DATA or HEADERS with padding."""
    return frame(kind, flags | PADDED, number, bytes((size,)) + payload + bytes(size))


def with_priority(number: int, said: bytes, parent: int) -> bytes:
    """Return HEADERS of a whole request, which say what its stream depends on."""
    return headers(number, parent.to_bytes(4, "big") + b"\xff" + said, END_HEADERS | END_STREAM | WITH_PRIORITY)


def priority(number: int, parent: int = 0, weight: int = 255, exclusive: bool = False) -> bytes:
    """Return PRIORITY."""
    return frame(PRIORITY, 0, number, (parent | exclusive << 31).to_bytes(4, "big") + bytes((weight,)))


def reset(number: int, code: int) -> bytes:
    """Return RST_STREAM."""
    return frame(RST_STREAM, 0, number, code.to_bytes(4, "big"))


def settings(*values: tuple[int, int]) -> bytes:
    """Return SETTINGS."""
    said = b"".join(name.to_bytes(2, "big") + value.to_bytes(4, "big") for name, value in values)
    return frame(SETTINGS, 0, 0, said)


def push_promise(number: int, promised: int, said: bytes) -> bytes:
    """Return PUSH_PROMISE."""
    return frame(PUSH_PROMISE, END_HEADERS, number, promised.to_bytes(4, "big") + said)


def ping(payload: bytes = bytes(8), flags: int = 0) -> bytes:
    """Return PING."""
    return frame(PING, flags, 0, payload)


def goaway(last: int = 0, code: int = 0, words: bytes = b"") -> bytes:
    """Return GOAWAY."""
    return frame(GOAWAY, 0, 0, last.to_bytes(4, "big") + code.to_bytes(4, "big") + words)


def window_update(number: int, more: int) -> bytes:
    """Return WINDOW_UPDATE."""
    return frame(WINDOW_UPDATE, 0, number, more.to_bytes(4, "big"))


def greeting(*values: tuple[int, int]) -> bytes:
    """Return what a client begins with."""
    return PREFACE + settings(*values)


def request(scheme: str, method: str = "GET", path: str = "/", authority: str = AUTHORITY) -> Fields:
    """Return the fields of a request."""
    return [(":method", method), (":scheme", scheme), (":path", path), (":authority", authority)]


def dummies(count: int) -> Fields:
    """Return fields of 4 KiB each."""
    return [(f"x-dummy{each}", "x" * 4096) for each in range(count)]
