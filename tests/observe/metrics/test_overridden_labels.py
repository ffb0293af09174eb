"""Tests of L{edgegate.observe.metrics.overridden_labels}."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.metrics import DeclaredMetrics, MetricOverride, MetricTag
from edgegate.observe.metrics.families import DESTINATION, RELAYS, REQUESTS
from edgegate.observe.metrics.gauges import Gauges
from edgegate.observe.metrics.label_bounds import MOST_TAGGED
from edgegate.observe.metrics.measured import Measured
from edgegate.observe.metrics.meters import NO_DESTINATION, Meters
from edgegate.observe.metrics.options import MetricsOptions

_SERVICE = DESTINATION.index("destination_service")
WEB = (*NO_DESTINATION[:_SERVICE], "web", *NO_DESTINATION[_SERVICE + 1 :])
TOTAL = "istio_requests_total"


def count(meters: Meters, code: int, tags: tuple[str, ...] = (), milliseconds: int = 0) -> None:
    """Count a request."""
    meter = meters.meter("web", WEB)
    series = meter.tagged(code, "-", None, tags) if tags else meter.requests(code, "-", None)
    series.numbers[0] += 1
    series.numbers[1] += milliseconds
    series.numbers[2] += 1
    if not series.touched:
        meters.touch(REQUESTS, series)


class OverriddenTests(SynchronousTestCase):
    """Labels as files have them."""

    def samples(self, meters: Meters, *overrides: MetricOverride) -> dict[str, list[tuple[dict[str, str], float]]]:
        """Return what is written, by the names of samples."""
        measured = Measured(meters, Gauges(), MetricsOptions(), DeclaredMetrics(overrides))
        found: dict[str, list[tuple[dict[str, str], float]]] = {}
        for family in text_string_to_metric_families("".join(measured.text())):
            for sample in family.samples:
                found.setdefault(sample.name, []).append((sample.labels, sample.value))
        return found

    def test_removed(self) -> None:
        """Series that differ in what is removed become one, of that metric alone."""
        meters = Meters()
        count(meters, 200, milliseconds=5)
        count(meters, 200)
        count(meters, 404, milliseconds=2)
        removed = ("response_code", "source_app", "no_such")
        found = self.samples(
            meters,
            MetricOverride(TOTAL, removed=removed),
            MetricOverride("istio_request_duration_milliseconds", removed=removed),
        )
        ((labels, value),) = found[TOTAL]
        self.assertEqual(value, 3)
        self.assertNotIn("response_code", labels)
        self.assertNotIn("source_app", labels)
        self.assertEqual((labels["reporter"], labels["connection_security_policy"]), ("source", "unknown"))
        self.assertEqual([value for _, value in found["istio_request_duration_milliseconds_sum"]], [7])
        self.assertEqual([value for _, value in found["istio_request_duration_milliseconds_count"]], [3])
        self.assertEqual(len(found["istio_request_bytes_count"]), 2)

    def test_disabled(self) -> None:
        """A metric that is disabled is not there."""
        meters = Meters()
        count(meters, 200)
        found = self.samples(meters, MetricOverride(TOTAL, True))
        self.assertNotIn(TOTAL, found)
        self.assertIn("istio_request_bytes_count", found)

    def test_added(self) -> None:
        """A label comes with a value of its own, a usual one gets another; others have the sums without it."""
        meters = Meters()
        count(meters, 200, ("request.host", "a"))
        count(meters, 200, ("request.host", 'b"'))
        count(meters, 200)
        tags = (
            MetricTag("host", "request.host"),
            MetricTag("a", "'x'", "x"),
            MetricTag("destination_workload", "'w'", "w"),
        )
        found = self.samples(meters, MetricOverride(TOTAL, tags=tags))
        hosts = {labels["host"]: value for labels, value in found[TOTAL]}
        self.assertEqual(hosts, {"a": 1, 'b"': 1, "unknown": 1})
        labels = found[TOTAL][0][0]
        self.assertEqual((labels["a"], labels["destination_workload"]), ("x", "w"))
        self.assertEqual(list(labels)[-2:], ["a", "host"])
        self.assertEqual([value for _, value in found["istio_request_duration_milliseconds_count"]], [3])

    def test_left(self) -> None:
        """Files that say nothing any more have the sums again."""
        meters = Meters()
        count(meters, 200, ("request.host", "a"))
        count(meters, 200, ("request.host", "b"))
        ((labels, value),) = self.samples(meters)[TOTAL]
        self.assertEqual((value, "host" in labels), (2, False))

    def test_exemplars(self) -> None:
        """Of series that become one, the newest trace of each bucket is shown."""
        meters = Meters()
        for number, path in enumerate(("/a", "/b")):
            count(meters, 200, ("request.path", path))
            meters.of(REQUESTS)[number].exemplars[0] = (b"%032x" % number, 1, float(number))
        override = MetricOverride("istio_request_duration_milliseconds", tags=(MetricTag("a", "'x'", "x"),))
        measured = Measured(meters, Gauges(), MetricsOptions(), DeclaredMetrics((override,)))
        text = "".join(measured.text(open_metrics=True))
        shown = [line for line in text.splitlines() if "trace_id" in line]
        self.assertEqual(len(shown), 1, shown)
        self.assertIn(f'a="x",le="0.5"}} 2 # {{trace_id="{1:032x}"}} 1 ', shown[0])

    def test_relays(self) -> None:
        """What is no request has constants, and nothing that is asked of requests."""
        meters = Meters()
        meters.meter("web", WEB).count_relay(0, 1)
        name = RELAYS.families[0].name
        tags = (MetricTag("host", "request.host"), MetricTag("a", "'x'", "x"))
        ((labels, _),) = self.samples(meters, MetricOverride(name, tags=tags))[name]
        self.assertEqual((labels["a"], "host" in labels), ("x", False))

    def test_bounded(self) -> None:
        """Too many series are one for all other values; the sums stay right, of several processes too."""
        meters = Meters()
        for number in range(MOST_TAGGED + 10):
            count(meters, 200, ("request.path", f"/{number}"))
        self.assertEqual(len(meters.of(REQUESTS)), MOST_TAGGED + 1)
        told = Meters()
        told.add(meters.drain())
        found = self.samples(told, MetricOverride(TOTAL, tags=(MetricTag("path", "request.path"),)))[TOTAL]
        values = {labels["path"]: value for labels, value in found}
        self.assertEqual((len(values), values["other"]), (MOST_TAGGED + 1, 10))
        meters.serve(["other-cluster"])
        meters.serve(["other-cluster"])
        self.assertEqual(meters.of(REQUESTS), [])
        count(meters, 200, ("request.path", "/new"))
        self.assertEqual([series.labels[-1] for series in meters.of(REQUESTS)], ["/new"])
