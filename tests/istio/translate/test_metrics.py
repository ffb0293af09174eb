"""Tests of L{edgegate.istio.translate.metrics}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate.metrics import METRICS
from edgegate.model.metrics import DeclaredMetrics, MetricOverride, MetricTag
from edgegate.observe.metrics.families import MESSAGES, RELAYS, REQUESTS
from tests.istio.translate.compiling import compiled
from tests.istio.translate.test_access_logs import GATEWAY

MESH = """\
apiVersion: mesh.istio.io/v1alpha1
kind: MeshConfig
metadata: {name: mesh}
spec:
  extensionProviders: [{name: prom, prometheus: {}}, {name: sd, stackdriver: {}}]
"""

TEAM = MetricTag("team", "'edge'", "edge")
HOST = MetricTag("host", "request.host")


def telemetry(entries: str, namespace: str = "istio-system", name: str = "t") -> str:
    """Return a document."""
    return (
        "---\napiVersion: telemetry.istio.io/v1\nkind: Telemetry\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\nspec:\n  metrics: {entries}\n"
    )


class MetricsTests(SynchronousTestCase):
    """What is otherwise of metrics by files."""

    def metrics(self, text: str) -> DeclaredMetrics | None:
        """Return what files say."""
        snapshot, problems = compiled(GATEWAY + text)
        self.problems = [
            each for each in problems if "no http route" not in each and "stackdriver: not honoured" not in each
        ]
        return snapshot.metrics

    def overrides(self, text: str) -> dict[str, MetricOverride]:
        """Return what is otherwise, by the metrics' names."""
        found = self.metrics(text)
        return {} if found is None else {each.metric: each for each in found.overrides}

    def test_nothing(self) -> None:
        """Where nothing is otherwise there is nothing."""
        self.assertIsNone(self.metrics(""))
        self.assertIsNone(self.metrics(MESH))
        self.assertIsNone(self.metrics(telemetry("[{providers: [{name: prometheus}]}]")))
        self.assertIsNone(self.metrics(telemetry("[{overrides: [{disabled: false}]}]")))

    def test_names(self) -> None:
        """Each name of the API is a metric that there is."""
        self.assertEqual(
            set(METRICS.values()), {each.name for kind in (REQUESTS, RELAYS, MESSAGES) for each in kind.families}
        )

    def test_one_metric(self) -> None:
        """Labels are removed and added of one metric; a constant is told apart from what is asked of requests."""
        tags = "{response_code: {operation: REMOVE}, team: {value: \"'edge'\"}, host: {value: request.host}}"
        found = self.metrics(
            telemetry(f"[{{overrides: [{{match: {{metric: REQUEST_COUNT}}, tagOverrides: {tags}}}]}}]")
        )
        expected = MetricOverride("istio_requests_total", False, ("response_code",), (TEAM, HOST))
        self.assertEqual(found, DeclaredMetrics((expected,)))
        assert found is not None
        self.assertEqual(str(found.origin), "in.yaml:13")
        self.assertEqual(self.problems, [])

    def test_all(self) -> None:
        """Without a match, and by ALL_METRICS, all are meant."""
        for match in ("", "match: {metric: ALL_METRICS}, ", "match: {mode: CLIENT}, "):
            found = self.overrides(telemetry(f"[{{overrides: [{{{match}disabled: true}}]}}]"))
            self.assertEqual(set(found), set(METRICS.values()))
            self.assertTrue(all(each.disabled for each in found.values()))

    def test_order(self) -> None:
        """Later overrides win, those of later levels over those of earlier ones; labels are merged by name."""
        root = telemetry(
            "[{overrides: [{disabled: true}, {match: {metric: REQUEST_COUNT}, disabled: false}]},"
            " {overrides: [{match: {metric: REQUEST_COUNT}, tagOverrides: {team: {value: request.id}}}]}]"
        )
        own = telemetry(
            "[{overrides: [{match: {metric: REQUEST_COUNT}, tagOverrides: {team: {value: \"'edge'\"}}}]}]", "infra"
        )
        found = self.overrides(own + root)
        self.assertEqual(found["istio_requests_total"], MetricOverride("istio_requests_total", tags=(TEAM,)))
        self.assertTrue(found["istio_request_bytes"].disabled)

    def test_server(self) -> None:
        """What is for servers is told, and changes nothing."""
        self.assertIsNone(self.metrics(telemetry("[{overrides: [{match: {mode: SERVER}, disabled: true}]}]")))
        self.assertIn("SERVER is for what workloads receive", self.problems[0])

    def test_providers(self) -> None:
        """Overrides are of Prometheus alone; where another one is named last there are no metrics here."""
        one = "match: {metric: REQUEST_COUNT}, disabled: true"
        entries = f"[{{providers: [{{name: %s}}], overrides: [{{{one}}}]}}, {{providers: [{{name: %s}}]}}]"
        self.assertEqual(set(self.overrides(MESH + telemetry(entries % ("prom", "prom")))), {"istio_requests_total"})
        self.assertIsNone(self.metrics(MESH + telemetry(entries % ("sd", "prometheus"))))
        found = self.overrides(MESH + telemetry(entries % ("prom", "sd")))
        self.assertEqual(set(found), set(METRICS.values()))
        self.assertIn("spec.metrics[1].providers: no provider that is Prometheus is named", self.problems[0])
        found = self.overrides(MESH + "  defaultProviders: {metrics: [sd]}\n")
        self.assertEqual(len(found), len(METRICS))
        self.assertIn("spec.defaultProviders.metrics", self.problems[0])
        self.metrics(MESH + telemetry(entries % ("prmo", "prom")))
        self.assertIn('"prmo" is no provider of MeshConfig: left out; did you mean "prom"?', self.problems[0])

    def test_not_of_requests(self) -> None:
        """Values that differ are for metrics of requests alone; who names another one is told."""
        tags = "tagOverrides: {host: {value: request.host}, team: {value: \"'edge'\"}}"
        self.metrics(telemetry(f"[{{overrides: [{{match: {{metric: TCP_SENT_BYTES}}, {tags}}}]}}]"))
        (told,) = self.problems
        self.assertIn("tagOverrides.host: not honoured: only metrics of requests can have values", told)
        self.metrics(telemetry(f"[{{overrides: [{{{tags}}}]}}]"))
        self.assertEqual(self.problems, [])
