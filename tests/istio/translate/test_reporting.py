"""Tests of L{edgegate.istio.translate.reporting}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problems
from edgegate.istio.resources import Resources
from edgegate.istio.translate.reporting import Reporter
from edgegate.model.diagnostics import Diagnostic, Role, Severity
from tests.istio.translate.compiling import decoded, gateway


class ReporterTests(SynchronousTestCase):
    """Diagnostics become problems of documents."""

    def told(self, resources: Resources, *diagnostics: Diagnostic) -> list[str]:
        """Return what is told of Gateways."""
        problems = Problems()
        reporter = Reporter(resources.gateways, problems)
        for diagnostic in diagnostics:
            reporter.report(diagnostic)
        return [str(problem) for problem in problems]

    def test_place(self) -> None:
        """A problem has the file, line, column and path of what its origin leads to."""
        resources, _ = decoded(gateway("other", "80 HTTP b.example") + gateway("gw", "80 HTTP a.example"))
        document = resources.gateways[1].document
        place = document.origin_of(("spec", "servers", 0, "hosts", 0))
        told = self.told(resources, Diagnostic(Severity.WARNING, place, "lonely", Role.OUTCOME))
        self.assertEqual(told, ["in.yaml:15:60: warning: spec.servers[0].hosts[0]: lonely"])

    def test_errors_once(self) -> None:
        """Of several errors in one place the first is told, as it is of a document's own."""
        resources, _ = decoded(gateway("gw", "80 HTTP a.example"))
        place = resources.gateways[0].document.origin_of(("spec", "servers", 0))
        first, second = (Diagnostic(Severity.ERROR, place, message) for message in ("first", "second"))
        self.assertEqual([line.rsplit(" ")[-1] for line in self.told(resources, first, second)], ["first"])

    def test_left_out(self) -> None:
        """What follows from a mistake that was told is not told."""
        resources, _ = decoded(gateway("gw", "80 HTTP a.example").replace('"]', '", 7]'))
        place = resources.gateways[0].document.origin_of(("spec", "servers", 0))
        self.assertEqual(self.told(resources, Diagnostic(Severity.WARNING, place, "lonely")), [])
