"""Tests of L{edgegate.istio.validation.destination_rule}."""

from __future__ import annotations

from tests.istio.validation.cases import CasesTestCase


class DestinationRuleTests(CasesTestCase):
    """Rules for services, and their subsets."""

    def test_hosts(self) -> None:
        """A rule is for a name, a wildcard or an address."""
        self.check(
            "DestinationRule",
            [
                ("host: web", ""),
                ("host: '*.web.example'", ""),
                ("host: 10.0.0.1", ""),
                ("host: ''", "spec.host: missing"),
                ("subsets: []", "spec.host: missing"),
                ("host: web.example:80", "has a port"),
                ("host: http://web.example", "is a URL"),
                ("host: we*.example", "is no pattern"),
            ],
        )

    def test_subsets(self) -> None:
        """Names are labels and stand once; labels are Kubernetes'."""
        self.check(
            "DestinationRule",
            [
                ("host: web\nsubsets: [{name: v1, labels: {app.example/version: v1.0_a}}, {name: v2}]", ""),
                ("host: web\nsubsets: [{labels: {version: v1}}]", "spec.subsets[0].name: missing"),
                ("host: web\nsubsets: [{name: v_1}]", "no name of a subset"),
                ("host: web\nsubsets: [{name: v1}, {name: v1}]", "the name of subsets[0] too"),
                ("host: web\nsubsets: [{name: v1, labels: {'a b': c}}]", "no key of a label"),
                ("host: web\nsubsets: [{name: v1, labels: {'/b': c}}]", "no key of a label"),
                ("host: web\nsubsets: [{name: v1, labels: {a: '-c'}}]", "no value of a label"),
                (f"host: web\nsubsets: [{{name: v1, labels: {{a: {'c' * 64}}}}}]", "63 at most"),
                ("host: web\nsubsets: [{name: v1, trafficPolicy: {}}]", "spec.subsets[0].trafficPolicy: says nothing"),
            ],
        )

    def test_exports(self) -> None:
        """C{exportTo} is checked, and a rule for workloads stays in its namespace."""
        self.check(
            "DestinationRule",
            [
                ("host: web\nexportTo: ['.', a]", ""),
                ("host: web\nexportTo: ['*', a]", "goes with no other"),
                ("host: web\nexportTo: ['~']", "ServiceEntries only"),
                ("host: web\nexportTo: ['.']\nworkloadSelector: {matchLabels: {a: b}}", ""),
                ("host: web\nexportTo: ['*']\nworkloadSelector: {matchLabels: {a: b}}", "its own namespace only"),
            ],
        )
