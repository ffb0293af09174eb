# Hot path: every frame of HTTP/2 that is sent passes here.
"""What frames are made of (RFC 9113 sections 4 and 6), and the bytes of those that are sent."""

from __future__ import annotations

from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client begins with (RFC 9113 section 3.4)."""

FRAME_BYTES: Final = 16384
"""Of a frame without its header: the least that every peer takes, and the most that is taken here."""

# Kinds of frames (RFC 9113 section 6).
DATA: Final = 0x0
HEADERS: Final = 0x1
PRIORITY: Final = 0x2
RST_STREAM: Final = 0x3
SETTINGS: Final = 0x4
PUSH_PROMISE: Final = 0x5
PING: Final = 0x6
GOAWAY: Final = 0x7
WINDOW_UPDATE: Final = 0x8
CONTINUATION: Final = 0x9

# Their flags.
ACK: Final = 0x1
END_STREAM: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
WITH_PRIORITY: Final = 0x20

# Settings (RFC 9113 section 6.5.2, RFC 8441 section 3).
HEADER_TABLE_SIZE: Final = 0x1
ENABLE_PUSH: Final = 0x2
MAX_CONCURRENT_STREAMS: Final = 0x3
INITIAL_WINDOW_SIZE: Final = 0x4
MAX_FRAME_SIZE: Final = 0x5
MAX_HEADER_LIST_SIZE: Final = 0x6
ENABLE_CONNECT_PROTOCOL: Final = 0x8

Setting = tuple[int, int]
"""The number of a setting and its value."""


def frame(kind: int, flags: int, number: int, payload: bytes) -> bytes:
    """Return one frame, where it need not be fast."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + number.to_bytes(4, "big") + payload


def header_frames(number: int, block: bytes, ends: bool, most: int = FRAME_BYTES) -> bytes:
    """
    Return the frames of a header block.

    @param most: Bytes of a frame that the peer takes.
    """
    size = len(block)
    flags = END_STREAM if ends else 0
    if size <= most:
        return b"".join(
            ((size << 16 | 0x100 | END_HEADERS | flags).to_bytes(5, "big"), number.to_bytes(4, "big"), block)
        )
    parts = [frame(HEADERS, flags, number, block[:most])]
    for at in range(most, size, most):
        parts.append(frame(CONTINUATION, END_HEADERS if at + most >= size else 0, number, block[at : at + most]))
    return b"".join(parts)


def data_start(size: int, ends: bool) -> bytes:
    """Return the first five bytes of a DATA frame; the four of its stream's number follow."""
    return (size << 16 | (END_STREAM if ends else 0)).to_bytes(5, "big")


def settings_frame(settings: list[Setting]) -> bytes:
    """Return a SETTINGS frame."""
    payload = b"".join([number.to_bytes(2, "big") + value.to_bytes(4, "big") for number, value in settings])
    return frame(SETTINGS, 0, 0, payload)


SETTINGS_ACK: Final = frame(SETTINGS, ACK, 0, b"")


def ping_frame(payload: bytes, acknowledges: bool = False) -> bytes:
    """Return a PING of 8 bytes, or the answer to one."""
    return frame(PING, ACK if acknowledges else 0, 0, payload)


def window_update_frame(number: int, more: int) -> bytes:
    """Return a WINDOW_UPDATE."""
    return frame(WINDOW_UPDATE, 0, number, more.to_bytes(4, "big"))


def reset_frame(number: int, code: int) -> bytes:
    """Return a RST_STREAM."""
    return frame(RST_STREAM, 0, number, code.to_bytes(4, "big"))


def goaway_frame(last: int, code: int) -> bytes:
    """Return a GOAWAY without a word of debugging."""
    return frame(GOAWAY, 0, 0, last.to_bytes(4, "big") + code.to_bytes(4, "big"))
