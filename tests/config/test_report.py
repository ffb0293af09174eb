"""Tests of L{edgegate.config.report}."""

from __future__ import annotations

from io import StringIO

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problem, Problems, Severity
from edgegate.config.report import report, summary


class ReportTests(SynchronousTestCase):
    """Problems in print."""

    def problems(self, *severities: Severity) -> Problems:
        """Make problems."""
        problems = Problems()
        for number, severity in enumerate(severities):
            problems.add(Problem("a [b].yaml", number, 7, severity, "spec", "no :) [bold]"))
        return problems

    def test_lines(self) -> None:
        """Each is a line for editors, however long, without markup or colours; the last line counts them."""
        problems = self.problems(Severity.ERROR, Severity.WARNING)
        problems.add(Problem("z.yaml", 1, 1, Severity.ERROR, "", "x" * 300, code="EG001"))
        out = StringIO()
        report(problems, out, "not started")
        self.assertEqual(
            out.getvalue().splitlines(),
            [
                "a [b].yaml:0:7: error: spec: no :) [bold]",
                "a [b].yaml:1:7: warning: spec: no :) [bold]",
                "z.yaml:1:1: error: " + "x" * 300 + " [EG001]",
                "2 errors, 1 warning: not started",
            ],
        )

    def test_summary(self) -> None:
        """One is one, and none is none."""
        self.assertEqual(summary(self.problems()), "no problems")
        self.assertEqual(summary(self.problems(Severity.INFO)), "1 note")
        self.assertEqual(summary(self.problems(*[Severity.WARNING] * 2, Severity.ERROR), "x"), "1 error, 2 warnings: x")
