"""Tests of L{edgegate.upstream.balancing.least_request}."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.upstream.balancing.least_request import LeastRequest, weighted_least_request
from edgegate.upstream.endpoint import EndpointState
from tests.upstream.members import members, taken


class LeastRequestTests(SynchronousTestCase):
    """Endpoints of equal weights."""

    def test_nobody_is_busy(self) -> None:
        """Where requests end before the next comes, each endpoint has exactly its share."""
        endpoints = members(1, 1, 1)
        self.assertEqual(set(taken(LeastRequest(endpoints, Random(1)), 300).values()), {100})

    @given(st.lists(st.integers(0, 50), min_size=2, max_size=9), st.integers(0, 2**32))
    def test_never_the_busier_of_two(self, busy: list[int], seed: int) -> None:
        """Nobody is chosen who has more requests under way than all others."""
        endpoints = members(*[1] * len(busy))
        for endpoint, active in zip(endpoints, busy, strict=True):
            endpoint.active = active
        chooser = LeastRequest(endpoints, Random(seed))
        chosen = {chooser.choose(None) for _ in range(200)}
        worst = [endpoint for endpoint in endpoints if endpoint.active == max(busy)]
        if len(worst) == 1:
            self.assertNotIn(worst[0], chosen)
        for one, two in combinations(endpoints, 2):
            if len(endpoints) == 2 and one.active != two.active:
                self.assertEqual(chosen, {min(one, two, key=lambda endpoint: endpoint.active)})

    @given(st.integers(2, 8), st.integers(0, 2**32))
    def test_load_stays_even(self, count: int, seed: int) -> None:
        """With requests that stay open no endpoint gets far ahead of another."""
        endpoints = members(*[1] * count)
        chooser = LeastRequest(endpoints, Random(seed))
        for _ in range(50 * count):
            chooser.choose(None).active += 1
        active = [endpoint.active for endpoint in endpoints]
        self.assertLessEqual(max(active) - min(active), 6)

    def test_slow_endpoint(self) -> None:
        """An endpoint that is slower gets less."""
        endpoints = members(1, 1, 1)
        slow = endpoints[0]
        chooser = LeastRequest(endpoints, Random(3))
        under_way: list[EndpointState] = []
        counts: Counter[EndpointState] = Counter()
        for turn in range(600):
            endpoint = chooser.choose(None)
            counts[endpoint] += 1
            endpoint.active += 1
            if endpoint is slow:
                under_way.append(endpoint)
            else:
                endpoint.active -= 1
            if turn % 10 == 9 and under_way:
                under_way.pop().active -= 1
        self.assertLess(counts[slow], 100)


class WeightedTests(SynchronousTestCase):
    """Endpoints of different weights."""

    def test_shares(self) -> None:
        """Where nobody is busy the shares are the weights."""
        endpoints = members(1, 2, 5)
        counts = taken(weighted_least_request(endpoints, lambda endpoint: endpoint.weight), 800)
        for endpoint in endpoints:
            self.assertLessEqual(abs(counts[endpoint] - 100 * endpoint.weight), 2)

    def test_busy(self) -> None:
        """An endpoint with as many requests under way as another has weight gets as much less."""
        endpoints = members(4, 1)
        endpoints[0].active = 3
        counts = taken(weighted_least_request(endpoints, lambda endpoint: endpoint.weight), 200)
        self.assertLessEqual(abs(counts[endpoints[0]] - 100), 2)
