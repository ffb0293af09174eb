# Compiled: it is made from classes that are.
"""
Calls of gRPC with one message each way, as the gateway makes them itself by an L{AsyncRequest}
(U{https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md}).
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from edgegate.http.async_request import AsyncResponse
from edgegate.http.fields import Field
from edgegate.http.grpc import is_grpc
from edgegate.http.upstream_head import UpstreamHead

_PREFIX: Final = 5
"""Bytes in front of a message: whether it is compressed, and its length."""

_LONGEST_TIMEOUT: Final = 99_999_999
"""The number of a C{grpc-timeout} has eight digits at the most."""


class CallFailed(Exception):
    """
    A call has come to no message.

    @ivar status: Of gRPC.
    """

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def framed(message: bytes) -> bytes:
    """Return a message as it stands in a body."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def call_head(method: bytes, authority: bytes, length: int, timeout: float, fields: list[Field]) -> UpstreamHead:
    """
    Return the head of a call.

    @param method: With its service: C{/package.Service/Method}.
    @param length: Bytes of the body.
    @param timeout: Seconds after which nobody waits any longer.
    @param fields: Further ones.
    """
    own = [
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
        (b"grpc-timeout", b"%dm" % min(max(1, int(timeout * 1000)), _LONGEST_TIMEOUT)),
    ]
    head = UpstreamHead(b"POST", method, authority, "", [*own, *fields], length, True)
    head.grpc = True
    return head


def message_in(response: AsyncResponse) -> bytes:
    """
    Return the message that answers a call.

    @raise CallFailed: There is none.
    """
    if response.status != 200:
        raise CallFailed(2, f"it answers {response.status}")
    # a response without a message has the status in its head
    status = _first(response.trailers, b"grpc-status") or _first(response.fields, b"grpc-status")
    if status != b"0":
        told = _first(response.trailers, b"grpc-message") or _first(response.fields, b"grpc-message")
        number = int(status) if status.isdigit() and len(status) < 3 else 2
        words = f": {unquote(told.decode('ascii', 'replace'))}" if told else ""
        raise CallFailed(number, f"it answers gRPC status {number}{words}" if status else "it answers no gRPC status")
    if not is_grpc(response.fields):
        raise CallFailed(2, "it does not answer in gRPC")
    body = response.body
    if len(body) < _PREFIX or len(body) != _PREFIX + int.from_bytes(body[1:_PREFIX], "big"):
        raise CallFailed(13, "its answer is not one message")
    if body[0]:
        raise CallFailed(13, "its answer is compressed, which was not agreed on")
    return body[_PREFIX:]


def _first(fields: list[Field], name: bytes) -> bytes:
    for key, value in fields:
        if key == name:
            return value
    return b""
