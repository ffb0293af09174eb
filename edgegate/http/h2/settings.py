# Compiled: every connection of HTTP/2 has one.
"""What a peer has set (RFC 9113 section 6.5.2, RFC 8441 section 3)."""

from __future__ import annotations

from typing import Final

from edgegate.http.h2.errors import ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR, PROTOCOL_ERROR, ConnectionFailed
from edgegate.http.h2.flow import DEFAULT_WINDOW, MOST_WINDOW
from edgegate.http.h2.frames import (
    ENABLE_CONNECT_PROTOCOL,
    ENABLE_PUSH,
    FRAME_BYTES,
    HEADER_TABLE_SIZE,
    INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS,
    MAX_FRAME_SIZE,
    MAX_HEADER_LIST_SIZE,
    Setting,
)
from edgegate.http.h2.hpack import TABLE_BYTES

STREAMS: Final = 100
"""Streams of one connection at a time: ours for clients, and what is taken for a backend's until it says another."""

_MOST: Final = 64
"""In one frame."""


class PeerSettings:
    """
    All that the peer has set.

    @ivar streams: Streams that it takes at a time.
    @ivar window: Bytes that it has room for of each new stream.
    @ivar frame_bytes: Of a frame that it takes.
    @ivar list_bytes: Of a list of fields that it takes; -1: it does not say.
    @ivar extended_connect: Whether it takes extended CONNECT.
    @ivar small_table: Whether its table was ever smaller than it is taken for: then a block has to say so once.
    """

    __slots__ = ("extended_connect", "frame_bytes", "list_bytes", "small_table", "streams", "window")

    def __init__(self) -> None:
        self.streams = STREAMS
        self.window = DEFAULT_WINDOW
        self.frame_bytes = FRAME_BYTES
        self.list_bytes = -1
        self.extended_connect = self.small_table = False

    def change(self, settings: list[Setting], by_client: bool) -> None:
        """
        Settings came.

        @raise ConnectionFailed: One of them is out of its range, or there are more than anybody needs.
        """
        if len(settings) > _MOST:
            raise ConnectionFailed(ENHANCE_YOUR_CALM, "too many settings at once")
        for name, value in settings:
            if name == INITIAL_WINDOW_SIZE:
                if value > MOST_WINDOW:
                    raise ConnectionFailed(FLOW_CONTROL_ERROR, "a window too large")
                self.window = value
            elif name == HEADER_TABLE_SIZE:
                self.small_table = self.small_table or value < TABLE_BYTES
            elif name == ENABLE_PUSH:
                _check(value == 0 or (value == 1 and by_client))
            elif name == MAX_CONCURRENT_STREAMS:
                self.streams = value
            elif name == MAX_FRAME_SIZE:
                _check(FRAME_BYTES <= value < 1 << 24)
                self.frame_bytes = value
            elif name == MAX_HEADER_LIST_SIZE:
                self.list_bytes = value
            elif name == ENABLE_CONNECT_PROTOCOL:
                _check(value == 1 or (value == 0 and not self.extended_connect))
                self.extended_connect = value == 1


def _check(right: bool) -> None:
    if not right:
        raise ConnectionFailed(PROTOCOL_ERROR, "a setting out of its range")
