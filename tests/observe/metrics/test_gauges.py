"""Tests of L{edgegate.observe.metrics.gauges}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.metrics.families import CLUSTER_GAUGES, CONFIGURATION, LIMIT_GAUGES
from edgegate.observe.metrics.gauges import Gauges


class GaugesTests(SynchronousTestCase):
    """What several processes tell."""

    def test_together(self) -> None:
        """Connections are summed; of endpoints the most are shown, and the least that are healthy."""
        gauges = Gauges()
        for healthy, connections in ((2, 5), (3, 6)):
            numbers = (3, healthy, 0, 0, 3 - healthy, connections, 1, 0, 0, 0, 0)
            gauges.put((CLUSTER_GAUGES.name, ("web",), numbers))
        expected = [3, 2, 0, 0, 1, 11, 2, 0, 0, 0, 0]
        self.assertEqual(gauges.of(CLUSTER_GAUGES), [(("web",), expected)])

    def test_clients(self) -> None:
        """Of limits the sums are shown, of those of one client the most."""
        gauges = Gauges()
        for name in ("connections", *LIMIT_GAUGES.most):
            gauges.put((LIMIT_GAUGES.name, (name,), (2, 10)))
            gauges.put((LIMIT_GAUGES.name, (name,), (3, 10)))
        found = {labels[0]: numbers for labels, numbers in gauges.of(LIMIT_GAUGES)}
        expected = {"connections": [5, 20], "connections of a client": [3, 10], "requests of a client": [3, 10]}
        self.assertEqual(found, expected)

    def test_none(self) -> None:
        """What one does not tell another may; labels that differ stay apart."""
        gauges = Gauges()
        gauges.put((LIMIT_GAUGES.name, ("a",), (1, None)))
        gauges.put((LIMIT_GAUGES.name, ("a",), (2, 7)))
        gauges.put((LIMIT_GAUGES.name, ("b",), (3, None)))
        self.assertEqual(gauges.of(LIMIT_GAUGES), [(("a",), [3, 7]), (("b",), [3, None])])
        self.assertEqual(gauges.of(CONFIGURATION), [])
