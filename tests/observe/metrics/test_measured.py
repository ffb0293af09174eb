"""Tests of L{edgegate.observe.metrics.measured}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.metrics.families import REJECTED
from edgegate.observe.metrics.gauges import Gauges
from edgegate.observe.metrics.measured import Measured
from edgegate.observe.metrics.meters import Meters
from edgegate.observe.metrics.options import MetricsOptions


class MeasuredTests(SynchronousTestCase):
    """What is shown."""

    def test_grows(self) -> None:
        """It is written from the numbers as they are when its text is made."""
        meters = Meters()
        measured = Measured(meters, Gauges(), MetricsOptions())
        self.assertEqual("".join(measured.text()), "")
        meters.count(REJECTED, ("timeout",))
        self.assertIn('edgegate_connections_rejected_total{reason="timeout"} 1\n', "".join(measured.text()))
