"""An observer that counts what happened."""

from __future__ import annotations

from edgegate.errors import response_flags
from edgegate.observe.events import Ended, RejectedConnection, RelayEnd


class Counters:
    """
    Counts what the data plane tells; an C{edgegate.observe.observer.Observer}.

    @ivar connections: Clients' connections that were taken.
    @ivar refused: Those that were closed at once because there were too many.
    @ivar rejected: Those that ended before anything was served: by their ClientHello, their handshake, their silence.
    @ivar relays: Relays that ended.
    @ivar requests: Requests that ended, well or badly.
    @ivar statuses: Requests by the hundreds of their status; 0: without a response.
    @ivar flags: Requests and relays with a fault, by its response flag.
    @ivar sent: Bytes of responses' bodies and relays to clients.
    @ivar received: Bytes of requests' bodies and relays from clients.
    """

    __slots__ = (
        "connections",
        "flags",
        "received",
        "refused",
        "rejected",
        "relays",
        "requests",
        "sent",
        "statuses",
    )

    def __init__(self) -> None:
        self.connections = self.refused = self.rejected = self.relays = self.requests = 0
        self.sent = self.received = 0
        self.statuses = [0] * 6
        self.flags: dict[str, int] = {}

    def request_ended(self, exchange: Ended) -> None:
        """A request ended."""
        self.requests += 1
        self.statuses[exchange.status // 100] += 1
        self.sent += exchange.sent
        self.received += exchange.received
        if exchange.fault is not None or exchange.flags:
            self._count(response_flags(exchange.fault, exchange.flags))

    def relay_ended(self, relay: RelayEnd) -> None:
        """A relay ended."""
        self.relays += 1
        self.sent += relay.sent
        self.received += relay.received
        if relay.fault is not None:
            self._count(response_flags(relay.fault))

    def connection_taken(self) -> None:
        """A client's connection was taken."""
        self.connections += 1

    def connection_refused(self) -> None:
        """There are too many connections: one was closed at once."""
        self.refused += 1

    def connection_rejected(self, rejected: RejectedConnection) -> None:
        """A connection ended before anything was served on it."""
        self.rejected += 1

    def _count(self, flags: list[str]) -> None:
        for flag in flags:
            self.flags[flag] = self.flags.get(flag, 0) + 1
