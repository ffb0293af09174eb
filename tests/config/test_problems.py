"""Tests for L{edgegate.config.problems}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problem, Problems, Severity


class ProblemsTests(SynchronousTestCase):
    """All that is wrong, in order."""

    def test_text(self) -> None:
        """A problem is one line, as compilers write them."""
        problem = Problem("f.yaml", 12, 9, Severity.ERROR, "spec.hosts", "no")
        self.assertEqual(str(problem), "f.yaml:12:9: error: spec.hosts: no")
        self.assertEqual(str(Problem("f", 1, 1, Severity.INFO, "", "so")), "f:1:1: info: so")

    def test_order(self) -> None:
        """Problems come by file and line, each once."""
        problems = Problems()
        for line in (10, 9, 10):
            problems.add(Problem("f", line, 1, Severity.ERROR, "", "no"))
        problems.add(Problem("e", 99, 1, Severity.WARNING, "", "hm"))
        self.assertEqual([(each.file, each.line) for each in problems], [("e", 99), ("f", 9), ("f", 10)])
        self.assertEqual((len(problems), problems.errors), (3, 2))
