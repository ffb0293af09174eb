"""Counts relays and connections for Prometheus; an C{edgegate.observe.observer.Observer}."""

from __future__ import annotations

from edgegate.errors import STREAM_IDLE, response_flags
from edgegate.observe.events import RejectedConnection, RelayEnd
from edgegate.observe.metrics.families import REJECTED
from edgegate.observe.metrics.meters import Meters

OPENED, CLOSED, SENT, RECEIVED = 0, 1, 2, 3
"""Numbers of L{edgegate.observe.metrics.families.RELAYS}."""

CLUSTER_RECEIVED, CLUSTER_SENT = 13, 14
"""Numbers of L{edgegate.observe.metrics.families.CLUSTERS}."""


TCP_OPENED, TCP_RECEIVED, TCP_SENT, TCP_IDLE = 0, 1, 2, 3
"""Numbers of L{edgegate.observe.metrics.families.TCP}."""


class ConnectionMetrics:
    """Counts what becomes of connections that carry no request."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters

    def connection_rejected(self, rejected: RejectedConnection) -> None:
        """A connection ended before anything was served on it."""
        self._meters.count(REJECTED, (rejected.reason,))

    def relay_ended(self, relay: RelayEnd) -> None:
        """A relay ended."""
        meter = relay.meter
        if meter is None:
            # it never had an endpoint
            meter = relay.meter = self._meters.unknown
            meter.count_relay(OPENED, 1)
        elif relay.fault is STREAM_IDLE:
            meter.count_tcp(TCP_IDLE)
        flags = ",".join(response_flags(relay.fault)) or "-"
        count_bytes(relay, relay.received, relay.sent, flags)
        meter.count_relay(CLOSED, 1, flags)


def count_opened(relay: RelayEnd) -> None:
    """A relay has its backend."""
    if relay.meter is not None:
        relay.meter.count_relay(OPENED, 1)
        relay.meter.count_tcp(TCP_OPENED)


def count_bytes(relay: RelayEnd, received: int, sent: int, flags: str = "-") -> None:
    """
    Count what a relay has carried since this was last told: relays may go on for days.

    @param received: Bytes from the client so far; C{sent} likewise to the client.
    """
    meter = relay.meter
    if meter is None:
        return
    more_received, more_sent = received - relay.counted_received, sent - relay.counted_sent
    relay.counted_received, relay.counted_sent = received, sent
    if more_received:
        meter.count_relay(RECEIVED, more_received, flags)
        meter.count_cluster(CLUSTER_SENT, more_received)
        meter.count_tcp(TCP_RECEIVED, more_received)
    if more_sent:
        meter.count_relay(SENT, more_sent, flags)
        meter.count_cluster(CLUSTER_RECEIVED, more_sent)
        meter.count_tcp(TCP_SENT, more_sent)
