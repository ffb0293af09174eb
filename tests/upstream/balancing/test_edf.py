"""Tests of L{edgegate.upstream.balancing.edf}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.upstream.balancing.edf import EDFScheduler
from tests.upstream.members import members, taken


class ScheduledTests(SynchronousTestCase):
    """Earliest deadline first."""

    @given(st.lists(st.integers(1, 40), min_size=1, max_size=10))
    def test_shares(self, weights: list[int]) -> None:
        """With weights that stay nobody ever has more than a turn too many or too few."""
        endpoints = members(*weights)
        count = 3 * sum(weights)
        found = taken(EDFScheduler(endpoints, lambda endpoint: endpoint.weight), count)
        for endpoint in endpoints:
            self.assertLessEqual(abs(found[endpoint] - 3 * endpoint.weight), 1.001)

    def test_weights_change(self) -> None:
        """A weight that changes counts from the endpoint's next turn on."""
        endpoints = members(1, 1)
        chooser = EDFScheduler(endpoints, lambda endpoint: endpoint.weight)
        taken(chooser, 10)
        endpoints[1].weight = 3
        taken(chooser, 2)
        found = taken(chooser, 40)
        self.assertEqual([found[endpoint] for endpoint in endpoints], [10, 30])
