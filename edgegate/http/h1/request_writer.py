# Hot path: every request to an HTTP/1 backend passes here.
"""Requests as the bytes of an HTTP/1.1 connection to a backend (RFC 9112): values in, bytes out, no transport."""

from __future__ import annotations

from edgegate.http.fields import PASS, REQUEST_ROLES, Field
from edgegate.http.router.upstream_callbacks import UpstreamCallbacks
from edgegate.http.upstream_head import UpstreamHead, framing_of


def write_head(request: UpstreamCallbacks, out: list[bytes]) -> None:
    """Write a request's head, with the few values that are its own."""
    head = request.head
    out.append(head.h1 or _lines(head))
    if request.request_id:
        out += (request.identity.h1, b"x-request-id: ", request.request_id, b"\r\n")
    if request.expected is not None:
        out.append(request.expected.h1)
    if request.attempt is not None:
        out.append(request.attempt.h1)
    if request.context is not None:
        out.append(request.context.h1)
    out.append(b"\r\n")


def last_chunk(trailers: list[Field]) -> bytes:
    """End a chunked body; of its trailer fields those pass which would pass in a head (RFC 9110 section 6.5.1)."""
    lines = b"".join([b"%b: %b\r\n" % (name, value) for name, value in trailers if REQUEST_ROLES.of(name)[1] == PASS])
    return b"0\r\n%b\r\n" % lines


def _lines(head: UpstreamHead) -> bytes:
    """Make the request line and the field lines of a head; they are kept with it."""
    parts = [head.method, b" ", head.target, b" HTTP/1.1\r\nhost: ", head.authority, b"\r\n"]
    lines = head.lines
    if lines is not None:
        parts += lines
    else:
        for name, value in head.fields:
            parts += (name, b": ", value, b"\r\n")
    for name, value in framing_of(head):
        parts += (name, b": ", value, b"\r\n")
    head.h1 = written = b"".join(parts)
    return written
