"""Tests of L{edgegate.istio.validation.envoy_filter}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.config.reading import told_of

FILTER = "filterChain: {filter: {name: envoy.http_connection_manager, subFilter: {name: envoy.router}}}"


class EnvoyFilterTests(SynchronousTestCase):
    """EnvoyFilters by themselves."""

    def test_mistakes(self) -> None:
        """As Istio's validation has it."""
        for patch, wanted in {
            "{applyTo: INVALID, patch: {operation: MERGE, value: {}}}": "applyTo is needed",
            "{applyTo: CLUSTER}": "patch.operation is needed",
            "{applyTo: CLUSTER, patch: {value: {}}}": "patch.operation is needed",
            "{applyTo: CLUSTER, patch: {operation: MERGE}}": "MERGE needs a value",
            "{applyTo: CLUSTER, patch: {operation: INSERT_BEFORE, value: {}}}": "INSERT_BEFORE is for filters",
            "{applyTo: CLUSTER, match: {listener: {}}, patch: {operation: MERGE, value: {}}}": (
                "CLUSTER has no listener to match"
            ),
            "{applyTo: HTTP_FILTER, match: {routeConfiguration: {}}, patch: {operation: MERGE, value: {}}}": (
                "HTTP_FILTER has no routeConfiguration to match"
            ),
            f"{{applyTo: HTTP_FILTER, match: {{listener: {{{FILTER}}}}}, patch: {{operation: ADD, value: {{}}}}}}": (
                '"envoy.router" is called envoy.filters.http.router today'
            ),
        }.items():
            told = told_of("EnvoyFilter", f"{{configPatches: [{patch}]}}")
            self.assertTrue(any(wanted in str(each) for each in told), (patch, told))
        both = "{workloadSelector: {labels: {a: b}}, targetRefs: [{kind: Gateway, name: g}]}"
        self.assertIn("only one of", str(told_of("EnvoyFilter", both)))

    def test_right(self) -> None:
        """Nothing is told of one that is as it should be; to remove takes no value."""
        for patch in (
            "{applyTo: HTTP_FILTER, match: {listener: {}}, patch: {operation: REMOVE}}",
            "{applyTo: VIRTUAL_HOST, match: {routeConfiguration: {}}, patch: {operation: MERGE, value: {}}}",
        ):
            self.assertEqual(told_of("EnvoyFilter", f"{{configPatches: [{patch}]}}"), [])
