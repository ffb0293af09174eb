# Hot path: gives the values of each line of a format that is not the default.
"""
What the command operators stand for in the access log, when all is over
(U{https://www.envoyproxy.io/docs/envoy/latest/configuration/advanced/substitution_formatter}).

Most are those of headers (L{edgegate.http.substitution_formatter}); here are those that are cheaper, or tell more, at
the end.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from typing import Final

from edgegate.access_log.field_values import first, request, request_id, response, trailer, when_read
from edgegate.access_log.record import EndedStream, Getter, LogRecord, Value
from edgegate.access_log.time_values import between_points, common_duration, duration, emit_time, start_time
from edgegate.http.grpc import is_grpc
from edgegate.http.substitution_formatter import MEANINGS, grpc_status_name
from edgegate.model.addresses import TCPAddress
from edgegate.model.operators import EMPTY_AT_THE_END, Operator
from edgegate.observe.events import RejectedConnection, RelayEnd
from edgegate.observe.log_lines import details_of, failure_of, flags_of, termination_of, underscored

NUMBERS: Final = frozenset(
    (
        *("BYTES_RECEIVED", "BYTES_SENT", "RESPONSE_CODE"),
        *("DURATION", "REQUEST_DURATION", "REQUEST_TX_DURATION", "RESPONSE_DURATION", "RESPONSE_TX_DURATION"),
        *("DOWNSTREAM_HANDSHAKE_DURATION", "UPSTREAM_CONNECTION_POOL_READY_DURATION", "COMMON_DURATION"),
        *("UPSTREAM_REQUEST_ATTEMPT_COUNT", "CONNECTION_ID", "GRPC_STATUS_NUMBER"),
        *("REQUEST_HEADERS_BYTES", "RESPONSE_HEADERS_BYTES", "RESPONSE_TRAILERS_BYTES"),
        *("DOWNSTREAM_LOCAL_PORT", "DOWNSTREAM_DIRECT_LOCAL_PORT", "DOWNSTREAM_REMOTE_PORT"),
        *("DOWNSTREAM_DIRECT_REMOTE_PORT", "UPSTREAM_LOCAL_PORT", "UPSTREAM_REMOTE_PORT"),
    )
)
"""Operators whose values are numbers in JSON."""


def getter(operator: Operator) -> Getter:
    """Return what gives an operator's value, its length cut as it says."""
    find = _coalesced(operator.choices) if operator.choices else _getter(operator.name, operator.argument)
    longest = operator.longest
    return find if longest is None else _cut(find, longest)


def _getter(name: str, argument: str) -> Getter:
    if name in EMPTY_AT_THE_END:
        return _nothing
    simple = _SIMPLE.get(name)
    if simple is not None:
        return simple
    made = _WITH_ARGUMENT.get(name)
    return _as_in_headers(name, argument) if made is None else made(argument)


def _nothing(record: LogRecord) -> Value:
    return None


def _cut(find: Getter, longest: int) -> Getter:
    def cut(record: LogRecord) -> Value:
        value = find(record)
        return value[:longest] if isinstance(value, bytes | str) else value

    return cut


def _coalesced(choices: tuple[Operator, ...]) -> Getter:
    getters = [getter(each) for each in choices]

    def filled(record: LogRecord) -> Value:
        for find in getters:
            value = find(record)
            if value not in {None, b"", ""}:
                return value
        return None

    return filled


def _as_in_headers(name: str, argument: str) -> Getter:
    meaning = MEANINGS[name]
    if name in NUMBERS:

        def number(record: LogRecord) -> Value:
            value = meaning(record.stream, record.message, argument)
            return int(value) if value else None

        return number

    def text(record: LogRecord) -> Value:
        return meaning(record.stream, record.message, argument) or None

    return when_read(text) if name == "PATH" else text


# The end --------------------------------------------------------------------------------------------------------------


def _protocol(record: LogRecord) -> Value:
    version = record.stream.head.version
    return f"HTTP/{version}" if version else None


def _status(record: LogRecord) -> Value:
    return record.stream.status


def _received(record: LogRecord) -> Value:
    return record.stream.received


def _sent(record: LogRecord) -> Value:
    return record.stream.sent


def _trailers_size(record: LogRecord) -> Value:
    return sum([len(name) + len(value) for name, value in record.stream.trailers or ()])


def _short_flags(record: LogRecord) -> Value:
    stream = record.stream
    return flags_of(stream.fault, stream.flags) or "-"


def _details(record: LogRecord) -> Value:
    stream = record.stream
    return details_of(stream.fault, stream.details, stream.upstream) if record.is_request else None


def _termination(record: LogRecord) -> Value:
    ended = record.ended
    return termination_of(ended) if isinstance(ended, RelayEnd | RejectedConnection) else None


def _handshake_failure(record: LogRecord) -> Value:
    """Why nothing could be served on a connection."""
    ended = record.ended
    return underscored(ended.reason) if isinstance(ended, RejectedConnection) and not ended.unknown else None


def _transport_failure(record: LogRecord) -> Value:
    return failure_of(record.stream.fault)


def _route_name(record: LogRecord) -> Value:
    """The route's name; a relay's route is called by its place."""
    ended = record.ended
    if isinstance(ended, RelayEnd):
        return None if ended.origin is None else str(ended.origin).encode()
    route = record.stream.route
    return None if route is None else (route.name or str(route.origin)).encode()


def _route_origin(record: LogRecord) -> Value:
    """The file and line of the route, of a relay's as well."""
    ended = record.ended
    route = record.stream.route
    origin = ended.origin if isinstance(ended, RelayEnd) else None if route is None else route.origin
    return None if origin is None else str(origin).encode()


def _log_type(record: LogRecord) -> Value:
    if record.is_request:
        return "DownstreamEnd"
    return "TcpConnectionEnd" if isinstance(record.ended, RelayEnd) else "NotSet"


def _upstream_host(record: LogRecord) -> Value:
    upstream = record.stream.upstream
    return None if upstream is None else str(upstream)


def _upstream_address(record: LogRecord) -> Value:
    stream = record.stream
    return None if stream.upstream is None or stream.upstream_local is None else str(stream.upstream)


def _upstream_local(record: LogRecord) -> Value:
    local = record.stream.upstream_local
    return None if local is None else str(local)


def _without_port(find: Callable[[EndedStream], object]) -> Getter:
    def host(record: LogRecord) -> Value:
        address = find(record.stream)
        if address is None:
            return None
        return address.host if isinstance(address, TCPAddress) else str(address)

    return host


def _port_of(find: Callable[[EndedStream], object]) -> Getter:
    def port(record: LogRecord) -> Value:
        address = find(record.stream)
        return address.port if isinstance(address, TCPAddress) else None

    return port


def _endpoint(stream: EndedStream) -> object:
    return stream.upstream


def _backend(stream: EndedStream) -> object:
    return None if stream.upstream_local is None else stream.upstream


def _own(stream: EndedStream) -> object:
    return stream.upstream_local


def _cluster(record: LogRecord) -> Value:
    return record.stream.cluster.encode() or None


def _downstream_local(record: LogRecord) -> Value:
    return str(record.stream.connection.local)


def _downstream_direct(record: LogRecord) -> Value:
    connection = record.stream.connection
    return str(connection.introducer or connection.peer)


_TOO_LONG: Final = 10
"""Digits that no status has."""


def _grpc_status(form: str) -> Getter:
    """C{%GRPC_STATUS(SNAKE_STRING)%}: in the trailers, or the head of a response that has no others."""

    def status(record: LogRecord) -> Value:
        stream = record.stream
        if not is_grpc(stream.head.fields):
            return None
        number = first(stream.trailers or (), b"grpc-status")
        if number is None and stream.response is not None:
            number = first(stream.response.fields, b"grpc-status")
        if number is None:
            return None
        if form == "NUMBER":
            return int(number) if number.isdigit() and len(number) < _TOO_LONG else None
        return grpc_status_name(number, form)

    return status


def _trace_id(record: LogRecord) -> Value:
    trace = record.stream.trace
    return None if trace is None else trace.trace_id


def _span_id(record: LogRecord) -> Value:
    trace = record.stream.trace
    return None if trace is None else trace.span_id


def _environment(argument: str) -> Getter:
    value = os.environb.get(argument.encode(), b"-")
    return lambda record: value


_HOSTNAME: Final = platform.node()

_SIMPLE: dict[str, Getter] = {
    "ACCESS_LOG_TYPE": _log_type,
    "BYTES_RECEIVED": _received,
    "BYTES_SENT": _sent,
    "CONNECTION_TERMINATION_DETAILS": _termination,
    "DOWNSTREAM_DIRECT_LOCAL_ADDRESS": _downstream_local,
    "DOWNSTREAM_DIRECT_REMOTE_ADDRESS": _downstream_direct,
    "DOWNSTREAM_LOCAL_ADDRESS": _downstream_local,
    "DOWNSTREAM_TRANSPORT_FAILURE_REASON": _handshake_failure,
    "DURATION": duration,
    "GRPC_STATUS_NUMBER": _grpc_status("NUMBER"),
    "HOSTNAME": lambda record: _HOSTNAME,
    "PROTOCOL": _protocol,
    "REQUEST_DURATION": between_points("DS_RX_BEG", "DS_RX_END"),
    "REQUEST_TX_DURATION": between_points("DS_RX_BEG", "US_TX_END"),
    "RESPONSE_CODE": _status,
    "RESPONSE_CODE_DETAILS": _details,
    "RESPONSE_DURATION": between_points("DS_RX_BEG", "US_RX_BEG"),
    "RESPONSE_FLAGS": _short_flags,
    "RESPONSE_TRAILERS_BYTES": _trailers_size,
    "RESPONSE_TX_DURATION": between_points("US_RX_BEG", "DS_TX_END"),
    "ROUTE_NAME": _route_name,
    "ROUTE_ORIGIN": _route_origin,
    "SPAN_ID": _span_id,
    "STREAM_ID": request_id,
    "TRACE_ID": _trace_id,
    "UPSTREAM_CLUSTER": _cluster,
    "UPSTREAM_CLUSTER_RAW": _cluster,
    "UPSTREAM_CONNECTION_POOL_READY_DURATION": between_points("DS_RX_BEG", "US_TX_BEG"),
    "UPSTREAM_HOST": _upstream_host,
    "UPSTREAM_HOST_NAME": _upstream_host,
    "UPSTREAM_HOST_NAME_WITHOUT_PORT": _without_port(_endpoint),
    "UPSTREAM_LOCAL_ADDRESS": _upstream_local,
    "UPSTREAM_LOCAL_PORT": _port_of(_own),
    "UPSTREAM_REMOTE_ADDRESS": _upstream_address,
    "UPSTREAM_REMOTE_PORT": _port_of(_backend),
    "UPSTREAM_TRANSPORT_FAILURE_REASON": _transport_failure,
}
"""Values of operators whose argument makes no difference."""

_WITH_ARGUMENT: dict[str, Callable[[str], Getter]] = {
    "COMMON_DURATION": common_duration,
    "EMIT_TIME": emit_time(local=False),
    "EMIT_TIME_LOCAL": emit_time(local=True),
    "ENVIRONMENT": _environment,
    "GRPC_STATUS": _grpc_status,
    "REQ": request,
    "RESP": response,
    "START_TIME": start_time(local=False),
    "START_TIME_LOCAL": start_time(local=True),
    "STREAM_INFO_REQ": request,
    "TRAILER": trailer,
}
