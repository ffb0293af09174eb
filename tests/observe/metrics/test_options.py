"""Tests of L{edgegate.observe.metrics.options}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.metrics.options import MetricsOptions


class MetricsOptionsTests(SynchronousTestCase):
    """What is decided once."""

    def test_defaults(self) -> None:
        """Without any option the gateway calls itself what Istio's boards look for."""
        options = MetricsOptions()
        source = options.source
        self.assertEqual(
            (source.workload, source.namespace, source.cluster), ("istio-ingressgateway", "istio-system", "Kubernetes")
        )
        self.assertFalse(options.istio_tags)
