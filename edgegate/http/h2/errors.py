# Compiled: what is hot in HTTP/2 raises these.
"""
What ends a connection or a stream of HTTP/2: the codes of RFC 9113 section 7, and what is raised inside the layer.

Nothing here leaves the layer: a connection makes GOAWAY or RST_STREAM of it.
"""

from __future__ import annotations

from typing import Final

NO_ERROR: Final = 0x0
PROTOCOL_ERROR: Final = 0x1
INTERNAL_ERROR: Final = 0x2
FLOW_CONTROL_ERROR: Final = 0x3
SETTINGS_TIMEOUT: Final = 0x4
STREAM_CLOSED: Final = 0x5
FRAME_SIZE_ERROR: Final = 0x6
REFUSED_STREAM: Final = 0x7
CANCEL: Final = 0x8
COMPRESSION_ERROR: Final = 0x9
CONNECT_ERROR: Final = 0xA
ENHANCE_YOUR_CALM: Final = 0xB
INADEQUATE_SECURITY: Final = 0xC
HTTP_1_1_REQUIRED: Final = 0xD


class ConnectionFailed(Exception):
    """
    The connection ends with GOAWAY (RFC 9113 section 5.4.1).

    @ivar code: The error code that it carries.
    @ivar reason: A constant phrase for the log.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Malformed(Exception):
    """A message breaks the rules of RFC 9113 section 8: its stream ends with PROTOCOL_ERROR, no other does."""
