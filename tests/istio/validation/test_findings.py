"""Tests of L{edgegate.istio.validation.findings}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problems
from edgegate.istio.validation.findings import Findings
from tests.config.reading import document, resources
from tests.istio.validation.cases import HTTP, gateway


class FindingsTests(SynchronousTestCase):
    """Where the rules report to."""

    def test_places(self) -> None:
        """What is told has the place of the document."""
        found, _ = resources(document("Gateway", gateway(HTTP)))
        problems = Problems()
        findings = Findings(found.gateways[0], problems)
        findings.error(("spec", "servers", 0, "hosts"), "no")
        findings.warning(("spec",), "hm")
        self.assertEqual(
            [str(problem) for problem in problems],
            ["f:4:1: warning: spec: hm", "f:6:54: error: spec.servers[0].hosts: no"],
        )
