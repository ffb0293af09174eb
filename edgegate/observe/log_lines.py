# Hot path: makes a line for each request.
"""
One line of the access log for each request, relay and rejected connection: Istio's text, or JSON with Istio's names.

What a client or a backend sent is escaped, so that nobody can write a line of
their own into the log.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import lru_cache
from time import gmtime, strftime

from edgegate.errors import Fault, response_flags
from edgegate.observe.events import Connection, Ended, RejectedConnection, RelayEnd, Route

NAMES = (
    "start_time",
    "method",
    "path",
    "protocol",
    "response_code",
    "response_flags",
    "response_code_details",
    "connection_termination_details",
    "upstream_transport_failure_reason",
    "bytes_received",
    "bytes_sent",
    "duration",
    "upstream_service_time",
    "x_forwarded_for",
    "user_agent",
    "request_id",
    "authority",
    "upstream_host",
    "upstream_cluster",
    "upstream_local_address",
    "downstream_local_address",
    "downstream_remote_address",
    "requested_server_name",
    "route_name",
    "route_origin",
    "policy",
    "policy_origin",
)
"""
The fields of a line, in Istio's order; a value is text, a number, or L{None} where there is none.

The last ones, which Istio has not, are in JSON only: the file and line of the route, and the policy that refused it,
with its own.
"""

Value = str | int | None
Values = tuple[Value, ...]
Format = Callable[[Values], str]

Line = Callable[[Ended | RelayEnd | RejectedConnection, float, float], str]
"""
Makes a line of what ended; an empty text where there is to be none. Gets, too, when it ended, in seconds of
C{time.monotonic}, and how far the time since the epoch is ahead of those.
"""

_TEXT = '[%s] "%s %s %s" %s %s %s %s "%s" %s %s %s %s "%s" "%s" "%s" "%s" "%s" %s %s %s %s %s %s\n'
_TEXT_VALUES = _TEXT.count("%s")
_UNPRINTED = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0x100))}
_QUOTED = {**_UNPRINTED, ord('"'): '\\"', ord("\\"): "\\\\"}
_NOWHERE = (None, None, None)


def text_line(values: Values) -> str:
    """Return a line as Istio's default format has it (C{meshConfig.accessLogFormat}); C{-}: no value."""
    return _TEXT % tuple("-" if value is None else value for value in values[:_TEXT_VALUES])


def json_line(values: Values) -> str:
    """Return a line of JSON; null: no value."""
    return json.dumps(dict(zip(NAMES, values, strict=True)), separators=(",", ":")) + "\n"


def request_values(exchange: Ended, duration: float, began: float) -> Values:
    """
    Return the fields of a request.

    @param duration: In seconds.
    @param began: When it began, in seconds since the epoch.
    """
    head = exchange.head
    fault = exchange.fault
    forwarded, number = exchange.forwarded_for, exchange.request_id
    agent = next((value for name, value in head.fields if name == b"user-agent"), None)
    connection = exchange.connection
    return (
        moment(began),
        shown(head.method) if head.method else None,
        shown(head.target) if head.target else None,
        f"HTTP/{head.version}" if head.version else None,
        exchange.status,
        flags_of(fault, exchange.flags),
        details_of(fault, exchange.details, exchange.upstream),
        None,
        failure_of(fault),
        exchange.received,
        exchange.sent,
        milliseconds(duration),
        exchange.upstream_time if exchange.upstream_time >= 0 else None,
        shown(forwarded) if forwarded else None,
        None if agent is None else shown(agent),
        shown(number) if number else None,
        shown(head.authority) if head.authority else None,
        *_upstream(exchange),
        str(connection.local),
        str(connection.peer),
        connection.server_name or None,
        *_route(exchange.route),
        None if exchange.policy is None else exchange.policy.resource,
        None if exchange.policy is None else str(exchange.policy),
    )


def relay_values(relay: RelayEnd, duration: float, began: float) -> Values:
    """Return the fields of a relay; see L{request_values}."""
    return _stream_values(relay.connection, duration, began, flags_of(relay.fault), termination_of(relay), relay)


def rejected_values(rejected: RejectedConnection, duration: float, began: float) -> Values:
    """Return the fields of a connection that came to nothing; see L{request_values}."""
    flags = "NR" if rejected.unknown else None
    return _stream_values(rejected, duration, began, flags, termination_of(rejected), None)


# Parts of a line that are made in one way, whatever its format -------------------------------------------------------


def flags_of(fault: Fault | None, others: str = "") -> str | None:
    """
    Return response flags with commas; L{None} where there are none.

    @param others: Those beside the fault's, with commas.
    """
    if fault is None and not others:
        return None
    return ",".join(response_flags(fault, others)) or None


def details_of(fault: Fault | None, details: str, upstream: object | None) -> str:
    """
    Return whose response it was, or why there was none.

    @param details: Which filter answered, or empty.
    @param upstream: The backend that was asked; L{None}: there was none.
    """
    if fault is not None:
        return fault.details
    return details or ("direct_response" if upstream is None else "via_upstream")


def failure_of(fault: Fault | None) -> str | None:
    """Return why a backend could not be connected to, if that is what went wrong."""
    return underscored(fault.reason) if fault is not None and fault.flag == "UF" else None


def termination_of(ended: RelayEnd | RejectedConnection) -> str | None:
    """Return why a relay or a connection ended; L{None}: it was at its end."""
    if isinstance(ended, RejectedConnection):
        return "filter_chain_not_found" if ended.unknown else underscored(ended.reason)
    return None if ended.fault is None else ended.fault.details


def underscored(reason: str) -> str:
    """Return a phrase as one word."""
    return reason.replace(" ", "_")


def milliseconds(seconds: float) -> int:
    """Return whole milliseconds, cut as Envoy cuts them."""
    return int(seconds * 1000)


def moment(seconds: float) -> str:
    """Return a time as RFC 3339 has it, to the millisecond: C{2026-03-01T12:00:00.123Z}."""
    milliseconds = int(seconds * 1000)
    return f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03d}Z"


def shown(data: bytes) -> str:
    """Return what somebody sent so that it stays on one line, within its quotes."""
    text = data.decode("latin-1")
    return text if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text else _escaped(text)


def _escaped(text: str) -> str:
    return text.translate(_QUOTED)


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds))


def _stream_values(
    connection: Connection, duration: float, began: float, flags: str | None, why: str | None, relay: RelayEnd | None
) -> Values:
    return (
        moment(began),
        None,
        None,
        None,
        0,
        flags,
        None,
        why,
        None if relay is None else failure_of(relay.fault),
        0 if relay is None else relay.received,
        0 if relay is None else relay.sent,
        milliseconds(duration),
        None,
        None,
        None,
        None,
        None,
        *(_NOWHERE if relay is None else _upstream(relay)),
        str(connection.local),
        str(connection.peer),
        connection.server_name or None,
        *((None, None) if relay is None or relay.origin is None else _placed("", str(relay.origin))),
        None,
        None,
    )


def _upstream(ended: Ended | RelayEnd) -> Iterable[Value]:
    upstream, local = ended.upstream, ended.upstream_local
    return (
        None if upstream is None else str(upstream),
        ended.cluster or None,
        None if local is None else str(local),
    )


def _route(route: Route | None) -> Iterable[Value]:
    return (None, None) if route is None else _placed(route.name, str(route.origin))


def _placed(name: str, origin: str) -> Iterable[Value]:
    """Return a route's name and its place; one that has no name is called by its place."""
    name = name or origin
    return (name if name.isprintable() else _escaped(name), origin if origin.isprintable() else _escaped(origin))
