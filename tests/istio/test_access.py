"""Tests of L{edgegate.istio.access}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.access import AccessPolicy, access_policy
from tests.config.reading import document, documents


def read(spec: str, kind: str = "AuthorizationPolicy") -> AccessPolicy:
    """Return what is read of a policy's C{spec}."""
    return access_policy(documents(document(kind, spec, api_version="security.istio.io/v1"))[0])


class AccessPolicyTests(SynchronousTestCase):
    """To whom a policy applies."""

    def test_labels(self) -> None:
        """Those of its selector, in both spellings; none where there are none, and where they can't be read."""
        for spec, labels in (
            ("{}", {}),
            ("selector: {matchLabels: {istio: edge, app: a}}", {"istio": "edge", "app": "a"}),
            ("selector: {match_labels: {istio: edge}}", {"istio": "edge"}),
            ("selector: {}", {}),
            ("selector: {matchLabels: [istio]}", {}),
            ("selector: {matchLabels: {istio: 5}}", {}),
            ("selector: edge", {}),
            ("[]", {}),
            ("deny", {}),
        ):
            self.assertEqual(read(spec).labels, labels, spec)

    def test_targets(self) -> None:
        """All that it names, by either field."""
        for spec, targets in (
            ("{}", ()),
            ("targetRef: {kind: Gateway, name: a}", (("Gateway", "a"),)),
            ("targetRefs: [{kind: Service, name: a}, {kind: Gateway}]", (("Service", "a"), ("Gateway", ""))),
            ("target_refs: [{kind: 5}, a]", (("", ""),)),
            ("targetRefs: a", ()),
        ):
            self.assertEqual(read(spec).targets, targets, spec)

    def test_harmless(self) -> None:
        """Some refuse nobody."""
        for spec, kind, words in (
            ("{}", "AuthorizationPolicy", ""),
            ("action: DENY", "AuthorizationPolicy", ""),
            ("action: AUDIT", "AuthorizationPolicy", "AUDIT refuses nobody"),
        ):
            self.assertIn(words, read(spec, kind).harmless)
            self.assertEqual(bool(words), bool(read(spec, kind).harmless), spec)

    def test_dry_run(self) -> None:
        """What is only tried refuses nobody; what is no boolean of Go's is no dry run."""
        for value, tried in (("true", True), ("T", True), ("1", True), ("false", False), ("yes", False), ("", False)):
            text = document("AuthorizationPolicy", "{}", api_version="security.istio.io/v1")
            text = text.replace("{name: a}", f'{{name: a, annotations: {{istio.io/dry-run: "{value}"}}}}')
            self.assertEqual(bool(access_policy(documents(text)[0]).harmless), tried, value)
