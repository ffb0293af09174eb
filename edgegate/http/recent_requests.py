# Hot path: told of each request, where they are kept.
"""
Keeps the last requests in memory, with their tries, for whoever asks for one by its id (C{--recent-requests}).

What is kept is small and holds nothing of a connection: what it is to be shown as is made when somebody asks. What
secret headers say is left out before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from time import monotonic, time
from typing import Final

from edgegate.errors import Fault, response_flags
from edgegate.http.exchange import Exchange
from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import Field
from edgegate.http.selection import virtual_host
from edgegate.model.addresses import Address
from edgegate.model.origin import Origin
from edgegate.observe.events import Ended, UpstreamTry
from edgegate.observe.log_lines import details_of, moment
from edgegate.observe.tap import MOST_CHARACTERS, REDACTED, SENSITIVE, Tapped, shown_text

MOST_BYTES: Final = 4096
"""Bytes of a head's fields that are kept, with L{FIELD} for each of them."""

FIELD: Final = 128
"""Bytes that each field is taken for beside its name and value: so much it takes of memory."""

MOST_ID: Final = 256
"""Bytes of an id that are kept, and may be looked for: behind trusted proxies clients choose them."""

MOST_FOUND: Final = 20
"""Requests of one id that are shown: clients behind trusted proxies may send the same one again."""

_REDACTED: Final = REDACTED.encode()
_CUT: Final = (b"...", b"")


class KeptTry:
    """
    One try; see L{UpstreamTry}.

    @ivar after: Seconds from the request's beginning to its own.
    """

    __slots__ = ("after", "endpoint", "fault", "number", "reused", "seconds", "status")

    def __init__(self, tried: UpstreamTry) -> None:
        self.number = tried.number
        self.endpoint = tried.endpoint
        self.after = tried.started - tried.exchange.started
        self.seconds = tried.seconds
        self.status = tried.status
        self.fault = tried.fault
        self.reused = tried.reused

    def told(self) -> Tapped:
        """Return it for JSON; a try that has neither a status nor a fault was given up, as its client had left."""
        fault = self.fault
        return {
            "number": self.number,
            "endpoint": str(self.endpoint),
            "after_ms": round(self.after * 1000, 3),
            "ms": round(self.seconds * 1000, 3),
            "status": self.status,
            "flag": None if fault is None else fault.flag,
            "reason": None if fault is None else fault.reason,
            "connection": "kept" if self.reused else "new",
        }


class KeptRequest:
    """
    A request that ended; see L{Exchange}.

    @ivar ended: When, in seconds of L{monotonic}.
    @ivar fields: Of the request's head, without secrets; C{response_fields} those of the response.
    """

    __slots__ = (
        "authority",
        "cluster",
        "details",
        "domain",
        "ended",
        "fault",
        "fields",
        "flags",
        "local",
        "method",
        "name",
        "origin",
        "peer",
        "port",
        "received",
        "request_id",
        "response_fields",
        "scheme",
        "sent",
        "server_name",
        "started",
        "status",
        "target",
        "tls",
        "tries",
        "uploaded",
        "upstream_time",
        "version",
    )

    def __init__(self, exchange: Exchange, tries: list[KeptTry], secret: frozenset[bytes]) -> None:
        head, connection, route, response = exchange.head, exchange.connection, exchange.route, exchange.response
        host = virtual_host(connection, head.host)
        self.request_id = exchange.request_id[:MOST_ID]
        self.started = exchange.started
        self.ended = monotonic()
        self.uploaded = exchange.uploaded
        self.method = head.method
        self.target = head.target[: MOST_CHARACTERS + 1]
        self.authority = head.authority[: MOST_CHARACTERS + 1]
        self.version = head.version
        self.scheme = exchange.scheme
        self.fields = kept_fields(head.fields, secret)
        self.peer: Address = connection.peer
        self.local: Address = connection.local
        self.port = connection.listener.port
        self.tls = connection.tls
        self.server_name = connection.server_name
        self.domain = "" if host is None else host.domain
        self.name = "" if route is None else route.name
        self.origin: Origin | None = None if route is None else route.origin
        self.cluster = exchange.cluster
        self.status = exchange.status
        self.fault: Fault | None = exchange.fault
        self.flags = exchange.flags
        self.details = details_of(exchange.fault, exchange.details, exchange.upstream)
        self.response_fields: list[Field] = []
        if response is not None:
            self.response_fields = kept_fields(response.fields, secret, exchange.response_fields)
        self.received = exchange.received
        self.sent = exchange.sent
        self.upstream_time = exchange.upstream_time
        self.tries = tries

    def summary(self, ahead: float) -> Tapped:
        """
        Return what a list shows of it, for JSON.

        @param ahead: How many seconds the time since the epoch is ahead of L{monotonic}.
        """
        last = self.tries[-1] if self.tries else None
        return {
            "time": moment(self.started + ahead),
            "request_id": shown_text(self.request_id),
            "method": shown_text(self.method),
            "authority": shown_text(self.authority),
            "target": shown_text(self.target),
            "status": self.status,
            "flags": response_flags(self.fault, self.flags),
            "duration_ms": round((self.ended - self.started) * 1000, 3),
            "tries": len(self.tries),
            "endpoint": None if last is None else str(last.endpoint),
            "file": None if self.origin is None else str(self.origin),
        }

    def story(self, ahead: float) -> Tapped:
        """Return all of it, for JSON; see L{summary}."""
        fault = self.fault
        return {
            **self.summary(ahead),
            "client": str(self.peer),
            "connected_to": str(self.local),
            "port": self.port,
            "tls": self.tls,
            "sni": self.server_name or None,
            "protocol": f"HTTP/{self.version}",
            "scheme": shown_text(self.scheme),
            "request_headers": [[shown_text(name), shown_text(value)] for name, value in self.fields],
            "received_bytes": self.received,
            "request_whole_ms": round((self.uploaded - self.started) * 1000, 3) if self.uploaded else None,
            "virtual_host": self.domain or None,
            "route": self.name or None,
            "cluster": self.cluster or None,
            "tries": [each.told() for each in self.tries],
            "upstream_ms": self.upstream_time if self.upstream_time >= 0 else None,
            "details": self.details,
            "reason": None if fault is None else fault.reason,
            "response_headers": [[shown_text(name), shown_text(value)] for name, value in self.response_fields],
            "sent_bytes": self.sent,
        }


class RecentRequests:
    """
    The last requests; an observer of their beginnings, tries and ends.

    Each request gets its id when it begins, those included that no backend is asked for.
    """

    __slots__ = ("_kept", "_secret", "_under_way")

    def __init__(self, most: int, redacted: frozenset[bytes] = frozenset()) -> None:
        """
        @param most: How many are kept.
        @param redacted: Headers besides L{SENSITIVE} whose values are not kept, in lower case.
        """
        self._kept: deque[KeptRequest] = deque(maxlen=most)
        # by the identity of the exchange, which is its own until it ends
        self._under_way: dict[int, list[KeptTry]] = {}
        self._secret = SENSITIVE | redacted

    def request_began(self, exchange: Ended) -> None:
        """A request begins."""
        assert isinstance(exchange, Exchange)
        if not exchange.request_id:
            exchange.request_id = exchange.stream.client.request_id(exchange.head)
        self._under_way[id(exchange)] = []

    def upstream_tried(self, tried: UpstreamTry) -> None:
        """The outcome of a try is known."""
        tries = self._under_way.get(id(tried.exchange))
        if tries is not None:
            tries.append(KeptTry(tried))

    def request_ended(self, exchange: Ended) -> None:
        """A request ended."""
        assert isinstance(exchange, Exchange)
        tries = self._under_way.pop(id(exchange), None)
        self._kept.append(KeptRequest(exchange, [] if tries is None else tries, self._secret))

    def found(self, request_id: str) -> list[Tapped]:
        """Return the stories of the requests of an id, the last one first; L{MOST_FOUND} at the most."""
        wanted, ahead = request_id.encode("latin-1", "replace"), time() - monotonic()
        found: list[Tapped] = []
        for each in reversed(self._kept):
            if each.request_id == wanted:
                found.append(each.story(ahead))
                if len(found) == MOST_FOUND:
                    break
        return found

    def latest(self, count: int) -> list[Tapped]:
        """Return what a list shows of so many, the last one first."""
        ahead = time() - monotonic()
        found: list[Tapped] = []
        for each in reversed(self._kept):
            if len(found) == count:
                break
            found.append(each.summary(ahead))
        return found


def kept_fields(fields: Sequence[Field], secret: frozenset[bytes], more: Iterable[FieldBlock] = ()) -> list[Field]:
    """
    Return what is kept of a head's fields: up to L{MOST_BYTES}, and of secrets that they were there.

    @param secret: Names whose values are not kept.
    @param more: Further fields of the head.
    """
    found: list[Field] = []
    left = MOST_BYTES
    for field in fields:
        name, value = field
        left -= len(name) + len(value) + FIELD
        if left < 0:
            found.append(_CUT)
            return found
        found.append((name, _REDACTED) if name in secret else field)
    # those of the gateway's own, and of the files
    for block in more:
        for name, value in block.fields:
            found.append((name, _REDACTED if name in secret else value))
    return found
