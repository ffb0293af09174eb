# Hot path: every byte of gRPC-Web's bodies passes here.
"""
gRPC-Web, the gRPC of browsers, as gRPC for the backend (U{https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md}).

What differs is how the end of a response is told, behind its last message in the body, and that bodies may be in
base64. The answers are those of Envoy's C{grpc_web} filter.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from typing import Final

from edgegate.errors import GRPC_WEB_CUT, GRPC_WEB_TEXT, grpc_status_for
from edgegate.http.body_filter import NO_FIELDS, ResponseRest
from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import UNKNOWN_LENGTH, Field
from edgegate.http.grpc import grpc_fields
from edgegate.http.grpc_messages import MessageCounts
from edgegate.http.request import RequestHead, RequestRefused
from edgegate.http.response import ResponseHead

_TEXT: Final = frozenset((b"application/grpc-web-text", b"application/grpc-web-text+proto"))
_KINDS: Final = _TEXT | {b"application/grpc-web", b"application/grpc-web+proto"}
_BINARY_RESPONSE: Final = b"application/grpc-web+proto"
_TEXT_RESPONSE: Final = b"application/grpc-web-text+proto"

_TRAILERS: Final = 0x80
"""The flag of what stands behind the last message."""

LONGEST_MESSAGE: Final = 16384
"""Bytes of a response that is none of gRPC which the client is shown, as C{grpc-message}."""

_PADDING: Final = 61
_UP_TO_PADDING: Final = re.compile(rb"[^=]+=*")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]*(?:[AEIMQUYcgkosw048]=|[AQgw]==)?")
"""RFC 4648 section 4, where it is whole quads; the bits that belong to no byte have to be 0 (section 3.5; Envoy)."""


def is_grpc_web(head: RequestHead) -> bool:
    """Whether a gRPC-Web client asks, in a way that is translated: without parameters, and with Protobuf or nothing."""
    return _values(head.fields, b"content-type") in _KINDS and not head.upgrade


def grpc_head(head: RequestHead) -> RequestHead:
    """Return the head that a gRPC backend gets in place of a gRPC-Web client's."""
    fields = [(b"content-type", b"application/grpc")]
    if not _values(head.fields, b"grpc-accept-encoding"):
        fields.append((b"grpc-accept-encoding", b"identity"))
    changed = head.changed(fields, frozenset((b"te",)))
    changed.fields.append((b"te", b"trailers"))
    if changed.length:
        # that of text is another
        changed.length = UNKNOWN_LENGTH
    changed.sized = False
    return changed


def _values(fields: list[Field], name: bytes) -> bytes:
    return b",".join([value for key, value in fields if key == name])


class TextDecoder:
    """Base64 that comes in any pieces, with padding wherever a quad ends: what was encoded apart may stand together."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def decode(self, data: bytes) -> bytes:
        """
        Return what is whole by now.

        @raise ValueError: It is no base64, or its padding is no end.
        """
        data = self._rest + data
        whole = len(data) & ~3
        self._rest = data[whole:]
        data = data[:whole]
        if _PADDING not in data:
            return _decoded(data)
        pieces = _UP_TO_PADDING.findall(data)
        if data[0] == _PADDING:
            raise ValueError("padding of nothing")
        return b"".join([_decoded(piece) for piece in pieces])

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return not self._rest


def _decoded(data: bytes) -> bytes:
    if len(data) & 3 or not _BASE64.fullmatch(data):
        raise ValueError("no base64")
    return a2b_base64(data)


class GRPCWebTranslation(MessageCounts):
    """
    Makes gRPC of one gRPC-Web request, and gRPC-Web of its response.

    A response that is none of gRPC, the gateway's own included, keeps its status; of its body the begin goes into
    C{grpc-message}, for which its head is held back.
    """

    __slots__ = ("_bodiless", "_decoder", "_fields", "_held", "_message", "_rest", "_text", "_translated")

    def __init__(self, head: RequestHead) -> None:
        MessageCounts.__init__(self)
        self.translates = True
        self._decoder = TextDecoder() if _values(head.fields, b"content-type") in _TEXT else None
        self._text = _values(head.fields, b"accept") in _TEXT
        self._bodiless = head.method == b"HEAD"
        self._held: ResponseHead | None = None
        self._fields: tuple[FieldBlock, ...] = NO_FIELDS
        self._message = b""
        self._rest = b""  # bytes of a message that are not encoded yet
        self._translated = False

    def request_body(self, data: bytes) -> bytes:
        """See L{BodyFilter.request_body}."""
        if self._decoder is not None:
            try:
                data = self._decoder.decode(data)
            except ValueError as error:
                raise RequestRefused(GRPC_WEB_TEXT) from error
        return MessageCounts.request_body(self, data)

    def request_end(self) -> None:
        """See L{BodyFilter.request_end}."""
        if self._decoder is not None and not self._decoder.whole:
            raise RequestRefused(GRPC_WEB_CUT)

    def response_head(self, head: ResponseHead, fields: tuple[FieldBlock, ...]) -> ResponseHead | None:
        """See L{BodyFilter.response_head}."""
        MessageCounts.response_head(self, head, fields)
        whole = self._bodiless or head.length == 0 or head.status in (204, 304)
        self._translated = self._counts_response or (head.status == 200 and is_grpc_web_response(head))
        head = head.with_set([(b"content-type", _TEXT_RESPONSE if self._text else _BINARY_RESPONSE)])
        if head.length:
            head.length = None
        if not whole and not self._translated:
            self._held, self._fields = head, fields
            return None
        return head

    def response_body(self, data: bytes) -> bytes:
        """See L{BodyFilter.response_body}."""
        if self._held is not None:
            self._message += data[: LONGEST_MESSAGE - len(self._message)]
            return b""
        if self._text:
            data = self._encoded(data)
            if self._counts_response:
                self.response_messages = self._response.count
            return data
        return MessageCounts.response_body(self, data)

    def response_end(self, trailers: list[Field]) -> ResponseRest | None:
        """See L{BodyFilter.response_end}."""
        if self._held is not None:
            return self._held_rest(self._held)
        self._take_status(trailers)
        rest, self._rest = self._rest, b""
        body = b2a_base64(rest, newline=False) if rest else b""
        if self._translated and trailers:
            lines = b"".join([b"%b:%b\r\n" % field for field in trailers])
            frame = b"%c%b%b" % (_TRAILERS, len(lines).to_bytes(4, "big"), lines)
            body += b2a_base64(frame, newline=False) if self._text else frame
        return ResponseRest(body, [])

    def response_cut(self) -> ResponseRest | None:
        """See L{BodyFilter.response_cut}: what is told as an error is whole whatever of it came."""
        return None if self._held is None else self._held_rest(self._held)

    def _held_rest(self, head: ResponseHead) -> ResponseRest:
        """Return a response that is none of gRPC."""
        if self._message:
            status, message = grpc_fields(grpc_status_for(head.status), self._message)[1:]
            head = head.with_set([status, message])
        head.length = 0
        self._held = None
        return ResponseRest(b"", [], head, self._fields)

    def _encoded(self, data: bytes) -> bytes:
        """Encode a piece of the body; each message ends with its padding, so that it is not held back for the next."""
        counter = self._response
        size = len(data)
        start = position = 0
        encoded = []
        while position < size:
            position = counter.next_end(data, position)
            if counter.between:
                encoded.append(b2a_base64(self._rest + data[start:position], newline=False))
                self._rest = b""
                start = position
        if start < size:
            rest = self._rest + data[start:]
            whole = len(rest) - len(rest) % 3
            encoded.append(b2a_base64(rest[:whole], newline=False))
            self._rest = rest[whole:]
        return b"".join(encoded)


def is_grpc_web_response(head: ResponseHead) -> bool:
    """Whether a backend has answered in gRPC-Web itself, in binary."""
    kind = _values(head.fields, b"content-type").partition(b";")[0].rstrip().lower()
    return kind in _KINDS and kind not in _TEXT
