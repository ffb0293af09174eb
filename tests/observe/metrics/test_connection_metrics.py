"""Tests of L{edgegate.observe.metrics.connection_metrics}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED, STREAM_IDLE
from edgegate.observe.events import RejectedConnection, RelayEnd
from edgegate.observe.metrics.connection_metrics import ConnectionMetrics, count_bytes, count_opened
from edgegate.observe.metrics.families import CLUSTERS, REJECTED, RELAYS, TCP
from edgegate.observe.metrics.label_bounds import MOST_REASONS, OTHER
from edgegate.observe.metrics.meters import NO_DESTINATION, Meters
from tests.observe.test_log_lines import AnyConnection

WEB = ("web", *NO_DESTINATION[1:])


class ConnectionMetricsTests(SynchronousTestCase):
    """Connections without requests."""

    def setUp(self) -> None:
        self.meters = Meters()
        self.metrics = ConnectionMetrics(self.meters)

    def relays(self) -> dict[tuple[str, str], list[int]]:
        """Return the numbers of relays by workload and flags."""
        return {(each.labels[0], each.labels[-1]): each.numbers for each in self.meters.of(RELAYS)}

    def test_relay(self) -> None:
        """A relay is counted when it begins and when it ends, and its bytes once, however often somebody looks."""
        relay = RelayEnd(AnyConnection(), meter=self.meters.meter("web", WEB))
        count_opened(relay)
        count_bytes(relay, 10, 100)
        count_bytes(relay, 10, 100)
        count_bytes(relay, 15, 100)
        self.assertEqual(self.relays(), {("web", "-"): [1, 0, 100, 15]})
        relay.received, relay.sent = 20, 300
        self.metrics.relay_ended(relay)
        self.assertEqual(self.relays(), {("web", "-"): [1, 1, 300, 20]})
        (cluster,) = self.meters.of(CLUSTERS)
        self.assertEqual((cluster.labels, cluster.numbers[13:15]), (("web",), [300, 20]))
        (tcp,) = self.meters.of(TCP)
        self.assertEqual((tcp.labels, tcp.numbers), (("web",), [1, 20, 300, 0]))

    def test_fault(self) -> None:
        """One that breaks is closed with its flag; as many are closed as were opened."""
        relay = RelayEnd(AnyConnection(), STREAM_IDLE, meter=self.meters.meter("web", WEB))
        count_opened(relay)
        self.metrics.relay_ended(relay)
        self.assertEqual(self.relays(), {("web", "-"): [1, 0, 0, 0], ("web", "SI"): [0, 1, 0, 0]})
        (tcp,) = self.meters.of(TCP)
        self.assertEqual(tcp.numbers, [1, 0, 0, 1])

    def test_no_backend(self) -> None:
        """One that never had a backend was opened all the same."""
        relay = RelayEnd(AnyConnection(), CONNECT_REFUSED)
        count_opened(relay)
        count_bytes(relay, 1, 1)
        self.metrics.relay_ended(relay)
        self.assertEqual(self.relays(), {("unknown", "-"): [1, 0, 0, 0], ("unknown", "UF"): [0, 1, 0, 0]})
        self.assertEqual(self.meters.of(TCP), [])

    def test_rejected(self) -> None:
        """What came to nothing is counted by its reason; reasons have a bound."""
        for number in range(MOST_REASONS + 5):
            self.metrics.connection_rejected(RejectedConnection("peer", "local", f"reason {number}"))
        self.metrics.connection_rejected(RejectedConnection("peer", "local", "reason 0"))
        found = {each.labels[0]: each.numbers[0] for each in self.meters.of(REJECTED)}
        self.assertEqual((found["reason 0"], found[OTHER], len(found)), (2, 5, MOST_REASONS + 1))
