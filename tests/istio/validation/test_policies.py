"""Tests for L{edgegate.istio.validation.policies}."""

from __future__ import annotations

from tests.istio.validation.cases import CasesTestCase

ALLOW = "allow: {addresses: [192.0.2.1]}\n"
TO = "{group: networking.istio.io, kind: Gateway, name: gw}"


class PoliciesTests(CasesTestCase):
    """What edgegate's own policies must be."""

    def test_targets(self) -> None:
        """They name Gateways and VirtualServices of Istio's, or have a selector, not both."""
        self.check(
            "AddressListPolicy",
            (
                (ALLOW, ""),
                (f"{ALLOW}targetRefs: [{TO}]", ""),
                (
                    f"{ALLOW}targetRefs: [{TO}]\nselector: {{matchLabels: {{a: b}}}}",
                    "only one of",
                ),
                (f"{ALLOW}targetRefs: [{{group: gateway.networking.k8s.io, kind: Gateway, name: gw}}]", "has no kind"),
                (f"{ALLOW}targetRefs: [{{group: networking.istio.io, kind: Gatway, name: gw}}]", "did you mean"),
                (f"{ALLOW}targetRefs: [{{kind: Gateway, name: gw}}]", "missing"),
                (
                    f"{ALLOW}targetRefs: [{{group: networking.istio.io, kind: Gateway, name: gw, namespace: b}}]",
                    "unknown",
                ),
            ),
        )

    def test_lists(self) -> None:
        """A list of addresses says something."""
        self.check(
            "AddressListPolicy",
            (
                ("{}", "neither allow nor deny"),
                ("allow: {}", "neither addresses nor files"),
                ("deny: {addresses: []}", "neither addresses nor files"),
                (f"{ALLOW}source: peer", 'did you mean "Peer"?'),
                ("alow: {addresses: [192.0.2.1]}\ndeny: {addresses: [192.0.2.1]}", 'did you mean "allow"?'),
            ),
        )
