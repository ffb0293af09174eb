# Hot path: one for each head that differs from those before.
"""
The blocks of heads that are sent (RFC 9113 section 8.3): values in, bytes out, which are the same on every connection.

Whoever sends a head often keeps its block beside it. Blocks may stand behind
each other: what differs from one message to the next is a short one of its own.
"""

from __future__ import annotations

from typing import Final

from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import Field
from edgegate.http.h2.hpack import block_of
from edgegate.http.response import ResponseHead
from edgegate.http.upstream_head import UpstreamHead

_HANDSHAKE: Final = frozenset((b"sec-websocket-key", b"sec-websocket-accept"))
"""Of HTTP/1's handshake alone (RFC 8441 section 5)."""


def request_block(head: UpstreamHead, secure: bool) -> bytes:
    """
    Return the block of a request to a backend.

    A request for another protocol becomes extended CONNECT (RFC 8441), which has
    one protocol only: the first.

    @param secure: Whether the connection is TLS.
    """
    fields: list[Field] = [(b":method", b"CONNECT" if head.upgrade else head.method)]
    if head.upgrade:
        fields.append((b":protocol", head.upgrade[0]))
    fields += (
        (b":scheme", b"https" if secure else b"http"),
        (b":authority", head.authority),
        (b":path", head.target),
    )
    if head.upgrade:
        fields += [field for field in head.fields if field[0] not in _HANDSHAKE]
    else:
        fields += head.fields
        if head.tells_length:
            fields.append((b"content-length", b"%d" % head.length))
    return block_of(fields)


def response_block(head: ResponseHead) -> bytes:
    """
    Return the block of a response to a client, the body's length in it.

    That another protocol follows is what 200 says to extended CONNECT.
    """
    status = head.status
    if status == 101:
        return block_of([(b":status", b"200"), *[field for field in head.fields if field[0] not in _HANDSHAKE]])
    fields: list[Field] = [(b":status", b"%d" % status), *head.fields]
    if head.length is not None and status >= 200 and status != 204:
        fields.append((b"content-length", b"%d" % head.length))
    return block_of(fields)


def head_block(head: ResponseHead) -> bytes:
    """Return L{response_block}, which is made once and kept with the head."""
    block = head.h2
    if not block:
        block = head.h2 = response_block(head)
    return block


def field_block(fields: FieldBlock) -> bytes:
    """Return the block of some fields, which is made once and kept with them."""
    block = fields.h2
    if not block:
        block = fields.h2 = block_of(list(fields.fields))
    return block
