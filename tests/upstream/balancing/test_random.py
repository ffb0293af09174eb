"""Tests of L{edgegate.upstream.balancing.random}."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.upstream.balancing import Only
from edgegate.upstream.balancing.random import Drawn, Lots, Spread
from tests.upstream.members import members, taken


class LotsTests(SynchronousTestCase):
    """Things of different weights."""

    @given(st.lists(st.floats(0, 1000), min_size=1, max_size=6), st.floats(0, 1, exclude_max=True))
    def test_any_point(self, weights: list[float], point: float) -> None:
        """Whatever is drawn, something of weight is found, and what weighs nothing never is."""
        weights.append(1.0)
        index = Lots(range(len(weights)), weights).at(point)
        self.assertGreater(weights[index], 0)
        slack = 1e-9 * sum(weights)
        self.assertLessEqual(sum(weights[:index]), point * sum(weights) + slack)
        self.assertGreaterEqual(sum(weights[: index + 1]), point * sum(weights) - slack)


class DrawnTests(SynchronousTestCase):
    """Chance."""

    def test_shares(self) -> None:
        """Each endpoint is as likely as it weighs."""
        endpoints = members(1, 3)
        found = taken(Drawn(endpoints, Random(7)), 4000)
        self.assertLessEqual(abs(found[endpoints[1]] - 3000), 120)


class SpreadTests(SynchronousTestCase):
    """Groups with shares."""

    def test_shares(self) -> None:
        """Groups are drawn by their shares, with keys as without."""
        one, two = members(1, 1)
        spread = Spread([Only(one), Only(two)], [0.25, 0.75], Random(7))
        self.assertLessEqual(abs(taken(spread, 4000)[two] - 3000), 120)
        random = Random(8)
        keys = [random.getrandbits(64) for _ in range(4000)]
        found = [spread.choose(key) for key in keys]
        self.assertLessEqual(abs(found.count(two) - 3000), 120)
        self.assertEqual(found, [spread.choose(key) for key in keys])
