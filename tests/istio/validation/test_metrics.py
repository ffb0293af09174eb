"""Tests of L{edgegate.istio.validation.metrics}."""

from __future__ import annotations

from tests.istio.validation.cases import CasesTestCase


class MetricsTests(CasesTestCase):
    """C{Telemetry.metrics} by itself."""

    def test_tags(self) -> None:
        """A label is one, and its value is an expression, unless it is removed."""
        tag = "metrics: [{overrides: [{tagOverrides: {%s: %s}}]}]"
        self.check(
            "Telemetry",
            [
                (tag % ("request_host", "{value: request.host}"), ""),
                (tag % ("a", "{operation: REMOVE}"), ""),
                (tag % ("a", "{operation: REMOVE, value: request.host}"), "what is removed has no value"),
                (tag % ("a", "{operation: UPSERT}"), "it has no value"),
                (tag % ("a", "{}"), "it has no value"),
                (tag % ("a-b", "{value: request.host}"), '"a-b" is no label that can be given'),
                (tag % ("le", "{value: request.host}"), '"le" is no label that can be given'),
                (tag % ("__a", "{value: request.host}"), "is no label that can be given"),
                (tag % ("a", "{value: request.hots}"), 'there is no request.hots here; did you mean "host"?'),
                (tag % ("a", "{value: 'request.host +'}"), "tagOverrides.a.value"),
                ("metrics: [{overrides: [{match: {metric: REQUEST_COUNTS}}]}]", "REQUEST_COUNT"),
                ("metrics: [{overrides: [{match: {metric: REQUEST_COUNT, customMetric: a}}]}]", "only one of"),
                ("metrics: [{providers: [{name: ''}]}]", "a provider has a name"),
            ],
        )
