"""Tests of L{edgegate.istio.validation.telemetry}."""

from __future__ import annotations

from tests.config.reading import told_of
from tests.istio.validation.cases import CasesTestCase


class TelemetryTests(CasesTestCase):
    """A Telemetry by itself."""

    def test_filters(self) -> None:
        """A filter is an expression of CEL."""
        entry = "accessLogging: [{filter: {expression: '%s'}}]"
        self.check(
            "Telemetry",
            [
                (entry % "response.code >= 400", ""),
                (entry % "response.code >=", "accessLogging[0].filter.expression: a value is expected"),
                (entry % "response.cod == 1", 'there is no response.cod here; did you mean "code"?'),
                (entry % 'request.duration > duration("1 day")', "'1 day' in duration() is no duration"),
                (entry % 'request.path.contans("a")', 'did you mean "contains"?'),
            ],
        )

    def test_targets(self) -> None:
        """Workloads are chosen in one way."""
        self.check(
            "Telemetry",
            [
                ("selector: {matchLabels: {a: b}}", ""),
                (
                    "selector: {matchLabels: {a: b}}\ntargetRefs: [{kind: Gateway, name: a}]",
                    "only one of selector and targetRefs can be given",
                ),
            ],
        )
        (told,) = told_of("Telemetry", "metrics: [{reportingInterval: 5s}]")
        self.assertIn("reportingInterval: not honoured: relays are counted whenever", told)
