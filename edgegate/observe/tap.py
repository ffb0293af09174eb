"""
A tap: a look at requests as they end, their heads and times, for an operator who asks for it.

Nothing of bodies is in one, nor what headers that are secret say. It is an observer as long as somebody looks, and
nothing at all else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic, time

from edgegate.errors import response_flags
from edgegate.observe.events import Ended
from edgegate.observe.log_lines import moment

SENSITIVE = frozenset(
    (b"authorization", b"proxy-authorization", b"cookie", b"set-cookie", b"x-forwarded-client-cert"),
)
"""Headers whose values are never shown."""

REDACTED = "[redacted]"

MOST_HEADERS = 100
"""Headers of a head that are shown."""

MOST_CHARACTERS = 1024
"""Characters of a value that are shown."""

Field = tuple[bytes, bytes]
Tapped = dict[str, object]
"""What is shown of a request, as JSON has it."""

LOST = "lost_before"
"""Beside that, from a worker: how many before it could not be shown."""


@dataclass(frozen=True, slots=True)
class TapFilter:
    """
    Which requests are looked at: those that all of this is true of; what is empty is true of all.

    @ivar host: Its host, without a port and in lower case; C{*.example} is each below C{example}.
    @ivar path: What its path begins with.
    @ivar status: C{503}, or C{5xx}; C{0}: no response began.
    @ivar flag: One of its response flags.
    @ivar requests: How many, at the most.
    @ivar redacted: Headers besides L{SENSITIVE} whose values are not shown, in lower case.
    """

    host: str = ""
    path: str = ""
    method: str = ""
    status: str = ""
    flag: str = ""
    requests: int = 1
    redacted: frozenset[bytes] = frozenset()

    def wants(self, exchange: Ended) -> bool:
        """Return whether a request that ended is one of them."""
        head = exchange.head
        if self.method and head.method != self.method.encode("latin-1"):
            return False
        if self.path and not head.target.startswith(self.path.encode("latin-1")):
            return False
        if self.host and not is_host(self.host, head.authority):
            return False
        if self.status and not self._has_status(exchange.status):
            return False
        return not self.flag or self.flag in response_flags(exchange.fault, exchange.flags)

    def _has_status(self, status: int) -> bool:
        return f"{status // 100}xx" == self.status if self.status.endswith("xx") else str(status) == self.status


def is_host(wanted: str, authority: bytes) -> bool:
    """
    Return whether an authority has a host, whatever its port.

    @param wanted: In lower case; C{*.example} is each below C{example}.
    """
    host = authority.decode("latin-1").lower()
    head, colon, port = host.rpartition(":")
    if colon and (port.isdigit() or not port):
        host = head
    return host.endswith(wanted[1:]) if wanted.startswith("*") else host == wanted


class Tap:
    """Shows requests that end; an L{edgegate.observe.observer.RequestEnded}."""

    def __init__(self, wanted: TapFilter, show: Callable[[Tapped], bool]) -> None:
        """
        @param show: Takes what is shown of a request; returns whether it could. What it could not is none of those
            that are wanted.
        """
        self._wanted = wanted
        self._show = show
        self._left = wanted.requests
        self._secret = SENSITIVE | wanted.redacted

    def request_ended(self, exchange: Ended) -> None:
        """Show a request, if it is one of those."""
        if self._left and self._wanted.wants(exchange):
            self._left -= self._show(self._tapped(exchange))

    def _tapped(self, exchange: Ended) -> Tapped:
        head, response, route = exchange.head, exchange.response, exchange.route
        seconds, upstream = monotonic() - exchange.started, exchange.upstream
        return {
            "time": moment(time() - seconds),
            "duration_ms": round(seconds * 1000, 3),
            "upstream_ms": exchange.upstream_time if exchange.upstream_time >= 0 else None,
            "client": str(exchange.connection.peer),
            "sni": exchange.connection.server_name or None,
            "method": shown_text(head.method),
            "target": shown_text(head.target),
            "authority": shown_text(head.authority),
            "protocol": f"HTTP/{head.version}" if head.version else None,
            "request_headers": self._headers(head.fields),
            "status": exchange.status,
            "flags": list(response_flags(exchange.fault, exchange.flags)),
            "reason": None if exchange.fault is None else exchange.fault.reason,
            "response_headers": [] if response is None else self._headers(response.fields),
            "received_bytes": exchange.received,
            "sent_bytes": exchange.sent,
            "attempts": exchange.attempts,
            "cluster": exchange.cluster or None,
            "upstream": None if upstream is None else str(upstream),
            "route": None if route is None else route.name or None,
            "file": None if route is None else str(route.origin),
            "request_id": shown_text(exchange.request_id) or None,
        }

    def _headers(self, fields: Iterable[Field]) -> list[list[str]]:
        shown: list[list[str]] = []
        for name, value in fields:
            if len(shown) == MOST_HEADERS:
                shown.append(["...", ""])
                break
            shown.append([shown_text(name), REDACTED if name in self._secret else shown_text(value)])
        return shown


def shown_text(data: bytes) -> str:
    """Return what somebody sent, up to L{MOST_CHARACTERS}."""
    text = data[: MOST_CHARACTERS + 1].decode("latin-1")
    return f"{text[:MOST_CHARACTERS]}..." if len(text) > MOST_CHARACTERS else text
