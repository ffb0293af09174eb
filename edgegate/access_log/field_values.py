# Hot path: gives the values of each line of a format that is not the default.
"""
The parts and fields of requests and responses in the access log: C{%REQ(X?Y)%}, C{%RESP(X?Y)%} and C{%TRAILER(X?Y)%}.

What is asked for most is had without making a list of fields.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from edgegate.access_log.record import Getter, LogRecord, Value
from edgegate.http.fields import Field


def when_read(find: Getter) -> Getter:
    """Give nothing of a request that could not be read."""
    return lambda record: find(record) if record.stream.head.method != _UNREAD else None


_UNREAD: Final = b"-"


def _method(record: LogRecord) -> Value:
    asked = record.stream.asked
    return (record.stream.head.method if asked is None else asked.method) or None


def _path(record: LogRecord) -> Value:
    asked = record.stream.asked
    return (record.stream.head.target if asked is None else asked.target) or None


def _authority(record: LogRecord) -> Value:
    asked = record.stream.asked
    return (record.stream.head.authority if asked is None else asked.authority) or None


def _scheme(record: LogRecord) -> Value:
    return record.stream.scheme or None


def request_id(record: LogRecord) -> Value:
    """C{%STREAM_ID%}."""
    return first(record.stream.identity_fields(), b"x-request-id")


_ROLES: Final[dict[bytes, Getter]] = {
    b":method": when_read(_method),
    b":path": when_read(_path),
    b":authority": _authority,
    b"host": _authority,
    b":scheme": when_read(_scheme),
}
"""Of a request's line."""


def request(argument: str) -> Getter:
    """C{%REQ(X?Y)%}."""
    finders = [_ROLES.get(name) or _request_field(name) for name in argument.lower().encode().split(b"?")]
    return _either(finders)


def _request_field(name: bytes) -> Getter:
    if name in _SET_BY_GATEWAY or name.startswith(b":"):

        def looked_up(record: LogRecord) -> Value:
            stream = record.stream
            asked = stream.asked
            found = None if asked is None else first(asked.fields, name)
            if found is None:
                found = first(stream.identity_fields(), name)
            return first(record.message.asked or (), name) if found is None else found

        return looked_up

    def field(record: LogRecord) -> Value:
        stream = record.stream
        asked, trace = stream.asked, stream.trace
        if asked is None:
            return first(stream.head.fields, name)
        found = first(asked.fields, name)
        if found is None and trace is not None and name in trace.propagator.names:
            return first(record.trace_fields(), name)
        return found

    return field


_SET_BY_GATEWAY: Final = frozenset(
    (
        *(b"x-forwarded-for", b"x-forwarded-proto", b"x-envoy-external-address", b"x-forwarded-client-cert"),
        *(b"x-request-id", b"content-length", b"transfer-encoding", b"connection", b"upgrade"),
    )
)
"""Fields of requests that are kept apart from what passes."""


def response(argument: str) -> Getter:
    """C{%RESP(X?Y)%}."""
    return _either([_response_field(name) for name in argument.lower().encode().split(b"?")])


def _response_field(name: bytes) -> Getter:
    if name == b":status":
        return lambda record: str(record.stream.status) if record.stream.status else None

    def field(record: LogRecord) -> Value:
        stream = record.stream
        response = stream.response
        if response is None:
            return None
        found = first(response.fields, name)
        if found is None:
            for block in stream.response_fields:
                found = first(block.fields, name)
                if found is not None:
                    return found
            if name in _SET_LAST:
                found = first(record.message.fields, name)
        return found

    return field


_SET_LAST: Final = frozenset((b"server", b"content-length"))
"""Fields of responses that stand neither in their heads nor beside them."""


def trailer(argument: str) -> Getter:
    """C{%TRAILER(X?Y)%}."""
    names = argument.lower().encode().split(b"?")

    def found(record: LogRecord) -> Value:
        trailers = record.stream.trailers
        if trailers:
            for name in names:
                found = first(trailers, name)
                if found is not None:
                    return found
        return None

    return found


def _either(finders: list[Getter]) -> Getter:
    if len(finders) == 1:
        return finders[0]
    one, other = finders[0], finders[1]

    def either(record: LogRecord) -> Value:
        value = one(record)
        return other(record) if value is None else value

    return either


def first(fields: Iterable[Field], name: bytes) -> bytes | None:
    """Return the first value of a field; L{None}: there is none."""
    for key, value in fields:
        if key == name:
            return value
    return None
