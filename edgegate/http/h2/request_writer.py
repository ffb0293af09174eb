# Hot path: every request to an HTTP/2 backend passes here.
"""Requests as header blocks of HTTP/2 to a backend (RFC 9113 section 8.3.1): values in, bytes out."""

from __future__ import annotations

from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import PASS, REQUEST_ROLES, Field
from edgegate.http.h2.head_blocks import request_block
from edgegate.http.h2.hpack import block_of, literal
from edgegate.http.router.upstream_callbacks import UpstreamCallbacks
from edgegate.http.upstream_head import UpstreamHead


def write_request(request: UpstreamCallbacks, secure: bool) -> bytes:
    """
    Return the block of a request's head, with the few values that are its own.

    @param secure: Whether the connection is TLS.
    """
    head = request.head
    parts = [head.h2_secure or _secure(head)] if secure else [head.h2 or _clear(head)]
    if request.request_id:
        parts += (_block(request.identity), literal(b"x-request-id", request.request_id))
    if request.expected is not None:
        parts.append(_block(request.expected))
    if request.attempt is not None:
        parts.append(_block(request.attempt))
    if request.context is not None:
        parts.append(block_of(list(request.context.fields)))
    return b"".join(parts)


def trailer_block(trailers: list[Field]) -> bytes:
    """Return the block of those trailer fields that would pass in a head (RFC 9110 section 6.5.1); empty: of none."""
    return block_of([field for field in trailers if REQUEST_ROLES.of(field[0])[1] == PASS])


def _block(fields: FieldBlock) -> bytes:
    block = fields.h2
    if not block and fields.fields:
        block = fields.h2 = block_of(list(fields.fields))
    return block


def _secure(head: UpstreamHead) -> bytes:
    head.h2_secure = block = request_block(head, True)
    return block


def _clear(head: UpstreamHead) -> bytes:
    head.h2 = block = request_block(head, False)
    return block
