"""Tests of L{edgegate.model.metrics}."""

from __future__ import annotations

import pickle

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.metrics import DeclaredMetrics, MetricOverride, MetricTag

HOST = MetricTag("request_host", "request.host")
TEAM = MetricTag("team", "'edge'", "edge")
SAID = DeclaredMetrics(
    (
        MetricOverride("istio_requests_total", tags=(HOST, TEAM)),
        MetricOverride("istio_request_bytes", tags=(MetricTag("h", "request.host"), MetricTag("m", "request.method"))),
        MetricOverride("istio_response_bytes", True, tags=(MetricTag("p", "request.path"),)),
        MetricOverride("istio_tcp_sent_bytes_total", tags=(MetricTag("s", "source.address"),)),
    )
)


class DeclaredMetricsTests(SynchronousTestCase):
    """What files say of metrics, as values."""

    def test_of(self) -> None:
        """A metric is found by its name."""
        self.assertEqual(SAID.of("istio_requests_total"), SAID.overrides[0])
        self.assertIsNone(SAID.of("istio_request_duration_milliseconds"))

    def test_expressions(self) -> None:
        """Each is asked once: of requests, where it is no constant and the metric is there."""
        self.assertEqual(SAID.expressions, ("request.host", "request.method"))

    def test_pickled(self) -> None:
        """They go from process to process."""
        self.assertEqual(pickle.loads(pickle.dumps(SAID)), SAID)
