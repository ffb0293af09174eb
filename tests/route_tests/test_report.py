"""Tests of L{edgegate.route_tests.report}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.route_tests.report import miss_lines, summary
from edgegate.route_tests.running import run
from tests.route_tests.shop import cases, endpoints, snapshot
from tests.route_tests.test_running import TESTS


class ReportTests(SynchronousTestCase):
    """What people read."""

    def test_lines(self) -> None:
        """A miss is told with the place of its test, what was wanted and what is there; what has passed is not told."""
        results = list(run(cases(TESTS)[0], snapshot(), endpoints()))
        self.assertEqual(list(miss_lines(results[0])), [])
        self.assertEqual(
            list(miss_lines(results[1])),
            [
                "t.yaml:4: GET http://shop.example/cart",
                "  route: wanted cart",
                "         there is no route: the gateway answers 404 (no route)",
                "  to: wanted cart/v1",
                "      there is no backend: the gateway answers 404 (no route)",
            ],
        )
        self.assertEqual(summary(results, 0), "3 cases, 2 missed")
        self.assertEqual(summary(results[:1], 1), "1 case, all as expected, 1 file not read")
        self.assertEqual(summary([], 2), "0 cases, 2 files not read")
