"""
How PostgreSQL comes to TLS: the client asks in the clear, the server answers with one byte, the ClientHello follows.

U{https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL}
"""

from __future__ import annotations

from typing import Final

SSL_REQUEST: Final = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""Asks for TLS: eight bytes, 80877103."""

GSSENC_REQUEST: Final = b"\x00\x00\x00\x08\x04\xd2\x16\x30"
"""Asks for encryption by GSSAPI, 80877104. Who is refused may ask for TLS next."""

WILLING: Final = b"S"
UNWILLING: Final = b"N"


def asked(data: bytes) -> bytes | int | None:
    """
    Return the request that a connection begins with.

    @return: L{SSL_REQUEST} or L{GSSENC_REQUEST}, whatever is behind it; how many bytes there must be before it can be
        told; or L{None}, where it is none.
    """
    size = len(SSL_REQUEST)
    head = data[:size]
    for request in (SSL_REQUEST, GSSENC_REQUEST):
        if head == request:
            return request
        if request.startswith(head):
            return size
    return None
