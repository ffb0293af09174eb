"""Tests of L{edgegate.istio.translate.access}."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Severity
from edgegate.istio.translate import CompileOptions
from edgegate.sources.compilation import compile_resources
from tests.istio.translate.compiling import decoded, gateway


def policy(spec: str, namespace: str = "default", kind: str = "AuthorizationPolicy") -> str:
    """Write a policy."""
    return (
        f"apiVersion: security.istio.io/v1\nkind: {kind}\n"
        f"metadata: {{name: p, namespace: {namespace}}}\nspec: {{{spec}}}\n---\n"
    )


def told(text: str, selector: Mapping[str, str] | None = None, *ignored: str) -> list[tuple[str, str]]:
    """Return severity and message of all that is said of the policies."""
    resources, problems = decoded(text)
    compile_resources(resources, CompileOptions(selector, ignored_kinds=frozenset(ignored)), problems)
    return [
        (each.severity.name, each.message) for each in problems if " default/p" in each.message or "/p " in each.message
    ]


GATEWAY = gateway("gw", "80 HTTP *").replace("{istio: edge}", "{istio: edge, app: shop}")


class AccessTests(SynchronousTestCase):
    """Which policies keep a folder from being served."""

    def severity(self, text: str, selector: Mapping[str, str] | None = None) -> str:
        """Return how bad the only policy is."""
        ((severity, _),) = told(text, selector)
        return severity

    def test_selectors(self) -> None:
        """One without a selector, and one whose labels a Gateway's selector has."""
        for spec, expected in (
            ("", "ERROR"),
            ("action: DENY", "ERROR"),
            ("selector: {matchLabels: {}}", "ERROR"),
            ("selector: {matchLabels: {istio: edge}}", "ERROR"),
            ("selector: {matchLabels: {istio: edge, app: shop}}", "ERROR"),
            ("selector: {matchLabels: {istio: edge, app: other}}", "INFO"),
            ("selector: {matchLabels: {app: reviews}}", "INFO"),
        ):
            self.assertEqual(self.severity(GATEWAY + policy(spec)), expected, spec)

    def test_own_labels(self) -> None:
        """Where the gateway was given labels, those count, whatever its Gateways ask for."""
        own = {"istio": "edge", "app": "shop", "tier": "front"}
        for labels, expected in (("tier: front", "ERROR"), ("tier: back", "INFO")):
            text = GATEWAY + policy(f"selector: {{matchLabels: {{{labels}}}}}")
            self.assertEqual(self.severity(text, own), expected, labels)
            self.assertEqual(self.severity(text), "INFO")

    def test_charts(self) -> None:
        """A gateway of Istio's charts has a second label."""
        text = gateway("gw", "80 HTTP *").replace("istio: edge", "istio: ingressgateway")
        for app, expected in (("istio-ingressgateway", "ERROR"), ("istio-egressgateway", "INFO")):
            self.assertEqual(self.severity(text + policy(f"selector: {{matchLabels: {{app: {app}}}}}")), expected, app)

    def test_unknown_labels(self) -> None:
        """What Gateways do not ask for may be there, if it is a label of a gateway, unless the gateway's are given."""
        anywhere = gateway("gw", "80 HTTP *").replace("selector: {istio: edge}", "selector: {}")
        other = anywhere.replace("selector: {}", "selector: {team: a}")
        for labels, expected in (
            ("istio: ingressgateway", "ERROR"),
            ("app: istio-ingressgateway", "ERROR"),
            ("app: reviews", "INFO"),
            ("istio: ingressgateway, app: reviews", "INFO"),
        ):
            text = policy(f"selector: {{matchLabels: {{{labels}}}}}")
            for gateways in (anywhere, other):
                self.assertEqual(self.severity(gateways + text), expected, labels)
            self.assertEqual(self.severity(anywhere + text, {"team": "a"}), "INFO")

    def test_namespaces(self) -> None:
        """The gateway could be in any namespace: Gateways choose it from wherever they are."""
        for namespace in ("default", "istio-system", "istio-ingress"):
            for spec, expected in (
                ("action: DENY", "ERROR"),
                ("selector: {matchLabels: {istio: edge}}", "ERROR"),
                ("selector: {matchLabels: {app: reviews}}", "INFO"),
            ):
                self.assertEqual(self.severity(GATEWAY + policy(spec, namespace)), expected, (namespace, spec))

    def test_targets(self) -> None:
        """One that names a Gateway may be meant for this one; others are not."""
        for spec, expected in (
            ("targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: gw}]", "ERROR"),
            ("targetRef: {kind: GatewayClass, group: gateway.networking.k8s.io, name: istio}", "ERROR"),
            ("targetRefs: [{kind: Service, name: a}, {kind: Gateway, name: b}]", "ERROR"),
            ("targetRefs: [{kind: Service, group: '', name: a}]", "INFO"),
        ):
            self.assertEqual(self.severity(GATEWAY + policy(spec)), expected, spec)

    def test_kinds(self) -> None:
        """What refuses nobody is a note."""
        self.assertEqual(self.severity(GATEWAY + policy("action: AUDIT")), "INFO")

    def test_nothing_served(self) -> None:
        """Where no Gateway is served there is nothing to be kept from."""
        self.assertEqual(self.severity(policy("")), "INFO")
        self.assertEqual(self.severity(GATEWAY + policy(""), {"istio": "other"}), "INFO")

    def test_ignored(self) -> None:
        """A kind that the user ignores is a warning, and no other is."""
        text = GATEWAY + policy("")
        self.assertEqual([severity for severity, _ in told(text)], ["ERROR"])
        self.assertEqual([severity for severity, _ in told(text, None, "AuthorizationPolicy")], ["WARNING"])

    def test_message(self) -> None:
        """It says what is missing, and what to do; a note says why it does not count."""
        ((_, error),) = told(GATEWAY + policy(""))
        self.assertEqual(
            error,
            "AuthorizationPolicy default/p could be for this gateway: not honoured yet, nothing is refused because of"
            " it; take it out, or serve the folder all the same with --ignore-kind AuthorizationPolicy",
        )
        ((_, note),) = told(GATEWAY + policy("selector: {matchLabels: {app: reviews}}"))
        self.assertIn("changes nothing here: no gateway here has the labels app=reviews of its selector", note)

    def test_place(self) -> None:
        """It stands at its document."""
        resources, problems = decoded(GATEWAY + policy(""))
        compile_resources(resources, CompileOptions(), problems)
        (problem,) = [each for each in problems if each.severity is Severity.ERROR]
        self.assertEqual((problem.file, problem.line), ("in.yaml", GATEWAY.count("\n") + 1))
