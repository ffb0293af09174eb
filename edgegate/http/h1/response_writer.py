# Hot path: every byte of a response to an HTTP/1 client passes here.
"""
Answers as the bytes of an HTTP/1 connection (RFC 9112 section 6): values in, bytes out, no transport.
"""

from __future__ import annotations

from typing import Final

from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import Field
from edgegate.http.request import RequestHead
from edgegate.http.response import ResponseHead
from edgegate.http.upgrade import upgrade_lines

_BODYLESS: Final = frozenset((101, 204, 304))
_HTTP_1_0: Final = b"HTTP/1.0"
"""What a client of HTTP/1.0 is answered, as by Envoy: of a later version it may know nothing."""

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class ResponseWriter:
    """
    Write the responses of one connection, one after the other.

    @ivar out: What is written and not taken yet.
    @ivar delimited: Whether only the connection's end tells the end of the body.
    """

    __slots__ = ("_bodyless", "_chunked", "delimited", "out")

    def __init__(self) -> None:
        self.out: list[bytes] = []
        self.delimited = self._bodyless = self._chunked = False

    @property
    def framed(self) -> bool:
        """Whether a body is written in other bytes than it comes in, or not at all; or something waits to be taken."""
        return self._chunked or self._bodyless or bool(self.out)

    def take(self) -> bytes:
        """Return everything written so far, in one piece, and forget it."""
        out = self.out
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        return data

    def proceed(self) -> None:
        """Write C{100 Continue} (RFC 9110 section 10.1.1)."""
        self.out.append(_CONTINUE)

    def interim(self, head: ResponseHead) -> None:
        """Write a 1xx response."""
        self.out += (head.h1 or _lines(head), b"\r\n")

    def head(
        self,
        request: RequestHead,
        head: ResponseHead,
        fields: tuple[FieldBlock, ...],
        date: FieldBlock | None,
        keep: bool,
    ) -> bool:
        """
        Write the final response's head, its body framed for this client.

        @param fields: Those of this response alone.
        @param date: For a response without a date of its own.
        @param keep: Whether the connection may be kept.
        @return: Whether it is.
        """
        out = self.out
        lines = head.h1 or _lines(head)
        if request.version == "1.0":
            lines = _HTTP_1_0 + lines[len(_HTTP_1_0) :]
        out.append(lines)
        for each in fields:
            out.append(each.h1)
        if date is not None:
            out.append(date.h1)
        self._chunked = self.delimited = False
        self._bodyless = request.method == b"HEAD" or head.status in _BODYLESS
        if self._bodyless:
            if head.status == 101:
                out += (upgrade_lines(head.upgrade), b"server: edgegate\r\n\r\n")
                return False
        elif head.length is None:
            if request.version == "1.1":
                self._chunked = True
                out.append(b"transfer-encoding: chunked\r\n")
            else:
                self.delimited = True
                keep = False
        if not keep:
            out.append(b"connection: close\r\nserver: edgegate\r\n\r\n")
        elif request.version == "1.0":
            out.append(b"connection: keep-alive\r\nserver: edgegate\r\n\r\n")
        else:
            out.append(b"server: edgegate\r\n\r\n")
        return keep

    def body(self, data: bytes) -> None:
        """Write a piece of the body; HEAD, 204 and 304 have none."""
        if self._bodyless:
            return
        if self._chunked:
            self.out += (b"%x\r\n" % len(data), data, b"\r\n")
        else:
            self.out.append(data)

    def end(self, trailers: list[Field]) -> None:
        """Write the end of the body."""
        if not self._chunked:
            return
        out = self.out
        if trailers:
            out.append(b"0\r\n")
            for name, value in trailers:
                out += (name, b": ", value, b"\r\n")
            out.append(b"\r\n")
        else:
            out.append(b"0\r\n\r\n")


def _lines(head: ResponseHead) -> bytes:
    """Make the status line and the field lines of a head, the body's length among them; they are kept with it."""
    parts = [b"HTTP/1.1 %d %b\r\n" % (head.status, head.reason)]
    if head.lines is not None:
        parts += head.lines
    else:
        for name, value in head.fields:
            parts += (name, b": ", value, b"\r\n")
    if head.length is not None and head.status >= 200 and head.status != 204:
        parts.append(b"content-length: %d\r\n" % head.length)
    head.h1 = lines = b"".join(parts)
    return lines
