"""Tests of L{edgegate.route_tests.json_report}."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problem, Problems, Severity
from edgegate.route_tests.files import TestedFile
from edgegate.route_tests.json_report import json_report
from edgegate.route_tests.running import run
from tests.route_tests.shop import cases, endpoints, snapshot
from tests.route_tests.test_running import TESTS


class JSONReportTests(SynchronousTestCase):
    """What programs read."""

    def test_cases(self) -> None:
        """Each case has its place, what came of its request, and the misses."""
        found = cases(TESTS)[0]
        results = list(run(found, snapshot(), endpoints()))
        report = json.loads(json_report([], results))
        first, second, _ = report["cases"]
        self.assertEqual((report["passed"], first["passed"], first["misses"]), (False, True, []))
        self.assertEqual((first["file"], first["line"], first["route"], first["status"]), ("t.yaml", 2, "cart", 0))
        self.assertEqual(first["shares"], {"outbound|8080|v2|cart.default.svc.cluster.local": 100.0})
        self.assertEqual((second["status"], second["flag"], second["at"]), (404, "NR", None))
        self.assertEqual(second["misses"][0]["key"], "route")
        self.assertTrue(json.loads(json_report([], results[:1], {"routes": 1}))["passed"])
        self.assertFalse(json.loads(json_report([], results[:1], {"routes": 1}, covers=False))["passed"])

    def test_problems(self) -> None:
        """What is wrong with files of tests is told, and nothing has passed then."""
        problems = Problems()
        problems.add(Problem("b.yaml", 3, 1, Severity.ERROR, "tests", "missing"))
        report = json.loads(json_report([TestedFile("b.yaml", (), problems)], []))
        self.assertEqual(
            report["problems"], [{"file": "b.yaml", "line": 3, "column": 1, "path": "tests", "message": "missing"}]
        )
        self.assertFalse(report["passed"])
