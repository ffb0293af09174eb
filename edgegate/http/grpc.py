"""
What the gateway says to gRPC clients itself (U{https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md}).

A gRPC client looks for C{grpc-status}, not for the status of HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from edgegate.http.fields import Field

_GRPC = b"application/grpc"

_IN_A_MESSAGE = " !\"#$&'()*+,/:;<=>?@[\\]^`{|}"
"""What is not escaped in C{grpc-message}, beside letters, digits and C{-._~}: all visible ASCII but C{%}."""


def is_grpc(fields: Iterable[Field]) -> bool:
    """Whether a gRPC client asks: not one of gRPC-Web, which speaks HTTP of its own (as Envoy tells them apart)."""
    kind = next((value for name, value in fields if name == b"content-type"), b"")
    return kind.startswith(_GRPC) and kind[len(_GRPC) :][:1] in (b"", b"+", b";")


def grpc_fields(status: int, message: bytes) -> list[Field]:
    """Return the fields of a response that has no messages, only a status (C{Trailers-Only})."""
    fields = [(b"content-type", _GRPC), (b"grpc-status", b"%d" % status)]
    if message:
        fields.append((b"grpc-message", quote(message, _IN_A_MESSAGE).encode()))
    return fields
