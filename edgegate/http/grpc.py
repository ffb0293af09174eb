# Hot path: asked whether each request is one of gRPC.
"""
What the gateway says to gRPC clients itself (U{https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md}).

A gRPC client looks for C{grpc-status}, not for the status of HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from edgegate.http.fields import Field

_GRPC: Final = b"application/grpc"

_IN_A_MESSAGE: Final = " !\"#$&'()*+,/:;<=>?@[\\]^`{|}"
"""What is not escaped in C{grpc-message}, beside letters, digits and C{-._~}: all visible ASCII but C{%}."""


def is_grpc(fields: Iterable[Field]) -> bool:
    """Whether a gRPC client asks: not one of gRPC-Web, which speaks HTTP of its own (as Envoy tells them apart)."""
    return _goes_on_with(fields, b"+;")


def is_grpc_call(fields: Iterable[Field]) -> bool:
    """Whether a call of gRPC is asked for, be it in gRPC-Web: it may be a stream that lasts."""
    return _goes_on_with(fields, b"+;-")


def _goes_on_with(fields: Iterable[Field], marks: bytes) -> bool:
    """Whether the content type is that of gRPC, alone or with one of these marks behind it."""
    for name, value in fields:
        if name == b"content-type":
            return value.startswith(_GRPC) and value[len(_GRPC) : len(_GRPC) + 1] in marks
    return False


def timeout_of(fields: Iterable[Field]) -> float | None:
    """Return the seconds after which a gRPC client waits no longer; L{None}: it does not say, or says 0."""
    value = next((value for name, value in fields if name == b"grpc-timeout"), b"")
    found = _TIMEOUT.fullmatch(value)
    return None if found is None else int(found[1]) * _UNITS[found[2]] or None


def http_status_of(status: bytes) -> int:
    """
    Return the status of HTTP that stands for a C{grpc-status}
    (U{https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto}).
    """
    number = int(status) if len(status) <= 2 and status.isdigit() else len(_HTTP_STATUSES)
    return _HTTP_STATUSES[number] if number < len(_HTTP_STATUSES) else 500


_TIMEOUT: Final = re.compile(rb"([0-9]{1,8})([HMSmun])")
_UNITS: Final = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
_HTTP_STATUSES: Final = (200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401)


def grpc_fields(status: int, message: bytes) -> list[Field]:
    """Return the fields of a response that has no messages, only a status (C{Trailers-Only})."""
    fields = [(b"content-type", _GRPC), (b"grpc-status", b"%d" % status)]
    if message:
        fields.append((b"grpc-message", quote(message, _IN_A_MESSAGE).encode()))
    return fields
