# Hot path: asked of each request where a log has a filter.
"""The attributes of requests and connections in filters of access logs, as Envoy's CEL has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from edgegate.access_log.cel_values import EvaluationError, Headers, seconds
from edgegate.access_log.record import LogRecord, Value
from edgegate.access_log.values import getter
from edgegate.errors import response_flags
from edgegate.model.addresses import TCPAddress
from edgegate.model.cel import Attribute
from edgegate.model.operators import operator

Evaluate = Callable[[LogRecord], Any]
"""Gives a value of CEL, or raises L{EvaluationError}."""


def attribute(node: Attribute) -> Evaluate:
    """Return what gives an attribute's value."""
    special = _SPECIAL.get((node.owner, node.name))
    if special is not None:
        return special
    only_requests, name, argument = _BY_OPERATOR[node.owner, node.name]
    find = getter(operator(name, argument))

    def found(record: LogRecord) -> Any:
        if only_requests and not record.is_request:
            raise EvaluationError
        return _of_cel(find(record))

    return found


def _of_cel(value: Value) -> Any:
    if value is None:
        raise EvaluationError
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value


def _request(record: LogRecord) -> LogRecord:
    if not record.is_request:
        raise EvaluationError
    return record


def _code(record: LogRecord) -> Any:
    status = _request(record).stream.status
    if not status:
        raise EvaluationError
    return status


def _grpc_status(record: LogRecord) -> Any:
    return _of_cel(_GRPC(record))


_GRPC: Final = getter(operator("GRPC_STATUS_NUMBER"))


def _flag_names(record: LogRecord) -> Any:
    stream = record.stream
    return list(response_flags(stream.fault, stream.flags))


def _flags(record: LogRecord) -> Any:
    return sum([1 << _BITS[flag] for flag in _flag_names(record) if flag in _BITS])


_BITS: Final = {
    flag: bit
    for bit, flag in enumerate(
        (
            *("LH", "UH", "UT", "LR", "UR", "UF", "UC", "UO", "NR", "DI", "FI", "RL", "UAEX", "RLSE", "DC", "URX"),
            *("SI", "IH", "DPE", "UMSDR", "RFCF", "NFCF", "DT", "UPE", "NC", "OM", "DF", "DO", "DR"),
        )
    )
}
"""Of Envoy's response flags (C{envoy/stream_info/stream_info.h})."""


def _backend_latency(record: LogRecord) -> Any:
    stream = record.stream
    if not stream.asked_at or not stream.responded_at:
        raise EvaluationError
    return seconds(stream.responded_at - stream.asked_at)


def _mtls(record: LogRecord) -> Any:
    return bool(record.stream.connection.client_certificate)


def _metadata(record: LogRecord) -> Any:
    return record.stream.metadata or {}


def _port(record: LogRecord) -> Any:
    peer = record.stream.connection.peer
    if isinstance(peer, TCPAddress):
        return peer.port
    raise EvaluationError


_SPECIAL: Final[dict[tuple[str, str], Evaluate]] = {
    ("request", "headers"): lambda record: Headers(_request(record).request_fields()),
    ("request", "duration"): lambda record: seconds(record.duration),
    ("request", "size"): lambda record: record.stream.received,
    ("response", "code"): _code,
    ("response", "flags"): _flags,
    ("response", "short_flags"): _flag_names,
    ("response", "grpc_status"): _grpc_status,
    ("response", "headers"): lambda record: Headers(_request(record).response_fields()),
    ("response", "trailers"): lambda record: Headers(_request(record).stream.trailers or ()),
    ("response", "size"): lambda record: record.stream.sent,
    ("response", "backend_latency"): _backend_latency,
    ("connection", "mtls"): _mtls,
    ("metadata", "filter_metadata"): _metadata,
    ("source", "port"): _port,
    ("destination", "port"): lambda record: record.stream.port,
}

_BY_OPERATOR: Final[dict[tuple[str, str], tuple[bool, str, str]]] = {
    ("request", "path"): (True, "REQ", ":path"),
    ("request", "url_path"): (True, "PATH", "NQ:PATH"),
    ("request", "host"): (True, "REQ", ":authority"),
    ("request", "scheme"): (True, "REQ", ":scheme"),
    ("request", "method"): (True, "REQ", ":method"),
    ("request", "referer"): (True, "REQ", "referer"),
    ("request", "useragent"): (True, "REQ", "user-agent"),
    ("request", "id"): (True, "STREAM_ID", ""),
    ("request", "protocol"): (True, "PROTOCOL", ""),
    ("request", "query"): (True, "QUERY_PARAMS", ""),
    ("response", "code_details"): (True, "RESPONSE_CODE_DETAILS", ""),
    ("connection", "requested_server_name"): (False, "REQUESTED_SERVER_NAME", ""),
    ("connection", "tls_version"): (False, "DOWNSTREAM_TLS_VERSION", ""),
    ("connection", "id"): (False, "CONNECTION_ID", ""),
    ("connection", "termination_details"): (False, "CONNECTION_TERMINATION_DETAILS", ""),
    ("connection", "transport_failure_reason"): (False, "DOWNSTREAM_TRANSPORT_FAILURE_REASON", ""),
    ("connection", "subject_peer_certificate"): (False, "DOWNSTREAM_PEER_SUBJECT", ""),
    ("connection", "subject_local_certificate"): (False, "DOWNSTREAM_LOCAL_SUBJECT", ""),
    ("connection", "dns_san_peer_certificate"): (False, "DOWNSTREAM_PEER_DNS_SAN", ""),
    ("connection", "uri_san_peer_certificate"): (False, "DOWNSTREAM_PEER_URI_SAN", ""),
    ("connection", "sha256_peer_certificate_digest"): (False, "DOWNSTREAM_PEER_FINGERPRINT_256", ""),
    ("source", "address"): (False, "DOWNSTREAM_REMOTE_ADDRESS", ""),
    ("destination", "address"): (False, "DOWNSTREAM_LOCAL_ADDRESS", ""),
    ("upstream", "address"): (False, "UPSTREAM_HOST", ""),
    ("upstream", "port"): (False, "UPSTREAM_REMOTE_PORT", ""),
    ("upstream", "local_address"): (False, "UPSTREAM_LOCAL_ADDRESS", ""),
    ("upstream", "transport_failure_reason"): (False, "UPSTREAM_TRANSPORT_FAILURE_REASON", ""),
    ("upstream", "request_attempt_count"): (False, "UPSTREAM_REQUEST_ATTEMPT_COUNT", ""),
    ("xds", "cluster_name"): (False, "UPSTREAM_CLUSTER", ""),
    ("xds", "route_name"): (False, "ROUTE_NAME", ""),
}
"""Of each attribute: whether only requests have it, and the command operator that says the same."""
