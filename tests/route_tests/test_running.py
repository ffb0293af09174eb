"""Tests of L{edgegate.route_tests.running}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.route_tests.running import run
from tests.route_tests.shop import cases, endpoints, snapshot

TESTS = """\
tests:
- request: POST http://shop.example/cart
  expect: {route: cart, status: 0}
- request: [GET http://shop.example/cart, GET http://shop.example/basket]
  expect: {route: cart, to: cart/v1}
"""


class RunTests(SynchronousTestCase):
    """Cases on a Snapshot."""

    def test_results(self) -> None:
        """Each case has a result with all of its misses."""
        found, problems = cases(TESTS)
        self.assertEqual(problems, [])
        results = list(run(found, snapshot(), endpoints()))
        self.assertEqual([[miss.key for miss in each.misses] for each in results], [[], ["route", "to"], ["to"]])
        self.assertEqual([each.case for each in results], found)
