# Hot path: changes the messages of routes that say so.
"""
Messages changed on their way, as a route and its destination say (Istio's C{Headers} and C{HTTPRewrite}).

Changes that give constant values are made once for each head that is seen
again, not for each message.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from edgegate.http.field_block import FieldBlock, fields_in
from edgegate.http.fields import Field
from edgegate.http.request import CHUNKED, RequestHead
from edgegate.http.response import ResponseHead
from edgegate.http.substitution_formatter import Message, fields_of, rendered
from edgegate.http.upgrade import upgrade_lines
from edgegate.model.actions import RequestChanges
from edgegate.model.addresses import TCPAddress
from edgegate.model.headers import ATTEMPTS, EXPECTED_TIME, HeaderChanges
from edgegate.routing.hosts import host_of

if TYPE_CHECKING:
    from edgegate.http.exchange import Exchange
    from edgegate.http.h1.upstream_connection import HTTP1Backend

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

_SET_LAST: Final = frozenset((b"content-type", b"grpc-status", b"grpc-message"))

SERVICE_TIME: Final = b"x-envoy-upstream-service-time"


def request_lines(exchange: Exchange, changes: RequestChanges | None) -> list[bytes]:
    """
    Serialise a request's head for an HTTP/1.1 backend, up to the fields that differ from try to try.

    What the client's framing and connection said is not copied but said anew.
    The first piece begins with the request line and the C{host} field.
    """
    head = exchange.head
    exchange.identity = identity = exchange.channel.client.lines(head)
    if changes is not None and not _constant(changes.headers):
        fields = changed([*head.fields, *fields_of(identity)], changes.headers, exchange)
        lines = [_lines(head, changes, fields)]
    elif head.lines_of is changes and head.h1_lines:
        lines = [head.h1_lines, identity]
    else:
        fields = head.fields if changes is None else changed(head.fields, changes.headers, exchange)
        head.lines_of = changes
        head.h1_lines = _lines(head, changes, fields)
        lines = [head.h1_lines, identity]
    route = exchange.route
    if route is not None and route.expected and (changes is None or EXPECTED_TIME not in changes.names):
        lines.append(route.expected)
    return lines


def asked_host(lines: list[bytes]) -> str:
    """Return the host in a request's lines in normal form; empty where it is none."""
    try:
        return host_of(lines[0].split(b"\r\n", 2)[1].removeprefix(b"host: "))
    except ValueError:
        return ""


def shadow_lines(lines: list[bytes], exchange: Exchange, changes: RequestChanges | None, renamed: bool) -> bytes:
    """
    Return a request's lines as a mirror gets them (Envoy): the gateway is one more hop, and asks for itself.

    @param lines: Up to the fields that differ from try to try.
    @param changes: Those that are in the lines.
    @param renamed: Whether C{-shadow} is put behind the host, before its port where it has one.
    """
    request, host, rest = b"".join(lines).split(b"\r\n", 2)
    if renamed:
        name, colon, port = host.rpartition(b":")
        host = b"%b-shadow%b%b" % (name, colon, port) if port.isdigit() and name != b"host" else host + b"-shadow"
    fields = fields_of(rest)
    local = exchange.connection.local
    if isinstance(local, TCPAddress):
        hops = [value for name, value in fields if name == b"x-forwarded-for"]
        fields = [field for field in fields if field[0] != b"x-forwarded-for"]
        fields.append((b"x-forwarded-for", b",".join([*hops, local.host.encode("ascii")])))
    if changes is None or ATTEMPTS not in changes.names:
        fields.append((ATTEMPTS, b"1"))
    fields.append((b"x-envoy-internal", b"true"))
    return b"\r\n".join([request, host, *(b"%b: %b" % field for field in fields), b"", b""])


def changed_response(
    head: ResponseHead,
    own: tuple[FieldBlock, ...],
    changes: tuple[HeaderChanges, ...],
    exchange: Exchange,
    backend: HTTP1Backend | None,
    sent: list[bytes],
) -> tuple[ResponseHead, tuple[FieldBlock, ...]]:
    """
    Return a response's head with the changes of its destination, and the fields of this response alone.

    @param own: Those, as L{SERVICE_TIME}, which can be changed as well.
    @param backend: The connection that the response came on.
    @param sent: The request's head as it went there.
    """
    if any(SERVICE_TIME in each.names or not each.static for each in changes):
        fields = [*head.fields, *fields_in(own)]
        return head.with_fields(changed(fields, changes, exchange, Message(fields, head, backend, sent))), ()
    if head.changed_by is not changes or head.changed is None:
        head.changed_by = changes
        head.changed = head.with_fields(changed(head.fields, changes, exchange, Message(head.fields, head, backend)))
    return head.changed, own


def changed_reply(
    status: int, fields: list[Field], changes: tuple[HeaderChanges, ...], exchange: Exchange
) -> list[Field]:
    """
    Return the fields of a response of the gateway's own after the changes of its route.

    The type of its body is set after them, unless they give another, and what
    a gRPC client is told is set whatever they say (Envoy).
    """
    set_last = [field for field in fields if field[0] in _SET_LAST]
    fields = [field for field in fields if field[0] not in _SET_LAST]
    found = changed(fields, changes, exchange, Message(fields, ResponseHead(status, b"", fields)))
    names = {name for name, _ in set_last}
    if b"grpc-status" not in names:
        names.difference_update(name for name, _ in found)
        set_last = [field for field in set_last if field[0] in names]
    return [*(field for field in found if field[0] not in names), *set_last]


def changed(
    fields: Iterable[Field], changes: Iterable[HeaderChanges], exchange: Exchange, message: Message | None = None
) -> list[Field]:
    """
    Return fields after changes: what is removed goes first, then what is set replaces, then comes what is added.

    All values of one change are made from what the removals have left (Envoy).

    @param message: What is changed, but for its fields; L{None}: the request.
    """
    found = list(fields)
    for each in changes:
        found = [field for field in found if field[0] not in each.remove]
        now = Message(found) if message is None else message._replace(fields=found)
        to_set = [(name, value) for name, template in each.set if (value := rendered(template, exchange, now))]
        to_add = [(name, value) for name, template in each.add if (value := rendered(template, exchange, now))]
        gone = {name for name, _ in to_set}
        found = [*(field for field in found if field[0] not in gone), *to_set, *to_add]
    return found


def _constant(changes: tuple[HeaderChanges, ...]) -> bool:
    """Whether changes make the same of a head each time, whoever the client is."""
    return all(each.static and IDENTITY.isdisjoint(each.names) for each in changes)


def _lines(head: RequestHead, changes: RequestChanges | None, fields: list[Field]) -> bytes:
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
    lines = [b"%b %b HTTP/1.1\r\nhost: %b\r\n" % (head.method, target, authority)]
    for name, value in (*fields, *told) if told else fields:
        lines += (name, b": ", value, b"\r\n")
    if head.upgrade:
        lines.append(upgrade_lines(head.upgrade))
    if head.length == CHUNKED:
        lines.append(b"transfer-encoding: chunked\r\n")
    elif head.sized or not (head.method in _BODYLESS or head.upgrade):
        # without it some backends wait for a body or refuse (RFC 9110 section 8.6)
        lines.append(b"content-length: %d\r\n" % head.length)
    return b"".join(lines)


_BODYLESS: Final = frozenset((b"GET", b"HEAD", b"DELETE", b"TRACE", b"CONNECT"))
"""Methods of which nobody expects a body; Envoy's, too."""
