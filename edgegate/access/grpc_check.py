# Hot path: asks about each request that such a service decides about.
"""
Checks over gRPC: the messages of C{envoy.service.auth.v3.Authorization}
(U{https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/auth/v3/external_auth.proto}).
"""

from __future__ import annotations

import re
from struct import unpack
from typing import Final

from edgegate.access.http_check import joined
from edgegate.access.verdict import Action, Field, Mutation, Outcome, Verdict, failed
from edgegate.model.addresses import Address, TCPAddress
from edgegate.model.authorizers import Authorizer
from edgegate.protobuf.reading import (
    Fields,
    MalformedMessage,
    all_of,
    bytes_of,
    message_of,
    number_of,
    read,
    signed_of,
)
from edgegate.protobuf.writing import bytes_field, number_field, sanitized, text_field

CHECK: Final = b"/envoy.service.auth.v3.Authorization/Check"

_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
_UNSAFE: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

_DEEPEST: Final = 32
"""Structs and lists of metadata within each other."""

_MOST_SIZE: Final = (1 << 64) - 1


class CheckedRequest:
    """
    What a service is told of a request.

    @ivar id: Tells it from others.
    @ivar target: Path and query.
    @ivar protocol: C{HTTP/1.1}.
    @ivar fields: As its backend would get them.
    @ivar length: Bytes of its body; -1: nobody knows.
    @ivar body: What is told of it.
    @ivar partial: Whether that is not all; L{None}: nothing is told of the body.
    @ivar time: When it came, in nanoseconds since 1970.
    """

    __slots__ = (
        "authority",
        "body",
        "fields",
        "id",
        "length",
        "method",
        "partial",
        "protocol",
        "scheme",
        "target",
        "time",
    )

    def __init__(self, method: bytes, target: bytes, authority: bytes, fields: list[Field]) -> None:
        self.method: Final = method
        self.target: Final = target
        self.authority: Final = authority
        self.fields: Final = fields
        self.id = self.scheme = self.body = b""
        self.protocol = "HTTP/1.1"
        self.length = self.time = 0
        self.partial: bool | None = None


def peer(address: Address, principal: bytes) -> bytes:
    """
    Return one end of a connection, an C{AttributeContext.Peer}.

    @param principal: Who it is by its certificate; empty: nobody knows.
    """
    if isinstance(address, TCPAddress):
        place = bytes_field(1, text_field(2, address.host) + number_field(3, address.port))
    else:
        place = bytes_field(2, text_field(1, address.path))
    found = bytes_field(1, place)
    return found + bytes_field(4, sanitized(principal)) if principal else found


def check_request(
    source: bytes, destination: bytes, server_name: str, request: CheckedRequest | None, packed: bool = False
) -> bytes:
    """
    Return a C{CheckRequest}.

    @param source: A L{peer}; so C{destination}.
    @param server_name: What the client asked for by SNI; empty: nothing.
    @param request: L{None}: it is about a connection.
    @param packed: Whether the body is told as bytes.
    """
    parts = [bytes_field(1, source), bytes_field(2, destination)]
    if request is not None:
        seconds, nanoseconds = divmod(request.time, 1_000_000_000)
        time = bytes_field(1, number_field(1, seconds) + number_field(2, nanoseconds))
        parts.append(bytes_field(4, time + bytes_field(2, _http(request, packed))))
    if server_name:
        parts.append(bytes_field(12, text_field(1, server_name)))
    return bytes_field(1, b"".join(parts))


def _http(request: CheckedRequest, packed: bool) -> bytes:
    """Return an C{AttributeContext.HttpRequest}."""
    fields = joined([field for field in request.fields if field[0] != b"x-envoy-auth-partial-body"])
    fields += (
        (b":authority", request.authority),
        (b":method", request.method),
        (b":path", request.target),
        (b":scheme", request.scheme),
    )
    if request.partial is not None:
        fields.append((b"x-envoy-auth-partial-body", b"true" if request.partial else b"false"))
    parts = [bytes_field(1, request.id), bytes_field(2, request.method)]
    parts += [bytes_field(3, bytes_field(1, name) + bytes_field(2, sanitized(value))) for name, value in fields]
    parts += (
        bytes_field(4, sanitized(request.target)),
        bytes_field(5, sanitized(request.authority)),
        bytes_field(6, request.scheme),
    )
    if request.length:
        # below 0 it is all 64 bits of it
        parts.append(number_field(9, request.length & _MOST_SIZE))
    parts.append(text_field(10, request.protocol))
    if request.partial is not None and request.body:
        parts.append(bytes_field(12, request.body) if packed else bytes_field(11, sanitized(request.body)))
    return b"".join(parts)


# The answer -----------------------------------------------------------------------------------------------------------


def verdict_of(authorizer: Authorizer, message: bytes) -> Verdict:
    """Return what a C{CheckResponse} says."""
    try:
        return _verdict(authorizer, read(message))
    except MalformedMessage as error:
        return failed(authorizer, f"its answer is no CheckResponse: {error}")


def _verdict(authorizer: Authorizer, response: Fields) -> Verdict:
    status = message_of(response, 1)
    code = 0 if status is None else signed_of(status, 1)
    if code == 0:
        said = message_of(response, 3) or {}
        found = _allowed(authorizer, said)
        # the older of the two places comes first (Envoy's ext_authz_grpc_impl.cc)
        found.metadata = _struct(message_of(said, 3) or message_of(response, 4) or {}, 0)
        return found
    if 5 in response:
        return _failed(authorizer, response)
    found = Verdict(Outcome.DENIED)
    try:
        _answer(found, message_of(response, 2) or {})
        found.metadata = _struct(message_of(response, 4) or {}, 0)
    except MalformedMessage:
        # a refusal stays one, whatever else is said: a failure may let requests pass
        return Verdict(Outcome.DENIED)
    return found


def _failed(authorizer: Authorizer, response: Fields) -> Verdict:
    """Return what an C{error_response} says: nothing of the request, only what its client gets if it may not pass."""
    found = failed(authorizer, "it answers with an error_response")
    _answer(found, message_of(response, 5) or {})
    return found


def _allowed(authorizer: Authorizer, said: Fields) -> Verdict:
    found = Verdict(Outcome.ALLOWED, 200)
    for option in all_of(said, 2):
        mutation = _mutation(option, Action.OVERWRITE_IF_EXISTS_OR_ADD)
        if mutation is None:
            return failed(authorizer, "its answer has a header that there can't be")
        found.request.append(mutation)
    for option in all_of(said, 6):
        mutation = _mutation(option, Action.APPEND_IF_EXISTS_OR_ADD)
        if mutation is None:
            return failed(authorizer, "its answer has a header that there can't be")
        found.response.append(mutation)
    names = [name.lower() for name in all_of(said, 5)]
    found.removed = frozenset(name for name in names if name != b"host" and not name.startswith(b":"))
    for parameter in all_of(said, 7):
        pair = read(parameter)
        found.query_set.append((bytes_of(pair, 1), bytes_of(pair, 2)))
    found.query_removed = frozenset(all_of(said, 8))
    return found


def _answer(found: Verdict, said: Fields) -> None:
    """Take over what a client that is refused is to get."""
    http = message_of(said, 1)
    status = 0 if http is None else number_of(http, 1)
    if 200 <= status <= 599:
        found.status = status
    found.body = bytes_of(said, 3)
    for option in all_of(said, 2):
        # a refusal stays one, whatever its headers are
        mutation = _mutation(option, Action.APPEND_IF_EXISTS_OR_ADD)
        if mutation is not None:
            found.fields.append((mutation[0], mutation[1]))


def _mutation(option: bytes, otherwise: Action) -> Mutation | None:
    """
    Return what a C{HeaderValueOption} does; L{None}: there is no such header.

    @param otherwise: Where it says nothing of that: a service that means to replace what a client says mostly says
        nothing.
    """
    said = read(option)
    header = message_of(said, 1)
    if header is None:
        return None
    name = bytes_of(header, 1).lower()
    value = bytes_of(header, 2) or bytes_of(header, 3)
    if _NAME.fullmatch(name) is None or _UNSAFE.search(value) is not None:
        return None
    append = message_of(said, 2)
    if append is not None:
        added = number_of(append, 1) != 0
        return name, value, Action.APPEND_IF_EXISTS_OR_ADD if added else Action.OVERWRITE_IF_EXISTS_OR_ADD
    action = number_of(said, 3)
    return name, value, action if 0 < action <= Action.OVERWRITE_IF_EXISTS else otherwise


def _struct(said: Fields, depth: int) -> dict[str, object]:
    """
    Return a C{google.protobuf.Struct} as what JSON would make of it.

    @raise MalformedMessage: It is none, or too deep.
    """
    found: dict[str, object] = {}
    for entry in all_of(said, 1):
        pair = read(entry)
        found[bytes_of(pair, 1).decode("utf-8", "replace")] = _value(message_of(pair, 2) or {}, depth + 1)
    return found


def _value(said: Fields, depth: int) -> object:
    if depth > _DEEPEST:
        raise MalformedMessage("its metadata is too deep")
    if 2 in said:
        double: float = unpack("<d", number_of(said, 2).to_bytes(8, "little"))[0]
        return double
    if 3 in said:
        return bytes_of(said, 3).decode("utf-8", "replace")
    if 4 in said:
        return number_of(said, 4) != 0
    if 5 in said:
        return _struct(message_of(said, 5) or {}, depth)
    if 6 in said:
        return [_value(read(each), depth + 1) for each in all_of(message_of(said, 6) or {}, 1)]
    return None
