"""Tests of L{edgegate.observe.metrics.meters}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.metrics.families import (
    CLUSTERS,
    DESTINATION,
    HTTP,
    LISTENERS,
    MESSAGES,
    OWN,
    REJECTED,
    RELAYS,
    REQUESTS,
)
from edgegate.observe.metrics.label_bounds import MOST_DESTINATIONS, MOST_REASONS, MOST_SERIES, OTHER
from edgegate.observe.metrics.meters import NO_DESTINATION, ListenerMeter, Meters

WEB = ("web", *NO_DESTINATION[1:])


def service(host: str) -> tuple[str, ...]:
    """Return the values of a destination whose service has a host."""
    place = DESTINATION.index("destination_service")
    return (*NO_DESTINATION[:place], host, *NO_DESTINATION[place + 1 :])


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

    def test_destinations_of_others(self) -> None:
        """Of what several processes tell no more clusters are told apart; what each calls others stays that."""
        there = Meters(2)
        for host in ("a", "b", "c", "d"):
            here = Meters(2)
            meter = here.meter(f"outbound|80||{host}", service(host))
            meter.count_cluster(0)
            meter.count_relay(0, 1)
            here.unknown.count_relay(0, 1)
            there.add(here.drain())
        clusters = {each.labels[0]: each.numbers[0] for each in there.of(CLUSTERS)}
        self.assertEqual(clusters, {"outbound|80||a": 1, "outbound|80||b": 1, OTHER: 2})
        relays = {each.labels[:-2]: each.numbers[0] for each in there.of(RELAYS)}
        others = (OTHER,) * len(DESTINATION)
        self.assertEqual(relays, {service("a"): 1, service("b"): 1, others: 2, NO_DESTINATION: 4})

    def test_gone(self) -> None:
        """Clusters that are gone make room at once; their numbers are dropped the next time, and all else stays."""
        meters = Meters(2)
        held = [meters.meter(f"outbound|80||{host}", service(host)) for host in ("a", "b")]
        for meter in [*held, meters.unknown]:
            meter.count_cluster(0)
            meter.count_relay(0, 1)
        meters.serve(["outbound|80||b", "outbound|80||c"])
        new = meters.meter("outbound|80||c", service("c"))
        self.assertEqual(new.destination, service("c"))
        new.count_relay(0, 1)
        held[0].count_relay(0, 1)
        self.assertEqual([each.numbers[0] for each in meters.of(RELAYS)], [2, 1, 1, 1])
        meters.serve(["outbound|80||b", "outbound|80||c"])
        for meter in held:
            meter.count_cluster(0)
        self.assertEqual([each.labels[0] for each in meters.of(CLUSTERS)], ["unknown", "outbound|80||b"])
        destinations = [each.labels[: len(DESTINATION)] for each in meters.of(RELAYS)]
        self.assertEqual(set(destinations), {service("b"), NO_DESTINATION, service("c")})
        self.assertEqual(len(meters.drain()), 5)
        self.assertIs(meters.meter("outbound|80||b", service("b")), held[1])
        self.assertIsNot(meters.meter("outbound|80||a", service("a")), held[0])

    def test_back(self) -> None:
        """A cluster that is back soon goes on counting, as where files could not be served after all."""
        meters = Meters()
        meter = meters.meter("outbound|80||a", service("a"))
        meter.count_cluster(0)
        for served in ("b", "a", "a", "b", "a"):
            meters.serve([f"outbound|80||{served}"])
        self.assertIs(meters.meter("outbound|80||a", service("a")), meter)
        self.assertEqual([each.numbers[0] for each in meters.of(CLUSTERS)], [1])

    def test_statuses(self) -> None:
        """A backend that makes up statuses makes a bounded number of series."""
        meter = Meters().meter("web", WEB)
        made = {meter.requests(code, "-", None) for code in range(1000)}
        self.assertEqual(len(made), MOST_SERIES + 1)
        self.assertEqual(meter.requests(999, "-", None).labels[-3:], (OTHER, "", OTHER))
        self.assertEqual(meter.requests(1, "-", None).labels[-3], "1")

    def test_versions(self) -> None:
        """Files may name another version each day: what is over a bound keeps the name of its service alone."""
        meters = Meters()
        web = service("web")
        made = {meters.meter("outbound|80||web", (f"v{number}", *web[1:])) for number in range(MOST_DESTINATIONS + 9)}
        self.assertEqual(len(made), MOST_DESTINATIONS + 1)
        (others,) = [each for each in made if each.destination[0] == OTHER]
        told = dict(zip(DESTINATION, others.destination, strict=True))
        self.assertEqual((told["destination_service"], told["destination_version"]), ("web", OTHER))
        self.assertIs(others.cluster, meters.meter("outbound|80||web", web).cluster)
        other = meters.meter("outbound|80||b", ("v999", *service("b")[1:]))
        self.assertEqual(other.destination[0], "v999")
        for code in range(MOST_SERIES + 5):
            others.requests(code, "-", None)
        self.assertEqual(others.requests(200, "-", None).labels[-3:], (OTHER, "", OTHER))
        self.assertEqual(other.requests(200, "-", None).labels[-3:], ("200", "", "-"))

    def test_bounds_of_many(self) -> None:
        """What several processes tell is held to the bounds of one, and nothing of it is lost."""
        there = Meters()
        processes, destinations = 4, MOST_DESTINATIONS // 2
        for process in range(processes):
            here = Meters()
            for number in range(destinations):
                version = (f"v{process}.{number}", *service("web")[1:])
                here.meter("outbound|80||web", version).count_relay(0, 1)
            for number in range(MOST_SERIES // 2):
                code = process * 100 + number
                here.count(REQUESTS, (*service("b"), "http", str(code), "", "-"))
            for number in range(MOST_REASONS // 2):
                here.count(REJECTED, (f"{process}.{number}",))
            for _ in range(2):
                batch = here.drain()
                there.add(batch)
                there.add(batch)
        for kind, most, told in (
            (RELAYS, MOST_DESTINATIONS, destinations),
            (REQUESTS, MOST_SERIES, MOST_SERIES // 2),
            (REJECTED, MOST_REASONS, MOST_REASONS // 2),
        ):
            found = there.of(kind)
            self.assertEqual(len(found), most + 1, kind.name)
            self.assertEqual(sum(each.numbers[0] for each in found), 2 * processes * told, kind.name)

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
        self.assertEqual(([labels for _, labels, _, _ in batch], meters.drained), ([("0",), ("1",)], False))
        meters.add(batch)
        self.assertEqual(len(meters.drain()), 5)

    def test_exemplars(self) -> None:
        """The newest exemplar of each bucket is kept, whichever process has told it and in whatever order."""
        there = Meters()
        for place, at in ((2, 5.0), (3, 9.0), (3, 7.0)):
            here = Meters()
            series = here.meter("web", WEB).requests(200, "-", None)
            here.touch(REQUESTS, series)
            series.exemplars = {place: (b"%d" % at, 4, at)}
            batch = here.drain()
            self.assertEqual(series.exemplars, {})
            there.add(batch)
        (found,) = there.of(REQUESTS)
        self.assertEqual(found.exemplars, {2: (b"5", 4, 5.0), 3: (b"9", 4, 9.0)})

    def test_listener(self) -> None:
        """A port's connections and requests are counted by its address."""
        meters = Meters()
        meter = ListenerMeter(meters, "0.0.0.0_8080")
        meter.count(0)
        ListenerMeter(meters, "0.0.0.0_8080").count(0)
        meter.count_http()
        self.assertEqual([(each.labels, each.numbers[0]) for each in meters.of(LISTENERS)], [(("0.0.0.0_8080",), 2)])
        self.assertEqual([each.labels for each in meters.of(HTTP)], [("outbound_0.0.0.0_8080",)])
