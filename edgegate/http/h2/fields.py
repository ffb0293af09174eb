# Hot path: the trailers of HTTP/2 pass here.
"""What requests and responses of HTTP/2 have in common in their fields (RFC 9113 sections 8.1 and 8.2)."""

from __future__ import annotations

from typing import Final

from edgegate.http.fields import CONNECTION, GRPC_STATUS, PASS, REJECT, TRANSFER_ENCODING, UPGRADE, Field, Roles
from edgegate.http.h2.errors import Malformed

COLON: Final = 58
"""What the names of pseudo fields begin with."""

CONNECTION_SPECIFIC: Final = frozenset((b"keep-alive", b"proxy-connection"))
"""Fields of RFC 9113 section 8.2.2 that have no role of their own."""


def trailers_of(fields: list[Field], roles: Roles) -> list[Field]:
    """
    Return those trailer fields that go on.

    @raise Malformed: There is one that may be in no trailers.
    """
    passed: list[Field] = []
    for field in fields:
        name = field[0]
        role = roles.of(name)[1]
        if role in (PASS, GRPC_STATUS):
            if name[0] == COLON:
                raise Malformed
            passed.append(field)
        elif (
            role in (CONNECTION, TRANSFER_ENCODING, UPGRADE, REJECT)
            or name in CONNECTION_SPECIFIC
            or (name == b"te" and field[1] != b"trailers")
        ):
            raise Malformed
    return passed
