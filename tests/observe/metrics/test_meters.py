"""Tests of L{edgegate.observe.metrics.meters}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.metrics.families import DESTINATION, HTTP, LISTENERS, MESSAGES, OWN, REJECTED, RELAYS, REQUESTS
from edgegate.observe.metrics.meters import (
    MOST_SERIES,
    NO_DESTINATION,
    OTHER,
    ListenerMeter,
    Meters,
)

WEB = ("web", *NO_DESTINATION[1:])


class MetersTests(SynchronousTestCase):
    """All numbers of a process."""

    def test_same(self) -> None:
        """Whoever asks for the same destination counts in the same series: a reload goes on counting."""
        meters = Meters()
        one, other = meters.meter("web", WEB), meters.meter("web", WEB)
        self.assertIs(one.requests(200, "-", None), other.requests(200, "-", None))
        self.assertIs(one.cluster, meters.meter("web", ("v2", *WEB[1:])).cluster)
        self.assertIsNot(one.requests(200, "-", None), one.requests(404, "NR", None))
        self.assertIs(one.requests(200, "-", None), other.requests(200, "-", None))

    def test_labels(self) -> None:
        """A request is told apart by protocol, status, status of gRPC and flags."""
        meter = Meters().meter("web", WEB)
        for code, flags, grpc, expected in (
            (200, "-", None, ("http", "200", "", "-")),
            (200, "-", "0", ("grpc", "200", "0", "-")),
            (200, "-", "", ("grpc", "200", "", "-")),
            (0, "DC", None, ("http", "0", "", "DC")),
        ):
            self.assertEqual(meter.requests(code, flags, grpc).labels, (*WEB, *expected))
        self.assertEqual(len(DESTINATION), len(WEB))

    def test_destinations(self) -> None:
        """Clusters beyond the bound are counted as one; workloads of one that is known are told apart."""
        meters = Meters(2)
        meters.meter("a", WEB)
        meters.meter("a", ("v2", *WEB[1:]))
        meters.meter("b", WEB)
        third = meters.meter("c", WEB)
        self.assertEqual((third.cluster.labels, third.destination), ((OTHER,), (OTHER,) * len(DESTINATION)))
        self.assertIs(meters.meter("d", WEB), third)
        self.assertIsNot(meters.meter("a", ("v3", *WEB[1:])), third)

    def test_statuses(self) -> None:
        """A backend that makes up statuses makes a bounded number of series."""
        meter = Meters().meter("web", WEB)
        made = {meter.requests(code, "-", None) for code in range(1000)}
        self.assertEqual(len(made), MOST_SERIES + 1)
        self.assertEqual(meter.requests(999, "-", None).labels[-3:], (OTHER, "", OTHER))
        self.assertEqual(meter.requests(1, "-", None).labels[-3], "1")

    def test_drained(self) -> None:
        """What one process drains another adds up; nothing is counted twice, and what was not touched is not told."""
        here, there = Meters(), Meters()
        meter = here.meter("web", WEB)
        here.meter("never", WEB)
        for _ in range(2):
            meter.count_relay(2, 100)
            meter.count_messages(1, 2)
            here.count(REJECTED, ("timeout",))
            there.add(here.drain())
            self.assertTrue(here.drained)
            there.add(here.drain())
        (relays,), (messages,), (rejected,) = (there.of(kind) for kind in (RELAYS, MESSAGES, REJECTED))
        self.assertEqual((relays.numbers, relays.labels), ([0, 0, 200, 0], (*WEB, "tcp", "-")))
        self.assertEqual((messages.numbers, rejected.numbers), ([2, 4], [2]))
        self.assertEqual((here.of(RELAYS), there.of(REQUESTS), there.of(OWN)), ([], [], []))

    def test_drained_in_pieces(self) -> None:
        """What is not taken at once is left for the next time, and what could not be told may be given back."""
        meters = Meters()
        for number in range(5):
            meters.count(REJECTED, (str(number),))
        batch = meters.drain(2)
        self.assertEqual(([labels for _, labels, _ in batch], meters.drained), ([("0",), ("1",)], False))
        meters.add(batch)
        self.assertEqual(len(meters.drain()), 5)

    def test_listener(self) -> None:
        """A port's connections and requests are counted by its address."""
        meters = Meters()
        meter = ListenerMeter(meters, "0.0.0.0_8080")
        meter.count(0)
        ListenerMeter(meters, "0.0.0.0_8080").count(0)
        meter.count_http()
        self.assertEqual([(each.labels, each.numbers[0]) for each in meters.of(LISTENERS)], [(("0.0.0.0_8080",), 2)])
        self.assertEqual([each.labels for each in meters.of(HTTP)], [("outbound_0.0.0.0_8080",)])
