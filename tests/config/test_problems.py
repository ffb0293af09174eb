"""Tests for L{edgegate.config.problems}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problem, Problems, Role, Severity


class ProblemsTests(SynchronousTestCase):
    """All that is wrong, in order."""

    def test_text(self) -> None:
        """A problem is one line, as compilers write them."""
        problem = Problem("f.yaml", 12, 9, Severity.ERROR, "spec.hosts", "no")
        self.assertEqual(str(problem), "f.yaml:12:9: error: spec.hosts: no")
        self.assertEqual(str(Problem("f", 1, 1, Severity.INFO, "", "so")), "f:1:1: info: so")
        odd = Problem("a\n\x1b[31m\udcff.yaml", 1, 1, Severity.INFO, "", "so")
        self.assertEqual(str(odd), r"a\n\x1b[31m\udcff.yaml:1:1: info: so")
        self.assertTrue(
            str(Problem("f", 1, 1, Severity.INFO, "", "see \udcff.yaml")).encode().endswith(b"\\udcff.yaml")
        )

    def test_order(self) -> None:
        """Problems come by file and line, each once."""
        problems = Problems()
        for line in (10, 9, 10):
            problems.add(Problem("f", line, 1, Severity.ERROR, "", "no"))
        problems.add(Problem("e", 99, 1, Severity.WARNING, "", "hm"))
        self.assertEqual([(each.file, each.line) for each in problems], [("e", 99), ("f", 9), ("f", 10)])
        self.assertEqual((len(problems), problems.errors), (3, 2))

    def test_codes(self) -> None:
        """A problem that has no code gets one by what it is; the others keep theirs."""
        problems = Problems()
        problems.add(Problem("f", 1, 1, Severity.ERROR, "", "no"))
        problems.add(Problem("f", 2, 1, Severity.WARNING, "", "hm"))
        problems.add(Problem("f", 3, 1, Severity.ERROR, "", "other", code="EG003"))
        problems.fill_in_codes("EG001", "EG002")
        self.assertEqual([each.code for each in problems], ["EG001", "EG002", "EG003"])


class ConsequencesTests(SynchronousTestCase):
    """What is left out because something else is the reason."""

    def collected(self, *roles: tuple[str, Severity, Role]) -> list[str]:
        """Return what is left of problems, one on each line of a file, by their messages."""
        problems = Problems()
        for line, (message, severity, role) in enumerate(roles, 1):
            problems.add(Problem("f", line, 1, severity, "", message, role))
        problems.leave_out_consequences()
        return [problem.message for problem in problems]

    def test_causes(self) -> None:
        """Causes come first, with a line that says how much was left out because of them; the rest stays."""
        error, warning = Severity.ERROR, Severity.WARNING
        told = self.collected(
            ("odd", error, Role.ITSELF),
            ("undeclared", error, Role.CONSEQUENCE),
            ("unused", warning, Role.CONSEQUENCE),
            ("syntax", error, Role.CAUSE),
        )
        left_out = "2 more problems that may follow from this error: not shown until that is mended"
        self.assertEqual(told, ["syntax", "odd", left_out])

    def test_no_causes(self) -> None:
        """Without a cause all is told; where there is a cause and nothing follows from it too, in their order."""
        undeclared = ("undeclared", Severity.ERROR, Role.CONSEQUENCE)
        odd = ("odd", Severity.ERROR, Role.ITSELF)
        self.assertEqual(self.collected(odd, undeclared), ["odd", "undeclared"])
        self.assertEqual(self.collected(odd, ("syntax", Severity.ERROR, Role.CAUSE)), ["odd", "syntax"])

    def test_outcomes(self) -> None:
        """What comes of all files together is told where there is no error."""
        outcome = ("nothing leads on", Severity.WARNING, Role.OUTCOME)
        self.assertEqual(self.collected(outcome), ["nothing leads on"])
        self.assertEqual(self.collected(outcome, ("odd", Severity.ERROR, Role.ITSELF)), ["odd"])
