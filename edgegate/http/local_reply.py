# Hot path: each request that no backend answers gets one.
"""What the gateway answers itself, where something went wrong."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from edgegate.errors import Fault, body_of, grpc_status_of
from edgegate.http.fields import Field
from edgegate.http.grpc import grpc_fields

REASONS: Final[dict[int, bytes]] = {
    **{status.value: status.phrase.encode("ascii") for status in HTTPStatus},
    413: b"Content Too Large",  # its name since RFC 9110, which Python has since 3.13
}
"""Reason phrases of local responses (RFC 9110 section 15)."""


def grpc_reply(fault: Fault) -> list[Field]:
    """
    Return the fields of an answer in the words of gRPC, which has status 200 and no body
    (U{https://grpc.github.io/grpc/core/}).
    """
    return grpc_fields(grpc_status_of(fault), fault.reason.encode("ascii"))


def plain_reply(fault: Fault, translated: bool) -> tuple[list[Field], bytes]:
    """
    Return the fields and the body of an answer in plain text.

    @param translated: Whether the body becomes a message of gRPC-Web: the reason alone, as in Envoy.
    """
    fields = [(b"content-type", b"text/plain")]
    if fault.retry_after:
        fields.append((b"retry-after", b"%d" % fault.retry_after))
    return fields, fault.reason.encode("ascii") if translated else body_of(fault)
