"""Tests of L{edgegate.route_tests.coverage_report}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.notes import Notes
from edgegate.route_tests.coverage import Coverage
from edgegate.route_tests.coverage_report import coverage_lines, coverage_report
from tests.route_tests.shop import outcome, snapshot


class CoverageReportTests(SynchronousTestCase):
    """What is told of coverage."""

    def setUp(self) -> None:
        """Ask for one of five routes."""
        self.coverage = Coverage(snapshot(), Notes())
        self.coverage.take(outcome("GET http://shop.example/ping").decision, "t.yaml:5")

    def test_lines(self) -> None:
        """What was not hit has its place; then come the percents, of what there is any of."""
        lines = list(coverage_lines(self.coverage))
        self.assertRegex(lines[0], r"^in\.yaml:\d+: routes: cart: no request$")
        self.assertEqual(lines[-6], "routes         14.3 %  1 of 7")
        self.assertEqual(lines[-1], "answers        25.0 %  1 of 4")

    def test_report(self) -> None:
        """For programs, each is told, with the test that hit it."""
        routes = coverage_report(self.coverage)["routes"]
        assert isinstance(routes, dict)
        self.assertEqual(routes["percent"], 14.29)
        hit = [(unit["what"], unit["by"]) for unit in routes["units"] if unit["hit"]]
        self.assertEqual(hit, [("pong", "t.yaml:5")])
