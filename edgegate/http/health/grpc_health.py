"""
The messages of gRPC's own question for health (U{https://github.com/grpc/grpc/blob/master/doc/health-checking.md}).

They are so small that they are written and read by hand.
"""

from __future__ import annotations

from edgegate.http.grpc_unary import framed
from edgegate.protobuf.writing import text_field

SERVING = 1

STATUSES = {0: "UNKNOWN", SERVING: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}
"""C{HealthCheckResponse.ServingStatus}."""


class BadMessage(Exception):
    """What an endpoint answers can't be understood."""


def question(service: str) -> bytes:
    """Return a C{HealthCheckRequest}, framed: not compressed, four bytes of length."""
    return framed(text_field(1, service) if service else b"")


def response_of(body: bytes) -> int:
    """
    Return the status that a framed C{HealthCheckResponse} says.

    @raise BadMessage: It is none.
    """
    if len(body) < 5 or body[0] or len(body) != 5 + int.from_bytes(body[1:5], "big"):
        raise BadMessage("its answer is no message of gRPC")
    message = body[5:]
    if not message:
        return 0
    # one field, number 1, a varint; none of its values is longer than a byte
    if len(message) != 2 or message[0] != 0x08:
        raise BadMessage("its answer is no HealthCheckResponse")
    return message[1]
