"""Tests of L{edgegate.upstream.balancing.slow_start}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.clusters import Warmup
from edgegate.upstream.balancing.slow_start import warming, warmth
from tests.upstream.members import members


class WarmthTests(SynchronousTestCase):
    """What of its weight a new endpoint gets."""

    def test_evenly(self) -> None:
        """With an aggression of 1 the share grows with time, from the least share on."""
        warmup = Warmup(100.0, 1.0, 0.1)
        self.assertEqual([warmth(warmup, age) for age in (0, 5, 50, 100, 1000)], [0.1, 0.1, 0.5, 1.0, 1.0])

    def test_faster(self) -> None:
        """With a higher aggression it grows faster at first, with a lower one slower (Envoy's formula)."""
        self.assertAlmostEqual(warmth(Warmup(100.0, 2.0), 25), 0.5)
        self.assertAlmostEqual(warmth(Warmup(100.0, 0.5), 50), 0.25)

    @given(st.floats(0.001, 1e5), st.floats(0, 10), st.floats(0, 1), st.floats(0, 1e6))
    def test_bounds(self, duration: float, aggression: float, minimum: float, age: float) -> None:
        """It is more than nothing and at most all."""
        self.assertTrue(0 < warmth(Warmup(duration, aggression, minimum), age) <= 1)

    def test_until(self) -> None:
        """It ends with the youngest endpoint, and does not begin where all are as old."""
        one, two = members(1, 1)
        warmup = Warmup(60.0)
        self.assertEqual(warming(warmup, [one, two], 10.0), 0)
        two.since = 30.0
        self.assertEqual(warming(warmup, [one, two], 40.0), 50.0)
        self.assertEqual(warming(warmup, [one, two], 400.0), 0)
