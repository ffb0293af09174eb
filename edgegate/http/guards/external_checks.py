"""What a service is asked about a request, and how its answer is read: checks as messages of HTTP and of gRPC."""

from __future__ import annotations

from time import monotonic, time_ns

from edgegate.access import grpc_check, http_check
from edgegate.access.grpc_check import CHECK, CheckedRequest, check_request, peer
from edgegate.access.identities import identities
from edgegate.access.verdict import Verdict, failed
from edgegate.errors import Fault
from edgegate.http.async_request import AsyncResponse
from edgegate.http.exchange import Exchange
from edgegate.http.fields import UNKNOWN_LENGTH, Field
from edgegate.http.formatter_context import Message
from edgegate.http.grpc_unary import CallFailed, call_head, framed, message_in
from edgegate.http.substitution_formatter import rendered
from edgegate.http.upstream_head import UpstreamHead
from edgegate.model.addresses import TCPAddress
from edgegate.model.authorizers import Authorizer, Protocol
from edgegate.net.addresses import ConnectionInfo


def check_of(
    authorizer: Authorizer, exchange: Exchange, body: bytes, partial: bool | None
) -> tuple[UpstreamHead, bytes]:
    """
    Return the head and the body of a check.

    @param body: What is told of the request's.
    @param partial: Whether there is more of that; L{None}: nothing is told of it.
    """
    if authorizer.protocol is Protocol.HTTP:
        return _http_head(authorizer, exchange, len(body), partial), body
    message = framed(_message(authorizer, exchange, body, partial))
    return call_head(CHECK, authorizer.authority, len(message), authorizer.timeout, []), message


def verdict_of(authorizer: Authorizer, outcome: AsyncResponse | Fault) -> Verdict:
    """Return what a service says, or that it says nothing."""
    if isinstance(outcome, Fault):
        return failed(authorizer, outcome.reason)
    if authorizer.protocol is Protocol.HTTP:
        return http_check.verdict_of(authorizer, outcome.status, outcome.fields, outcome.body)
    try:
        message = message_in(outcome)
    except CallFailed as error:
        return failed(authorizer, str(error))
    return grpc_check.verdict_of(authorizer, message)


def _http_head(authorizer: Authorizer, exchange: Exchange, length: int, partial: bool | None) -> UpstreamHead:
    """Return the head of a check over HTTP."""
    head = exchange.head
    fields = [*head.fields, *exchange.identity_fields()]
    message = Message(fields)
    added: list[Field] = [(name, rendered(template, exchange, message)) for name, template in authorizer.added]
    local = exchange.connection.local
    hop = local.host.encode("ascii") if isinstance(local, TCPAddress) else b""
    fields = http_check.fields_of(authorizer, fields, added, hop, partial)
    target = http_check.target_of(authorizer, head.target)
    return UpstreamHead(head.method, target, head.authority, "", fields, length, True)


def _message(authorizer: Authorizer, exchange: Exchange, body: bytes, partial: bool | None) -> bytes:
    """Return the message of a check over gRPC."""
    head, connection = exchange.head, exchange.connection
    fields = [*head.fields, *exchange.identity_fields()]
    if head.length == UNKNOWN_LENGTH:
        fields.append((b"transfer-encoding", b"chunked"))
    elif head.sized:
        fields.append((b"content-length", b"%d" % head.length))
    found = CheckedRequest(head.method, head.target, head.authority, fields)
    found.id = exchange.request_id
    found.scheme = exchange.scheme
    found.protocol = f"HTTP/{head.version}"
    found.length = -1 if head.length == UNKNOWN_LENGTH else head.length
    found.time = time_ns() - int((monotonic() - exchange.started) * 1e9)
    found.body, found.partial = body, partial
    packed = authorizer.body is not None and authorizer.body.packed
    return check_request(*ends_of(connection, exchange.client_address), connection.server_name, found, packed)


def ends_of(connection: ConnectionInfo, client: bytes | None) -> tuple[bytes, bytes]:
    """
    Return who asks and where, as messages.

    @param client: The client's address by the word of trusted proxies; L{None}: it is the connection's.
    """
    certificate = connection.client_certificate
    names = identities(certificate) if certificate else ()
    source = connection.peer
    if client is not None and isinstance(source, TCPAddress) and client != source.host.encode():
        # which port it has nobody says (Envoy)
        source = TCPAddress(client.decode("ascii"), 0)
    return peer(source, names[0] if names else b""), peer(connection.local, b"")
