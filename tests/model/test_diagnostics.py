"""Tests of L{edgegate.model.diagnostics}; how they are told is tested in tests.istio.translate.test_reporting."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.diagnostics import Diagnostic, Role, Severity
from edgegate.model.origin import Origin

HERE = Origin("a.yaml", 3, "Gateway default/gw")


class DiagnosticTests(SynchronousTestCase):
    """What is wrong between values of the model."""

    def test_worst(self) -> None:
        """Severities are in order: the worst of several is their maximum."""
        self.assertEqual(sorted(Severity), [Severity.INFO, Severity.WARNING, Severity.ERROR])
        self.assertIs(max(Severity.WARNING, Severity.ERROR, Severity.INFO), Severity.ERROR)

    def test_same(self) -> None:
        """What is said twice in the same words of the same place is one, and has to do with no other by itself."""
        first = Diagnostic(Severity.WARNING, HERE, "never reached")
        again = Diagnostic(Severity.WARNING, replace(HERE), "never reached", Role.ITSELF)
        others = {replace(first, role=Role.OUTCOME), replace(first, origin=replace(HERE, line=4))}
        self.assertEqual(len({first, again, *others}), 3)
