"""Tests of L{edgegate.observe.metrics.exposition}."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from time import monotonic, time
from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain
from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.metrics.families import CLUSTER_GAUGES, COUNTED, LIMITS, READ, REJECTED, RELOADS, REQUESTS, SERVER
from edgegate.observe.metrics.gauges import Gauges
from edgegate.observe.metrics.labels import SourceLabels
from edgegate.observe.metrics.measured import Measured
from edgegate.observe.metrics.meters import NO_DESTINATION, Meters
from edgegate.observe.metrics.options import MetricsOptions

Labels = tuple[tuple[str, str], ...]

_NAME = re.compile("^([a-z_]+)", re.MULTILINE)

WEB = ("web", *NO_DESTINATION[1:])


def everything(options: MetricsOptions = MetricsOptions()) -> Measured:  # noqa: B008 (frozen)
    """Return all kinds, with numbers in each."""
    meters, gauges = Meters(), Gauges()
    for kind in COUNTED:
        meters.count(kind, tuple(f"{name} value" for name in kind.labels))
    for kind in READ:
        gauges.put((kind.name, tuple(f"{name} value" for name in kind.labels), (1,) * kind.width))
    return Measured(meters, gauges, options)


def samples(text: str, parse: Callable[[str], Iterable[Any]] = plain) -> dict[str, dict[Labels, float]]:
    """
    Return the values by name and labels.

    @param parse: Ends the names of all counters with C{_total}; Prometheus itself leaves them as they are.
    """
    found: dict[str, dict[Labels, float]] = {}
    for family in parse(text):
        for sample in family.samples:
            written = f"\n{sample.name}{{" in text or f"\n{sample.name} " in text
            name = sample.name if written else sample.name.removesuffix("_total")
            found.setdefault(name, {})[tuple(sample.labels.items())] = sample.value
    return found


class ExpositionTests(SynchronousTestCase):
    """The text, as Prometheus' own parser reads it."""

    def test_text(self) -> None:
        """Every metric is there with its type; buckets have the sums of those below."""
        meters = Meters()
        numbers = meters.meter("web", WEB).requests(200, "-", None).numbers
        meters.count(COUNTED[0], (*WEB, "http", "200", "", "-"), 0, 3)
        numbers[1] = 1007
        for bucket, count in ((0, 1), (2, 1), (9, 1)):
            numbers[2 + bucket] = count
        families = {each.name: each for each in plain("".join(Measured(meters, Gauges(), MetricsOptions()).text()))}
        self.assertEqual(families["istio_requests"].type, "counter")
        duration = families["istio_request_duration_milliseconds"]
        buckets = {each.labels["le"]: each.value for each in duration.samples if each.name.endswith("_bucket")}
        self.assertEqual(duration.type, "histogram")
        self.assertEqual(
            [buckets[bound] for bound in ("0.5", "1", "5", "500", "1000", "3600000", "+Inf")], [1, 1, 2, 2, 3, 3, 3]
        )
        rest = {each.name: each.value for each in duration.samples if "le" not in each.labels}
        self.assertEqual(rest, {f"{duration.name}_sum": 1007.0, f"{duration.name}_count": 3.0})
        labels = families["istio_requests"].samples[0].labels
        self.assertEqual(
            (labels["reporter"], labels["source_workload"], labels["connection_security_policy"], len(labels)),
            ("source", "istio-ingressgateway", "unknown", 25),
        )
        self.assertEqual((labels["destination_workload"], labels["response_code"]), ("web", "200"))

    def test_seconds(self) -> None:
        """What is counted in milliseconds is told in seconds, as Prometheus wants it."""
        meters = Meters()
        meters.count(RELOADS, ("installed",), 1, 12_034)
        found = samples("".join(Measured(meters, Gauges(), MetricsOptions()).text()))
        self.assertEqual(found["edgegate_reload_seconds_total"], {(("outcome", "installed"),): 12.034})

    def test_everything(self) -> None:
        """All that there is can be read, once, in either format, and says the same."""
        for options in (MetricsOptions(), MetricsOptions(istio_tags=True)):
            text, other = ("".join(everything(options).text(form)) for form in (False, True))
            self.assertEqual(set(_NAME.findall(text)), set(_NAME.findall(other)))
            self.assertEqual(set(_NAME.findall(text)), set(samples(other, open_metrics)))
            self.assertTrue(list(plain(text)))
            heads = [line for line in text.splitlines() if line.startswith("# TYPE")]
            self.assertEqual(len(set(heads)), len(heads))
        self.assertTrue(other.endswith("\n# EOF\n"))

    def test_exemplars(self) -> None:
        """OpenMetrics shows a trace of a bucket, by its id, value and time, for durations alone; other text none."""
        meters = Meters()
        series = meters.meter("web", WEB).requests(200, "-", None)
        meters.touch(REQUESTS, series)
        series.numbers[2], series.numbers[4], series.numbers[23] = 1, 2, 3
        before = time()
        series.exemplars = {0: (b"a" * 32, 0, monotonic()), 2: (b"b" * 16, 4, monotonic() - 60)}
        measured = Measured(meters, Gauges(), MetricsOptions())
        found = {}
        for family in open_metrics("".join(measured.text(True))):
            for sample in family.samples:
                if sample.exemplar is not None:
                    self.assertEqual(family.name, "istio_request_duration_milliseconds")
                    found[sample.labels["le"]] = sample.exemplar
        shown = {bound: (each.labels, each.value) for bound, each in found.items()}
        self.assertEqual(shown, {"0.5": ({"trace_id": "a" * 32}, 0.0), "5.0": ({"trace_id": "b" * 16}, 4.0)})
        self.assertTrue(before - 0.01 <= float(found["0.5"].timestamp) <= time() + 0.01)
        self.assertTrue(abs(before - 60 - float(found["5.0"].timestamp)) < 1)
        text = "".join(measured.text())
        self.assertNotIn("trace_id", text)
        self.assertNotIn(" # ", text)

    def test_tags(self) -> None:
        """Envoy's metrics have Envoy's labels, or those of Istio's bootstrap."""
        envoy = samples("".join(everything().text()))
        istio = samples("".join(everything(MetricsOptions(istio_tags=True)).text(True)), open_metrics)
        self.assertIn(
            (("envoy_cluster_name", "envoy_cluster_name value"), ("envoy_response_code_class", "5")),
            envoy["envoy_cluster_upstream_rq_xx"],
        )
        self.assertIn(
            (("cluster_name", "envoy_cluster_name value"), ("response_code_class", "5xx")),
            istio["envoy_cluster_upstream_rq"],
        )

    def test_hostile(self) -> None:
        """What stands in a label's value does not end it."""
        meters = Meters()
        reason = 'a "b" \\ c\nedgegate_fake 1'
        meters.count(REJECTED, (reason,))
        source = SourceLabels(workload='my "gate"')
        found = samples("".join(Measured(meters, Gauges(), MetricsOptions(source=source)).text()))
        self.assertEqual(found, {"edgegate_connections_rejected_total": {(("reason", reason),): 1.0}})

    def test_left_out(self) -> None:
        """What there is nothing to tell of has no line."""
        gauges = Gauges()
        gauges.put((SERVER.name, (), (1, *(None,) * (SERVER.width - 1))))
        found = samples("".join(Measured(Meters(), gauges, MetricsOptions()).text()))
        self.assertEqual(found, {"envoy_server_live": {(): 1.0}})

    def test_pieces(self) -> None:
        """Many series come in many pieces, and all of them arrive."""
        gauges, meters = Gauges(), Meters()
        for number in range(1000):
            gauges.put((CLUSTER_GAUGES.name, (str(number),), (number,) * CLUSTER_GAUGES.width))
            meters.count(LIMITS, (str(number),))
        pieces = list(Measured(meters, gauges, MetricsOptions()).text())
        self.assertLess(max(map(len, pieces)), 20_000)
        found = samples("".join(pieces))
        self.assertEqual(len(found["envoy_cluster_membership_total"]), 1000)
        self.assertEqual(len(found["edgegate_limit_reached_total"]), 1000)
