# Hot path: made once for each response that differs from the one before.
"""The head of a response, checked: what every HTTP version's backend connection makes of what a backend sent."""

from __future__ import annotations

from edgegate.errors import UPSTREAM_PROTOCOL, Fault
from edgegate.http.fields import (
    CONNECTION,
    CONTENT_LENGTH,
    DATE,
    GRPC_STATUS,
    RESPONSE_ROLES,
    TRANSFER_ENCODING,
    UPGRADE,
    Field,
    content_length,
    nominated,
)
from edgegate.http.upgrade import Protocols, protocols


class ResponseRefused(Exception):
    """The response breaks HTTP, or a limit."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.reason)
        self.fault = fault


class ResponseHead:
    """
    A response's head. Shared by responses whose heads are the same: never changed.

    @ivar fields: What passes to the client, in the order of arrival, names in lower case.
    @ivar length: Bytes of the body as the head tells it, also where there is none (HEAD, 304); L{None}: it does not.
    @ivar chunked: Whether the body comes in chunks.
    @ivar keep: Whether the backend keeps its connection.
    @ivar upgrade: The protocols that follow a 101, or that the backend knows.
    @ivar grpc_status: The field, which a gRPC response without a body has in its head; else empty.
    @ivar dated: Whether it has a date.
    @ivar lines: The lines of C{fields} as HTTP/1 sends them on, each with its CRLF; L{None}: nobody has them at hand.
    @ivar h1: What an HTTP/1 client gets of it, once that was made; else empty.
    @ivar h2: What an HTTP/2 client gets of it, likewise.
    @ivar changed: This head with changes that are the same each time, once they were made.
    @ivar changed_by: Those changes.
    """

    __slots__ = (
        "changed",
        "changed_by",
        "chunked",
        "dated",
        "fields",
        "grpc_status",
        "h1",
        "h2",
        "keep",
        "length",
        "lines",
        "reason",
        "status",
        "upgrade",
    )

    def __init__(self, status: int, reason: bytes, fields: list[Field], length: int | None = None) -> None:
        self.status = status
        self.reason = reason
        self.fields = fields
        self.length = length
        self.chunked = self.keep = False
        self.dated = _has_date(fields)
        self.upgrade: Protocols = ()
        self.grpc_status = self.h1 = self.h2 = b""
        self.lines: list[bytes] | None = None
        self.changed: ResponseHead | None = None
        self.changed_by: object = None

    def with_fields(self, fields: list[Field]) -> ResponseHead:
        """Return a head with other fields."""
        head = ResponseHead(self.status, self.reason, fields, self.length)
        head.chunked, head.keep, head.grpc_status = self.chunked, self.keep, self.grpc_status
        head.upgrade = self.upgrade
        return head

    def with_set(self, fields: list[Field]) -> ResponseHead:
        """Return a head in which these fields replace all of their names."""
        names = {name for name, _ in fields}
        return self.with_fields([*(field for field in self.fields if field[0] not in names), *fields])


def h1_response(status: int, reason: bytes, keep: bool, received: list[Field]) -> ResponseHead:
    """
    Check the head of an HTTP/1 answer that llhttp has parsed.

    @param received: Fields with their names as the backend wrote them.
    @raise ResponseRefused: It cannot be passed on.
    """
    fields: list[Field] = []
    options: list[bytes] = []
    head = ResponseHead(status, reason, fields)
    head.keep = keep
    known = RESPONSE_ROLES.known
    for name, value in received:
        lower, role = known.get(name) or RESPONSE_ROLES.of(name)
        if not role or role == DATE:
            fields.append((lower, value))
            head.dated = head.dated or role == DATE
        elif role == CONTENT_LENGTH:
            if head.length is not None:
                raise ResponseRefused(UPSTREAM_PROTOCOL)
            try:
                head.length = content_length(value.rstrip(b" \t"))
            except ValueError as error:
                raise ResponseRefused(UPSTREAM_PROTOCOL) from error
        elif role == TRANSFER_ENCODING:
            if head.chunked or value.rstrip(b" \t").lower() != b"chunked":
                raise ResponseRefused(UPSTREAM_PROTOCOL)
            head.chunked = True
        elif role == CONNECTION:
            options.append(value)
        elif role == GRPC_STATUS:
            head.grpc_status = value
            fields.append((lower, value))
        elif role == UPGRADE:
            head.upgrade += protocols([value])
    _check_framing(head)
    if options:
        own = nominated(options)
        head.fields = [field for field in fields if field[0] not in own]
        head.dated = head.dated and b"date" not in own
    return head


def _has_date(fields: list[Field]) -> bool:
    for name, _ in fields:  # noqa: SIM110 (compiled, a generator is an object)
        if name == b"date":
            return True
    return False


def _check_framing(head: ResponseHead) -> None:
    """Refuse what two readers could take for different bodies."""
    if head.status < 200 or head.status == 204:
        # RFC 9110 section 8.6, RFC 9112 section 6.1: there is none; some say that it has 0 bytes, which Envoy takes too
        if head.chunked or head.length:
            raise ResponseRefused(UPSTREAM_PROTOCOL)
        head.length = None
    elif head.chunked and head.length is not None:
        raise ResponseRefused(UPSTREAM_PROTOCOL)
