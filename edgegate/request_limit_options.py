"""The options of C{twistd edgegate} that say what clients may send, and what they make wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgegate.http.fields import Underscores
from edgegate.http.h2.flow import CONNECTION_WINDOW
from edgegate.http.limits import Limits
from edgegate.option_values import parse_size
from edgegate.overload.limits import NO_LIMIT

PARAMETERS = [
    [
        "headers-with-underscores",
        None,
        None,
        "What becomes of requests' headers with an underscore in their name (Envoy's "
        "headers_with_underscores_action): allow, drop, or reject the request. [default: as MeshConfig says, else "
        f"{Underscores.ALLOW.value}]",
    ],
    [
        "unfinished-heads",
        None,
        "64MiB",
        "How much the beginnings of requests' heads may hold together while the rest is waited for; past it the "
        "largest get 431.",
    ],
    [
        "http2-buffers",
        None,
        "64MiB",
        "How much the connections of HTTP/2 clients may keep together until a client or a backend goes on; past it "
        "those that keep most are ended.",
    ],
    [
        "body-min-rate",
        None,
        "240",
        "Bytes a second that a request's body must bring on average until its answer begins; 0: at whatever rate.",
    ],
    [
        "max-request-bytes",
        None,
        "none",
        "The most that a request's body may have, such as 10MiB, or none; more gets 413.",
    ],
]


def request_limits(options: Mapping[str, Any]) -> Limits:
    """
    Return what clients may send.

    @raise ValueError: One of them is wrong.
    """
    try:
        underscores = Underscores(options["headers-with-underscores"] or Underscores.ALLOW)
    except ValueError:
        known = ", ".join(each.value for each in Underscores)
        raise ValueError(f"--headers-with-underscores is one of {known}") from None
    heads = _size(options, "unfinished-heads", Limits().head_bytes, "the most that one head may have")
    http2 = _size(options, "http2-buffers", CONNECTION_WINDOW, "the most of bodies that one connection may have")
    none = options["max-request-bytes"] == "none"
    return Limits(
        underscores=underscores,
        body_bytes=NO_LIMIT if none else _size(options, "max-request-bytes"),
        unfinished_heads_bytes=heads,
        http2_bytes=http2,
        body_rate=_size(options, "body-min-rate"),
    )


def _size(options: Mapping[str, str], option: str, least: int = 0, what: str = "") -> int:
    try:
        size = parse_size(options[option])
    except ValueError as error:
        raise ValueError(f"--{option}: {error}") from None
    if size < least:
        raise ValueError(f"--{option} is at least {least}, {what}")
    return size
