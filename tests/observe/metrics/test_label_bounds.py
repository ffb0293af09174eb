"""Tests of L{edgegate.observe.metrics.label_bounds}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.metrics.families import CLUSTERS, DESTINATION, FAULTS, MESSAGES, REJECTED, RELAYS, REQUESTS, TCP
from edgegate.observe.metrics.label_bounds import (
    MOST_DESTINATIONS,
    MOST_REASONS,
    MOST_SERIES,
    MOST_TAGGED,
    OTHER,
    OTHER_DESTINATION,
    OTHER_STATUS,
    UNKNOWN,
    LabelBounds,
    service_of_name,
)


def destination(service: str, version: str = "v1") -> tuple[str, ...]:
    """Return the values of a destination."""
    known = {"destination_service": service, "destination_version": version}
    return tuple(known.get(name, UNKNOWN) for name in DESTINATION)


class LabelBoundsTests(SynchronousTestCase):
    """What there is room for."""

    def test_service(self) -> None:
        """The service of a cluster is its host, whatever port and subset it has."""
        for cluster, host in (
            ("outbound|80|v1|web.internal", "web.internal"),
            ("web", "web"),
            ("outbound|80||", "unknown"),
        ):
            self.assertEqual(service_of_name(cluster), host)

    def test_clusters(self) -> None:
        """Clusters beyond the bound are one; what went to none, and what others call so, is always told apart."""
        bounds = LabelBounds(2)
        found = [bounds.bounded(CLUSTERS.name, (name,)) for name in ("a", "b", "c", "a", UNKNOWN, OTHER)]
        self.assertEqual([name for (name,) in found], ["a", "b", OTHER, "a", UNKNOWN, OTHER])

    def test_services(self) -> None:
        """So are services: no label of those beyond the bound is left, and those behind them are."""
        bounds = LabelBounds(1)
        self.assertEqual(bounds.bounded(MESSAGES.name, destination("a")), destination("a"))
        self.assertEqual(bounds.bounded(MESSAGES.name, destination("b")), OTHER_DESTINATION)
        ended = ("http", "200", "", "-")
        self.assertEqual(bounds.bounded(REQUESTS.name, (*destination("b"), *ended)), (*OTHER_DESTINATION, *ended))
        self.assertEqual(bounds.bounded(RELAYS.name, (*destination("a"), "tcp", "-")), (*destination("a"), "tcp", "-"))

    def test_destinations(self) -> None:
        """Of one service's destinations those beyond the bound keep the service's labels alone."""
        bounds = LabelBounds()
        for number in range(MOST_DESTINATIONS):
            labels = destination("a", f"v{number}")
            self.assertEqual(bounds.destination(labels), labels)
        over = bounds.destination(destination("a", "new"))
        named = {name: value for name, value in zip(DESTINATION, over, strict=True) if value != OTHER}
        self.assertEqual(
            named,
            {
                "destination_service": "a",
                "destination_service_name": UNKNOWN,
                "destination_service_namespace": UNKNOWN,
            },
        )
        self.assertEqual(bounds.destination(over), over)
        self.assertEqual(bounds.destination(destination("a", "v1")), destination("a", "v1"))
        self.assertEqual(bounds.destination(destination("b", "new")), destination("b", "new"))

    def test_statuses(self) -> None:
        """However often one asks for the same, a destination has so many series of requests, and one of all others."""
        bounds = LabelBounds()
        for _ in range(2):
            for code in range(MOST_SERIES):
                labels = (*destination("a"), "http", str(code), "", "-")
                self.assertEqual(bounds.bounded(REQUESTS.name, labels), labels)
            over = (*destination("a"), "http", "999", "", "-")
            self.assertEqual(bounds.bounded(REQUESTS.name, over), (*destination("a"), *OTHER_STATUS))
        other = (*destination("b"), "http", "999", "", "-")
        self.assertEqual(bounds.bounded(REQUESTS.name, other), other)

    def test_reasons(self) -> None:
        """Of the reasons for which connections are rejected there are so many, and one of all others."""
        bounds = LabelBounds()
        found = [bounds.bounded(REJECTED.name, (f"reason {number}",))[0] for number in range(MOST_REASONS + 3)]
        self.assertEqual(found[MOST_REASONS - 1 :], [f"reason {MOST_REASONS - 1}", OTHER, OTHER, OTHER])

    def test_all_else(self) -> None:
        """Labels whose values are ours have no bound."""
        self.assertEqual(LabelBounds(1).bounded(FAULTS.name, ("no route", "NR")), ("no route", "NR"))

    def test_served(self) -> None:
        """What is gone makes room at once, its destinations when it is dropped; then it begins anew if it is back."""
        bounds = LabelBounds(1)
        bounds.tells_apart("a")
        for number in range(MOST_DESTINATIONS):
            bounds.destination(destination("a", f"v{number}"))
        self.assertIsNone(bounds.serve(["b"]))
        self.assertTrue(bounds.tells_apart("b"))
        self.assertIsNone(bounds.serve(["a"]))
        self.assertIn(OTHER, bounds.destination(destination("a", "new")))
        self.assertIsNotNone(bounds.serve(["a"]))
        self.assertIsNone(bounds.serve([]))
        kept = bounds.serve([])
        assert kept is not None
        for kind, labels, stays in (
            (CLUSTERS, ("a",), False),
            (TCP, ("a",), False),
            (TCP, (UNKNOWN,), True),
            (CLUSTERS, (UNKNOWN,), True),
            (RELAYS, (*destination("a"), "tcp", "-"), False),
            (RELAYS, (*destination(UNKNOWN), "tcp", "-"), True),
            (REJECTED, ("a",), True),
        ):
            self.assertEqual(kept.has(kind.name, labels), stays, (kind.name, labels))
        self.assertEqual(bounds.destination(destination("a", "new")), destination("a", "new"))

    def test_tagged(self) -> None:
        """Labels that files give are told apart beyond what one destination has, and not without end."""
        bounds = LabelBounds()
        ended = (*destination("a"), "http", "200", "", "-")

        def tagged(number: int) -> tuple[str, ...]:
            return (*ended, "request.path", f"/{number}")

        for number in range(MOST_TAGGED):
            self.assertEqual(bounds.bounded(REQUESTS.name, tagged(number)), tagged(number))
        self.assertEqual(bounds.bounded(REQUESTS.name, tagged(-1)), (*ended, "request.path", OTHER))
        self.assertEqual(bounds.bounded(REQUESTS.name, ended), ended)
        bounds.tells_apart("a")
        for _ in range(2):
            bounds.serve(["b"])
        self.assertEqual(bounds.bounded(REQUESTS.name, tagged(-1)), tagged(-1))
