"""Tests of L{edgegate.istio.translate.portable_policies}."""

from __future__ import annotations

from tests.istio.translate.test_portable import DifferencesTestCase


def custom(name: str, provider: str, labels: str = "") -> str:
    """Write a policy that has a service asked."""
    selector = f"selector: {{matchLabels: {{{labels}}}}}, " if labels else ""
    return (
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
        f"metadata: {{name: {name}}}\n"
        f"spec: {{{selector}action: CUSTOM, provider: {{name: {provider}}}, rules: [{{}}]}}\n---\n"
    )


class ProvidersTests(DifferencesTestCase):
    """Several providers at one workload."""

    def test_several(self) -> None:
        """A cluster asks one, and denies all where policies that may meet name more."""
        told = 'spec.provider.name: in a cluster all is denied that policies of "b" and "a" (in.yaml:1)'
        self.check(custom("one", "a") + custom("two", "b"), told)
        self.check(custom("one", "a", "app: x") + custom("two", "b"), told)

    def test_one(self) -> None:
        """One provider may have many policies, and other workloads may have others."""
        self.check(custom("one", "a") + custom("two", "a"))
        self.check(custom("one", "a", "app: x") + custom("two", "b", "app: z"))
