"""
What the command operators in headers' values stand for
(U{https://www.envoyproxy.io/docs/envoy/latest/configuration/advanced/substitution_formatter}).

What an exchange does not have is empty, and a header whose value is empty is
left out, as Envoy does.
"""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import unquote_to_bytes
from uuid import uuid4

from edgegate.errors import response_flags
from edgegate.http import formatter_connections, formatter_time, formatter_tls
from edgegate.http.fields import Field
from edgegate.http.formatter_context import Meaning, Message, StreamInfo
from edgegate.http.grpc import is_grpc
from edgegate.model.headers import Template
from edgegate.model.operators import EMPTY, Operator

_UNSAFE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def rendered(template: Template, exchange: StreamInfo, message: Message) -> bytes:
    """Return the value that a template has in a message of an exchange."""
    if template.constant is not None:
        return template.constant
    value = b"".join(part if isinstance(part, bytes) else _value(part, exchange, message) for part in template.parts)
    return _UNSAFE.sub(b"", value).strip(b" \t")


def _value(operator: Operator, exchange: StreamInfo, message: Message) -> bytes:
    if operator.choices:
        values = (_value(each, exchange, message) for each in operator.choices)
        value = next((each for each in values if each), b"")
    else:
        value = MEANINGS[operator.name](exchange, message, operator.argument)
    return value if operator.longest is None else value[: operator.longest]


def _nothing(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    return b""


def _constant(value: bytes) -> Meaning:
    return lambda exchange, message, argument: value


# The request and the response -----------------------------------------------------------------------------------------


def _request_fields(exchange: StreamInfo, message: Message) -> Sequence[Field]:
    """Return the fields of the request; as its backend has got them, where one has answered."""
    if message.answer is None:
        return message.fields
    if message.asked is not None:
        return message.asked
    return [*exchange.head.fields, *exchange.identity_fields()]


def _request(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    """C{%REQ(X?Y)%}; the request's line is a header, too."""
    head = exchange.head
    pseudo = {b":path": head.target, b":method": head.method, b":authority": head.authority, b"host": head.authority}
    pseudo[b":scheme"] = exchange.scheme
    fields = _request_fields(exchange, message)
    return _first_of([*fields, *pseudo.items()], argument)


def _answer(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    answer = message.answer
    if answer is None:
        return b""
    return _first_of([*message.fields, (b":status", b"%d" % answer.status)], argument)


def _first_of(fields: Sequence[Field], argument: str) -> bytes:
    """Return the first field X of an argument C{X?Y}, or where there is none the first Y."""
    found = (value for name in argument.lower().encode().split(b"?") for key, value in fields if key == name)
    return next(found, b"")


def _first(fields: Sequence[Field], name: bytes) -> bytes:
    return next((value for key, value in fields if key == name), b"")


def _path(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    """C{%PATH(NQ:ORIG)%}: with its query or without; as it came, or as it is now."""
    query, _, which = argument.partition(":")
    now, original = (_request(exchange, message, name) for name in (":path", "x-envoy-original-path"))
    found = {"ORIG": original, "PATH": now}.get(which, original or now)
    return found.partition(b"?")[0] if query == "NQ" else found


def _query(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    return _request(exchange, message, ":path").partition(b"?")[2]


def _parameter(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    """C{%QUERY_PARAM(name)%}: the first of the name, unescaped."""
    wanted = argument.encode()
    for pair in _query(exchange, message, "").split(b"&"):
        name, _, value = pair.partition(b"=")
        if unquote_to_bytes(name) == wanted:
            return unquote_to_bytes(value)
    return b""


def _status(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    return b"%d" % (0 if message.answer is None else message.answer.status)


def _details(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    if message.answer is None:
        return b""
    if exchange.fault is not None:
        return exchange.fault.details.encode()
    if exchange.details:
        return exchange.details.encode()
    return b"direct_response" if message.backend is None else b"via_upstream"


LONG_FLAGS = {
    "DC": "DownstreamConnectionTermination",
    "DI": "DelayInjected",
    "DPE": "DownstreamProtocolError",
    "DT": "DurationTimeout",
    "FI": "FaultInjected",
    "NC": "NoClusterFound",
    "NR": "NoRouteFound",
    "RL": "RateLimited",
    "SI": "StreamIdleTimeout",
    "UAEX": "UnauthorizedExternalService",
    "UC": "UpstreamConnectionTermination",
    "UF": "UpstreamConnectionFailure",
    "UH": "NoHealthyUpstream",
    "UO": "UpstreamOverflow",
    "OM": "OverloadManagerTerminated",
    "UPE": "UpstreamProtocolError",
    "UR": "UpstreamRemoteReset",
    "URX": "UpstreamRetryLimitExceeded",
    "UT": "UpstreamRequestTimeout",
}
"""Response flags, and what Envoy calls them."""


def _short_flags(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    return ",".join(response_flags(exchange.fault, exchange.flags)).encode() or b"-"


def _long_flags(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    flags = response_flags(exchange.fault, exchange.flags)
    return ",".join(LONG_FLAGS.get(flag, flag) for flag in flags).encode() or b"-"


_GRPC_STATUSES = (
    *("OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists"),
    *("PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented"),
    *("Internal", "Unavailable", "DataLoss", "Unauthenticated"),
)
_GRPC_NUMBERS = {b"%d" % number: name for number, name in enumerate(_GRPC_STATUSES)}


def grpc_status_name(status: bytes, form: str) -> bytes:
    """
    Return what C{%GRPC_STATUS%} calls a status.

    @param status: A number in decimal; what is none of gRPC's is called by itself.
    @param form: The operator's argument: C{SNAKE_STRING}, C{NUMBER}, or anything else for the usual one.
    """
    if form == "NUMBER" or status not in _GRPC_NUMBERS:
        return status
    name = _GRPC_NUMBERS[status]
    if form == "SNAKE_STRING":
        name = name if name == "OK" else "CANCELLED" if name == "Canceled" else re.sub("(?<!^)([A-Z])", r"_\1", name)
        name = name.upper()
    return name.encode()


def _grpc_status(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    """C{%GRPC_STATUS(SNAKE_STRING)%}, of a gRPC response that has it in its head."""
    if message.answer is None or not is_grpc(exchange.head.fields):
        return b""
    return grpc_status_name(message.answer.grpc_status, argument)


def _grpc_number(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    return _grpc_status(exchange, message, "NUMBER")


def _size(fields: Sequence[Field]) -> int:
    return sum(len(name) + len(value) for name, value in fields)


def _request_size(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    """Bytes of all names and values, those of HTTP/2's request line included (Envoy)."""
    head = exchange.head
    line = ((b":authority", head.authority), (b":method", head.method), (b":path", head.target))
    return b"%d" % _size([*line, (b":scheme", exchange.scheme), *_request_fields(exchange, message)])


def _response_size(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    return b"0" if message.answer is None else b"%d" % _size([(b":status", b"200"), *message.fields])


def _attempts(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    return b"%d" % (max(exchange.attempts, 1) if message.answer is None else exchange.attempts)


def _environment(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    return os.environb.get(argument.encode(), b"-")


def _text(find: Callable[[StreamInfo], str]) -> Meaning:
    return lambda exchange, message, argument: find(exchange).encode()


def _route_name(exchange: StreamInfo) -> str:
    return exchange.route.name if exchange.route is not None else ""


def _route_origin(exchange: StreamInfo) -> str:
    return str(exchange.route.origin) if exchange.route is not None else ""


def _policy(exchange: StreamInfo) -> str:
    return "" if exchange.policy is None else exchange.policy.resource


def _policy_origin(exchange: StreamInfo) -> str:
    return "" if exchange.policy is None else str(exchange.policy)


def _metadata(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    """C{%DYNAMIC_METADATA(NAMESPACE:KEY:KEY)%}: a text as it is, anything else as JSON."""
    found: object = exchange.metadata
    for key in argument.split(":"):
        if not isinstance(found, Mapping) or key not in found:
            return b""
        found = found[key]
    if isinstance(found, str):
        return found.encode("utf-8", "backslashreplace")
    try:
        return json.dumps(found, separators=(",", ":")).encode()
    except (TypeError, ValueError):
        return b""  # what a guard keeps for itself


def _cluster(exchange: StreamInfo) -> str:
    return exchange.cluster


def _protocol(exchange: StreamInfo) -> str:
    return f"HTTP/{exchange.head.version}"


def _hostname(exchange: StreamInfo) -> str:
    return platform.node()


def _unique(exchange: StreamInfo) -> str:
    return str(uuid4())


def _received(exchange: StreamInfo) -> str:
    return str(exchange.received)


def _sent(exchange: StreamInfo) -> str:
    return str(exchange.sent)


def _stream_id(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    return _first(exchange.identity_fields(), b"x-request-id")


MEANINGS: dict[str, Meaning] = {
    **dict.fromkeys(EMPTY, _nothing),
    **formatter_connections.MEANINGS,
    **formatter_time.MEANINGS,
    **formatter_tls.MEANINGS,
    "ACCESS_LOG_TYPE": _constant(b"NotSet"),
    "BYTES_RECEIVED": _text(_received),
    "BYTES_SENT": _text(_sent),
    "DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT": _constant(b"0"),
    "DOWNSTREAM_HEADER_BYTES_SENT": _constant(b"0"),
    "DOWNSTREAM_WIRE_BYTES_SENT": _constant(b"0"),
    "DYNAMIC_METADATA": _metadata,
    "ENVIRONMENT": _environment,
    "GRPC_STATUS": _grpc_status,
    "GRPC_STATUS_NUMBER": _grpc_number,
    "HOSTNAME": _text(_hostname),
    "PATH": _path,
    "POLICY": _text(_policy),
    "POLICY_ORIGIN": _text(_policy_origin),
    "PROTOCOL": _text(_protocol),
    "QUERY_PARAM": _parameter,
    "QUERY_PARAMS": _query,
    "REQ": _request,
    "REQUEST_HEADERS_BYTES": _request_size,
    "RESP": _answer,
    "RESPONSE_CODE": _status,
    "RESPONSE_CODE_DETAILS": _details,
    "RESPONSE_FLAGS": _short_flags,
    "RESPONSE_FLAGS_LONG": _long_flags,
    "RESPONSE_HEADERS_BYTES": _response_size,
    "RESPONSE_TRAILERS_BYTES": _constant(b"0"),
    "ROUTE_NAME": _text(_route_name),
    "ROUTE_ORIGIN": _text(_route_origin),
    "STREAM_ID": _stream_id,
    "STREAM_INFO_REQ": _request,
    "UNIQUE_ID": _text(_unique),
    "UPSTREAM_CLUSTER": _text(_cluster),
    "UPSTREAM_CLUSTER_RAW": _text(_cluster),
    "UPSTREAM_REQUEST_ATTEMPT_COUNT": _attempts,
}
"""What each operator of L{edgegate.model.operators.OPERATORS} stands for."""
