# Compiled: hot modules compare faults.
"""
What can go wrong with a connection or a request, whose fault it is, and what the client is told.

Every failure of the data plane is one of the L{Fault}s listed here. Flags are
Envoy's response flags (the letters that Istio's access log shows), and
L{status_of} is the only function that turns a failure into a status code.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum


class Source(Enum):
    """Whose fault a failure is."""

    DOWNSTREAM = "downstream"  # the client's
    UPSTREAM = "upstream"  # the backend's
    GATEWAY = "gateway"  # our own, or the configuration's


@dataclass(frozen=True, slots=True)
class Fault:
    """
    One kind of failure.

    @ivar flag: Envoy's response flag, as the access log and the body of a local reply show it.
    @ivar status: The HTTP status that the client gets if no answer has begun.
    @ivar reason: A constant phrase for logs and metrics, never a detail of the inside.
    @ivar details: Envoy's C{RESPONSE_CODE_DETAILS}, for the access log.
    @ivar unconnected: Whether the backend has seen nothing of the request.
    @ivar grpc_status: What a gRPC client gets; L{None}: what follows from C{status}.
    @ivar retry_after: Seconds after which the client may try again; 0: nobody knows.
    """

    source: Source
    flag: str
    status: int
    reason: str
    details: str
    unconnected: bool = False
    grpc_status: int | None = None
    retry_after: int = 0


def _reset(cause: str) -> str:
    return f"upstream_reset_before_response_started{{{cause}}}"


NO_ROUTE = Fault(Source.GATEWAY, "NR", 404, "no route", "route_not_found")
NO_CLUSTER = Fault(Source.GATEWAY, "NC", 503, "no cluster", "cluster_not_found")
MISDIRECTED = Fault(Source.DOWNSTREAM, "NR", 421, "host belongs to another server", "misdirected_request")
NO_HEALTHY_UPSTREAM = Fault(Source.UPSTREAM, "UH", 503, "no healthy upstream", "no_healthy_upstream")
CONNECT_REFUSED = Fault(Source.UPSTREAM, "UF", 503, "connect refused", _reset("connection_failure"), unconnected=True)
CONNECT_TIMEOUT = Fault(Source.UPSTREAM, "UF", 503, "connect timeout", _reset("connection_timeout"), unconnected=True)
CONNECT_FAILED = Fault(Source.UPSTREAM, "UF", 503, "connect failed", _reset("connection_failure"), unconnected=True)
TLS_FAILED = Fault(
    Source.UPSTREAM, "UF", 503, "TLS handshake failed", _reset("connection_failure|TLS_error"), unconnected=True
)
CERTIFICATE_REFUSED = Fault(
    Source.UPSTREAM, "UF", 503, "certificate is not trusted", _reset("connection_failure|TLS_error"), unconnected=True
)
CERTIFICATE_MISNAMED = Fault(
    Source.UPSTREAM,
    "UF",
    503,
    "certificate is not for this name",
    _reset("connection_failure|TLS_error"),
    unconnected=True,
)
UPSTREAM_CLOSED = Fault(
    Source.UPSTREAM, "UC", 503, "upstream closed before an answer", _reset("connection_termination")
)
UPSTREAM_CUT_SHORT = Fault(
    Source.UPSTREAM,
    "UC",
    503,
    "upstream closed in the middle of an answer",
    "upstream_reset_after_response_started{connection_termination}",
)
UPSTREAM_RESET = Fault(Source.UPSTREAM, "UR", 503, "upstream reset the request", _reset("remote_reset"))
UPSTREAM_REFUSED = Fault(
    Source.UPSTREAM, "UR", 503, "upstream refused the request", _reset("remote_refused_stream_reset")
)
UPSTREAM_RESET_LATE = Fault(
    Source.UPSTREAM,
    "UR",
    503,
    "upstream reset the request in the middle of an answer",
    "upstream_reset_after_response_started{remote_reset}",
)
UPSTREAM_PROTOCOL = Fault(Source.UPSTREAM, "UPE", 502, "upstream broke the protocol", _reset("protocol_error"))
UPSTREAM_HEAD_TOO_LARGE = Fault(
    Source.UPSTREAM, "UPE", 502, "upstream's answer head is too large", _reset("headers_too_large")
)
UPSTREAM_BODY_TOO_LARGE = Fault(
    Source.UPSTREAM,
    "UPE",
    502,
    "upstream's answer is too large",
    "upstream_reset_after_response_started{payload_too_large}",
)
UPSTREAM_TIMEOUT = Fault(Source.UPSTREAM, "UT", 504, "upstream too slow", "response_timeout")
TRY_TIMEOUT = Fault(Source.UPSTREAM, "UT", 504, "upstream too slow for one try", "upstream_per_try_timeout")
STREAM_IDLE = Fault(Source.UPSTREAM, "SI", 504, "nothing came for too long", "stream_idle_timeout")
OVERFLOW = Fault(Source.GATEWAY, "UO", 503, "too many at once", _reset("overflow"))
OVERLOADED = Fault(Source.GATEWAY, "OM", 503, "overloaded", "overload", retry_after=1)
CLIENT_OVERLOADS = replace(OVERLOADED, reason="too many requests of one client", details="overload_of_client")
BODY_TOO_LARGE = Fault(
    Source.DOWNSTREAM, "DPE", 413, "request body too large", "request_payload_too_large", grpc_status=8
)
CLIENT_GONE = Fault(Source.DOWNSTREAM, "DC", 0, "client went away", "downstream_remote_disconnect")
CLIENT_TIMEOUT = Fault(Source.DOWNSTREAM, "DPE", 408, "request too slow", "request_header_timeout")
CLIENT_BODY_TIMEOUT = Fault(Source.DOWNSTREAM, "DPE", 408, "request body too slow", "request_body_timeout")
BAD_REQUEST = Fault(Source.DOWNSTREAM, "DPE", 400, "malformed request", "http1.codec_error")
BAD_HOST = Fault(Source.DOWNSTREAM, "DPE", 400, "bad host", "http1.invalid_host")
BAD_PATH = Fault(Source.DOWNSTREAM, "DPE", 400, "bad path", "path_normalization_failed")
BAD_WEBSOCKET = Fault(Source.DOWNSTREAM, "DPE", 400, "bad WebSocket handshake", "http1.bad_websocket_handshake")
HEAD_TOO_LARGE = Fault(Source.DOWNSTREAM, "DPE", 431, "request head too large", "http1.headers_too_large")
SCHEME_MISMATCH = Fault(Source.DOWNSTREAM, "DPE", 403, "https asked for in the clear", "http1.scheme_mismatch")
METHOD_REFUSED = Fault(Source.DOWNSTREAM, "DPE", 405, "method refused", "http1.method_refused")
METHOD_UNKNOWN = Fault(Source.DOWNSTREAM, "DPE", 400, "unknown method", "http1.unknown_method")
VERSION_REFUSED = Fault(Source.DOWNSTREAM, "DPE", 505, "unknown HTTP version", "http1.unknown_version")
EXPECTATION_FAILED = Fault(Source.DOWNSTREAM, "DPE", 417, "unknown expectation", "http1.unknown_expectation")
CODING_UNKNOWN = Fault(Source.DOWNSTREAM, "DPE", 501, "unknown transfer coding", "http1.invalid_transfer_encoding")
GRPC_WEB_TEXT = Fault(Source.DOWNSTREAM, "-", 400, "invalid base64 in a gRPC-Web request", "grpc_base_64_decode_failed")
GRPC_WEB_CUT = Fault(
    Source.DOWNSTREAM, "-", 400, "the base64 of a gRPC-Web request is cut short", "grpc_base_64_decode_failed_bad_size"
)
DURATION_EXCEEDED = Fault(Source.GATEWAY, "DT", 504, "request took too long", "max_duration_timeout", grpc_status=4)
REQUEST_DURATION_EXCEEDED = replace(
    DURATION_EXCEEDED, source=Source.DOWNSTREAM, status=408, reason="request took too long to come"
)
FAULT_ABORT = Fault(Source.GATEWAY, "FI", 503, "fault filter abort", "fault_filter_abort")
GUARD_FAILED = Fault(Source.GATEWAY, "-", 403, "access denied", "guard_failed")
CONNECTION_DENIED = Fault(Source.DOWNSTREAM, "-", 403, "connection denied", "connection_denied")
INTERNAL = Fault(Source.GATEWAY, "-", 500, "internal error", "internal_error")


def status_of(fault: Fault) -> int:
    """Return the HTTP status of a local reply for this failure; 0 where there is nobody left to answer."""
    return fault.status


_GRPC_STATUSES = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}


def grpc_status_of(fault: Fault) -> int:
    """
    Return the C{grpc-status} of a local reply for this failure
    (U{https://grpc.github.io/grpc/core/md_doc_http-grpc-status-mapping.html}).
    """
    return grpc_status_for(fault.status) if fault.grpc_status is None else fault.grpc_status


def grpc_status_for(status: int) -> int:
    """Return the C{grpc-status} of a local reply with this HTTP status: 2, unknown, where no other is said."""
    return _GRPC_STATUSES.get(status, 2)


def response_flags(fault: Fault | None, others: str = "") -> list[str]:
    """
    Return all response flags of a request in the order in which Envoy shows them, which is that of what happened.

    @param others: Those of what happened before the fault, with commas between them.
    """
    found = others.split(",") if others else []
    if fault is not None and fault.flag != "-" and fault.flag not in found:
        found.append(fault.flag)
    return found


def aborted(status: int, grpc_status: int | None) -> Fault:
    """Return the failure that a route makes on purpose."""
    return replace(FAULT_ABORT, status=status, grpc_status=grpc_status)


def body_of(fault: Fault) -> bytes:
    """Return the plain-text body of a local reply: the reason and the flag, nothing of the inside."""
    return f"{fault.reason} ({fault.flag})\n".encode("ascii")
