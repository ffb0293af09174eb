# Hot path: made for each request.
"""
What backends and mirrors are told in the head of a request, and before it: the client's words, with a route's changes,
and who asks.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from edgegate.http.exchange import Exchange
from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import Field
from edgegate.http.grpc import is_grpc, timeout_of
from edgegate.http.header_mutation import changed
from edgegate.http.request import RequestHead
from edgegate.http.router.upstream_callbacks import UpstreamCallbacks
from edgegate.http.tracing import trace_request
from edgegate.http.upstream_head import UpstreamHead, framing_of
from edgegate.model.actions import RequestChanges
from edgegate.model.addresses import TCPAddress
from edgegate.model.headers import ATTEMPTS, EXPECTED_TIME, HeaderChanges
from edgegate.model.routes import milliseconds
from edgegate.net.connection_options import ConnectionOptions
from edgegate.routing.hosts import host_of
from edgegate.upstream.transport_socket import TransportSocket

IDENTITY: Final = frozenset(
    (
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"x-envoy-external-address",
        b"x-forwarded-client-cert",
        b"x-request-id",
    )
)
"""What tells a backend who asks: added last, unless it is changed itself."""

_NONE: Final = FieldBlock()


def begin_request(request: UpstreamCallbacks, exchange: Exchange, changes: RequestChanges | None) -> None:
    """Say what a backend gets of an exchange's request, but for what differs from try to try."""
    head = exchange.head
    identity, request_id = exchange.stream.client.identity(head, exchange.request_id)
    exchange.identity, exchange.request_id = identity, request_id
    if changes is not None and not _constant(changes.headers):
        fields = [*head.fields, *identity.fields, (b"x-request-id", request_id)]
        request.head = _upstream_head(head, changes, changed(fields, changes.headers, exchange))
        # they are among its fields
        request.identity, request.request_id = _NONE, b""
    else:
        sent = head.sent
        if sent is None or head.sent_by is not changes:
            fields = head.fields if changes is None else changed(head.fields, changes.headers, exchange)
            sent = head.sent = _upstream_head(head, changes, fields)
            head.sent_by = changes
        request.head = sent
        request.identity, request.request_id = identity, request_id
    route = exchange.route
    expected = b"" if route is None else route.expected
    timeout = request.head.timeout
    if timeout is not None and (not expected or timeout * 1000 < int(expected)):
        expected = milliseconds(timeout)
    if expected and (changes is None or EXPECTED_TIME not in changes.names):
        request.expected = expected_time(expected)
    else:
        request.expected = None
    request.attempt = FIRST_ATTEMPT if changes is None or ATTEMPTS not in changes.names else None
    request.context = None
    if exchange.trace is not None:
        # what has let it pass without a filter may have told of its token
        told = exchange.filters is not None or exchange.metadata is not None
        trace_request(request, exchange.trace, changes is not None or told)
    exchange.asked = request.head


def begin_try(request: UpstreamCallbacks, before: UpstreamCallbacks, number: int) -> None:
    """
    Say what a backend gets in a further try.

    @param before: The one before.
    @param number: Which one it is, counted from 1.
    """
    request.head, request.identity, request.request_id = before.head, before.identity, before.request_id
    request.expected = before.expected
    request.attempt = None if before.attempt is None else _attempt(number)
    request.context = None


@lru_cache(maxsize=256)
def expected_time(milliseconds: bytes) -> FieldBlock:
    """Return what tells a backend within how many milliseconds it is to answer."""
    return FieldBlock((EXPECTED_TIME, milliseconds))


def _attempt(number: int) -> FieldBlock:
    return FieldBlock((ATTEMPTS, b"%d" % number))


FIRST_ATTEMPT: Final = _attempt(1)
"""What tells a backend that it gets a request's first try."""


def asked_host(head: RequestHead, changes: RequestChanges | None) -> str:
    """Return the host that a backend is asked for, in normal form; empty where it is none."""
    if changes is None or changes.authority is None:
        return head.host
    try:
        return host_of(changes.authority)
    except ValueError:
        return ""


def shadow_head(
    request: UpstreamCallbacks, exchange: Exchange, changes: RequestChanges | None, renamed: bool
) -> UpstreamHead:
    """
    Return a request's head as a mirror gets it (Envoy): the gateway is one more hop, and asks for itself.

    @param changes: Those that are in the request.
    @param renamed: Whether C{-shadow} is put behind the host, before its port where it has one.
    """
    head = request.head
    authority = head.authority
    if renamed:
        name, colon, port = authority.rpartition(b":")
        whole = b"%b-shadow%b%b" % (name, colon, port)
        authority = whole if name and port.isdigit() else authority + b"-shadow"
    fields = own_fields(request)
    local = exchange.connection.local
    if isinstance(local, TCPAddress):
        hops = [value for name, value in fields if name == b"x-forwarded-for"]
        fields = [field for field in fields if field[0] != b"x-forwarded-for"]
        fields.append((b"x-forwarded-for", b",".join([*hops, local.host.encode("ascii")])))
    if changes is None or ATTEMPTS not in changes.names:
        fields.append((ATTEMPTS, b"1"))
    fields.append((b"x-envoy-internal", b"true"))
    return UpstreamHead(head.method, head.target, authority, head.host, fields, head.length, head.sized)


def own_fields(request: UpstreamCallbacks, framing: bool = False) -> list[Field]:
    """
    Return the fields of a request, those that tell who asks among them, but not which try it is.

    @param framing: Whether those are wanted in which HTTP/1.1 frames it.
    """
    fields = list(request.head.fields)
    if framing:
        fields += framing_of(request.head)
    if request.request_id:
        fields += (*request.identity.fields, (b"x-request-id", request.request_id))
    if request.expected is not None:
        fields += request.expected.fields
    return fields


def connection_options_of(
    transport_socket: TransportSocket, exchange: Exchange, request: UpstreamCallbacks, shares: bool
) -> ConnectionOptions:
    """
    Return how a connection for a request begins.

    @param shares: Whether it is to carry others at the same time.
    """
    host = request.head.host if transport_socket.by_host else ""
    return transport_socket.for_request(exchange.connection, host, shares)


def _constant(changes: tuple[HeaderChanges, ...]) -> bool:
    """Whether changes make the same of a head each time, whoever the client is."""
    return all(each.static and IDENTITY.isdisjoint(each.names) for each in changes)


def _upstream_head(head: RequestHead, changes: RequestChanges | None, fields: list[Field]) -> UpstreamHead:
    target, authority = head.target, head.authority
    told: list[Field] = []
    if changes is not None:
        if changes.path is not None and target != b"*":
            told.append((b"x-envoy-original-path", target))
            target = changes.path.of(target)
        if changes.authority is not None:
            hosts = [value for name, value in fields if name == b"x-forwarded-host"]
            fields = [field for field in fields if field[0] != b"x-forwarded-host"]
            told.append((b"x-forwarded-host", b",".join([*hosts, authority])))
            told.append((b"x-envoy-original-host", authority))
            authority = changes.authority
    if told:
        fields = [*fields, *told]
    host = asked_host(head, changes)
    found = UpstreamHead(head.method, target, authority, host, fields, head.length, head.sized, head.upgrade)
    if fields is head.fields:
        found.lines = head.lines
    if is_grpc(head.fields):
        found.grpc = True
        found.timeout = timeout_of(head.fields)
    return found
