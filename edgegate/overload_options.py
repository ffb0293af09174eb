"""The options of C{twistd edgegate} that say how much there may be at one time."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from edgegate.option_values import parse_limit, parse_seconds, parse_size
from edgegate.overload.limits import NO_LIMIT, REQUESTS, OverloadLimits

PARAMETERS = [
    [
        "max-connections",
        None,
        None,
        "Clients' connections at one time; those that lie idle give way, and others wait. [default: what the limit on "
        "descriptors allows]",
    ],
    ["max-connections-per-listener", None, "none", "The same of each port: a number, or none."],
    [
        "max-connections-per-client",
        None,
        None,
        "The same of each client address, or of each /64 of IPv6: a number, or none. More are closed at once. "
        "[default: half of all, and none behind proxies (--trusted-hops)]",
    ],
    [
        "max-handshakes",
        None,
        None,
        "Connections of each port that shake hands; of more the oldest ends. [default: 1000, but at most half of all]",
    ],
    [
        "max-requests",
        None,
        str(REQUESTS),
        "Requests that are under way at one time, or none; more get 503 with retry-after.",
    ],
    [
        "max-requests-per-client",
        None,
        None,
        "The same of each client address, or of each /64 of IPv6: a number, or none. [default: half of all, and none "
        "behind proxies (--trusted-hops)]",
    ],
    [
        "max-request-duration",
        None,
        "none",
        "How long a request may take in all, such as 5m, or none; it ends with 504, or 408 while its client still "
        "sends. Tunnels and calls of gRPC may last.",
    ],
    ["max-grpc-duration", None, "none", "The same of calls of gRPC."],
    [
        "max-lag",
        None,
        "500ms",
        "How long each turn of the loop may take for a second on end, such as 500ms, or none; while it takes longer "
        "new requests get 503 with retry-after.",
    ],
    [
        "max-buffer-bytes",
        None,
        None,
        "Bytes that wait because clients or backends don't keep up, such as 256MiB, or none; above it no more is read "
        "for them, and new requests get 503. [default: a quarter of the memory]",
    ],
    [
        "max-connection-requests",
        None,
        "none",
        "Requests of one connection, which ends with the last of them: a number, or none.",
    ],
    [
        "max-connection-age",
        None,
        "none",
        "How long a connection may take requests, such as 1h, or none; it ends with what is under way on it.",
    ],
]
"""As in L{twisted.python.usage.Options}."""


def overload_limits(options: Mapping[str, str | None]) -> OverloadLimits:
    """
    Read them.

    @raise ValueError: One can't be understood; its name is said.
    """
    return OverloadLimits(
        connections=_limit(options, "max-connections", none=False),
        listener_connections=_limit(options, "max-connections-per-listener") or NO_LIMIT,
        client_connections=_limit(options, "max-connections-per-client"),
        handshakes=_limit(options, "max-handshakes", none=False),
        requests=_limit(options, "max-requests") or NO_LIMIT,
        client_requests=_limit(options, "max-requests-per-client"),
        request_seconds=_seconds(options, "max-request-duration"),
        grpc_seconds=_seconds(options, "max-grpc-duration"),
        lag=_seconds(options, "max-lag"),
        buffer_bytes=_size(options, "max-buffer-bytes"),
        connection_requests=_limit(options, "max-connection-requests") or NO_LIMIT,
        connection_seconds=_seconds(options, "max-connection-age"),
    )


def _size(options: Mapping[str, str | None], name: str) -> int | None:
    text = options[name]
    if text is None or text == "none":
        return None if text is None else NO_LIMIT
    try:
        found = parse_size(text)
    except ValueError as error:
        raise ValueError(f"--{name}: {error}, or none") from None
    if not found:
        raise ValueError(f"--{name} is more than 0")
    return found


def _seconds(options: Mapping[str, str | None], name: str) -> float:
    text = options[name] or "none"
    if text == "none":
        return inf
    try:
        found = parse_seconds(text)
    except ValueError as error:
        raise ValueError(f"--{name}: {error}, or none") from None
    if not found:
        raise ValueError(f"--{name} is more than 0")
    return found


def _limit(options: Mapping[str, str | None], name: str, none: bool = True) -> int | None:
    text = options[name]
    if text is None:
        return None
    try:
        found = parse_limit(text, none)
    except ValueError as error:
        raise ValueError(f"--{name}: {error}") from None
    return NO_LIMIT if found is None else found
