"""Tests of L{edgegate.metrics_options}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.metrics_options import PARAMETERS, metrics_options
from edgegate.observe.metrics.labels import SourceLabels
from edgegate.observe.metrics.options import MetricsOptions

DEFAULTS = {str(name): str(default) for name, _, default, _ in PARAMETERS}


class MetricsOptionsTests(SynchronousTestCase):
    """The options, from text to values."""

    def test_defaults(self) -> None:
        """Without any option it is what embedders have by default."""
        self.assertEqual(metrics_options(DEFAULTS), MetricsOptions())

    def test_given(self) -> None:
        """Each option is taken."""
        given = {"hosts": "50", "tags": "istio", "workload": "edge", "namespace": "front", "cluster": "box-1"}
        found = metrics_options({f"metrics-{name}": value for name, value in given.items()})
        self.assertEqual(found, MetricsOptions(50, SourceLabels("edge", "front", "box-1"), True))

    def test_wrong(self) -> None:
        """What can't be understood is refused, and its name said."""
        for name, value in (
            ("hosts", "0"),
            ("hosts", "many"),
            ("hosts", "1" * 10),
            ("tags", "other"),
            ("workload", ""),
            ("namespace", "a b"),
            ("cluster", 'x"'),
        ):
            error = self.assertRaises(ValueError, metrics_options, {**DEFAULTS, f"metrics-{name}": value})
            self.assertIn(f"--metrics-{name}", str(error))
