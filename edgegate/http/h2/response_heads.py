# Hot path: every new head of HTTP/2 passes here.
"""
What the fields of a response say (RFC 9113 section 8.3.2), checked: fields in, the head of a response of any version
out.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final

from edgegate.http.fields import CONTENT_LENGTH, DATE, DROP, GRPC_STATUS, RESPONSE_ROLES, Field, content_length
from edgegate.http.h2.errors import Malformed
from edgegate.http.h2.fields import COLON, CONNECTION_SPECIFIC, trailers_of
from edgegate.http.response import ResponseHead

_STATUS: Final = re.compile(rb"[1-5][0-9][0-9]")

_REASONS: Final[dict[int, bytes]] = {status.value: status.phrase.encode("ascii") for status in HTTPStatus}
"""What HTTP/1 says beside a status; HTTP/2 does not."""


def response_head(fields: list[Field]) -> ResponseHead:
    """
    Return what a response's fields say.

    @param fields: Their names and values were checked, one by one.
    @raise Malformed: It can't be passed on.
    """
    if not fields or fields[0][0] != b":status" or not _STATUS.fullmatch(fields[0][1]):
        raise Malformed
    status = int(fields[0][1])
    passed: list[Field] = []
    head = ResponseHead(status, _REASONS.get(status, b""), passed)
    head.keep = True
    known = RESPONSE_ROLES.known
    for at in range(1, len(fields)):
        field = fields[at]
        name, value = field
        if name[0] == COLON:
            raise Malformed
        role = (known.get(name) or RESPONSE_ROLES.of(name))[1]
        if not role:
            passed.append(field)
        elif role == DATE:
            passed.append(field)
            head.dated = True
        elif role == GRPC_STATUS:
            passed.append(field)
            head.grpc_status = value
        elif role == CONTENT_LENGTH:
            if head.length is not None:
                raise Malformed
            try:
                head.length = content_length(value)
            except ValueError as error:
                raise Malformed from error
        elif role != DROP or name in CONNECTION_SPECIFIC:
            raise Malformed
    if status < 200 or status == 204:
        # RFC 9110 section 8.6: there is none; some say that it has 0 bytes. RFC 9113 section 8.6: there is no 101
        if head.length or status == 101:
            raise Malformed
        head.length = None
    return head


def response_trailers(fields: list[Field]) -> list[Field]:
    """
    Return those of a response's trailer fields that go on.

    @raise Malformed: There is one that may be in no trailers.
    """
    return trailers_of(fields, RESPONSE_ROLES)
