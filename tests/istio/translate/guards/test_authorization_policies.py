"""Tests of L{edgegate.istio.translate.guards.authorization_policies}."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate import CompileOptions
from edgegate.model.guards.authorization import Authorization
from edgegate.routing.snapshot import Snapshot
from edgegate.sources.compilation import compile_resources
from tests.istio.translate.compiling import decoded, gateway, route, virtual_service

FILES = gateway("gw", "80 HTTP a.example", "9000 TCP *") + virtual_service("vs", "a.example", f"http: [{route()}]")
CHARTS = FILES.replace("istio: edge", "istio: ingressgateway")


def policy(spec: str, name: str = "p", namespace: str = "default", annotations: str = "") -> str:
    """Write a policy."""
    return (
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
        f"metadata: {{name: {name}, namespace: {namespace}{annotations}}}\nspec: {{{spec}}}\n---\n"
    )


class PlacingTests(SynchronousTestCase):
    """Where policies stand."""

    def compile(self, text: str, selector: Mapping[str, str] | None = None, **options: object) -> Snapshot:
        """Compile files; what is told is kept."""
        resources, problems = decoded(text)
        found = compile_resources(resources, CompileOptions(selector, **options), problems)  # type: ignore[arg-type]
        self.told = [
            (each.severity.name, each.message) for each in problems if "Authorization" in each.message + each.resource
        ]
        return found.snapshot

    def names(self, text: str, selector: Mapping[str, str] | None = None, **options: object) -> list[str]:
        """Return the names of the guards on the first port's only host."""
        (listener, *_) = self.compile(text, selector, **options).listeners
        assert listener.plain is not None and listener.plain.http is not None
        ((_, host),) = listener.plain.http.items()
        return [each.name for each in host.guards]

    def test_together(self) -> None:
        """Policies of one action are one guard; those of DENY come before those of ALLOW, and AUDIT before both."""
        text = FILES + policy("rules: [{}]", "a") + policy("action: DENY, rules: [{}]", "b") + policy("", "c")
        self.assertEqual(
            self.names(text + policy("action: AUDIT", "d")), ["default/d", "default/b", "default/a, default/c"]
        )
        many = "".join(policy("", each) for each in "abcde")
        self.assertEqual(self.names(FILES + many), ["default/a, default/b, default/c and 2 more"])

    def test_shared(self) -> None:
        """All servers of the same policies have one guard."""
        http, tcp = self.compile(FILES + policy("")).listeners
        assert http.plain is not None and tcp.plain is not None
        self.assertIs(http.plain.guards[0], tcp.plain.guards[0])

    def test_order(self) -> None:
        """Rules are in the order of their names as text."""
        rules = "rules: [" + ", ".join(["{}"] * 11) + "]"
        (listener, *_) = self.compile(FILES + policy(rules, "z") + policy("rules: [{}]", "a")).listeners
        assert listener.plain is not None
        (guard,) = listener.plain.guards
        assert isinstance(guard, Authorization)
        names = [rule.name for rule in guard.rules.rules]
        self.assertEqual(names, sorted(names))
        self.assertEqual(names[2], "ns[default]-policy[z]-rule[10]")

    def test_selectors(self) -> None:
        """A policy is for workloads that have its labels."""
        for spec, stands in (
            ("selector: {matchLabels: {istio: ingressgateway}}", True),
            ("selector: {matchLabels: {app: istio-ingressgateway}}", True),
            ("selector: {matchLabels: {istio: egressgateway}}", False),
            ("selector: {matchLabels: {app: reviews}}", False),
        ):
            self.assertEqual(bool(self.names(CHARTS + policy(spec))), stands, spec)
        labels = {"istio": "ingressgateway", "tier": "front"}
        self.assertTrue(self.names(CHARTS + policy("selector: {matchLabels: {tier: front}}"), labels))

    def test_for_nothing(self) -> None:
        """One that is for nothing here is told of: as a warning where it was probably meant for a gateway."""
        for text, severity, words in (
            (policy("selector: {matchLabels: {app: reviews}}"), "INFO", "no gateway here has the labels app=reviews"),
            (policy("selector: {matchLabels: {istio: egressgateway}}"), "WARNING", "no gateway here has the labels"),
            (policy("", namespace="ingress"), "WARNING", 'it is in the namespace "ingress"'),
            (policy("", namespace="shop"), "INFO", 'it is in the namespace "shop"'),
            (policy("action: AUDIT", namespace="ingress"), "INFO", "it is in the namespace"),
            (
                policy("targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: gw}]"),
                "WARNING",
                "gateways of the Gateway API",
            ),
            (
                policy("targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: waypoint}]"),
                "INFO",
                "gateways of the Gateway API",
            ),
            (policy('targetRef: {kind: Service, group: "", name: reviews}'), "INFO", "gateways of the Gateway API"),
        ):
            self.assertEqual(self.names(CHARTS + text), [])
            ((told, message),) = self.told
            self.assertEqual(told, severity, text)
            self.assertIn("guards nothing here: ", message)
            self.assertIn(words, message)

    def test_namespaces(self) -> None:
        """The root namespace's policies are for all, and those of the gateway's own for that."""
        named = CHARTS.replace("metadata: {name: gw", "metadata: {namespace: infra, name: gw")
        for namespace, own, stands in (
            ("istio-system", None, True),
            ("infra", None, False),
            ("infra", "infra", True),
            ("default", None, False),
        ):
            found = self.names(
                named.replace("gateways: [gw]", "gateways: [infra/gw]") + policy("", namespace=namespace),
                gateway_namespace=own,
            )
            self.assertEqual(bool(found), stands, (namespace, own))

    def test_ignored(self) -> None:
        """A kind that is ignored refuses nobody, and it is said."""
        found = self.names(FILES + policy(""), ignored_kinds=frozenset({"AuthorizationPolicy"}))
        self.assertEqual(found, [])
        self.assertEqual([each for each, _ in self.told], ["WARNING"])

    def test_unreadable(self) -> None:
        """What can't be read is an error, and denies all; an ALLOW policy of that kind allows nothing."""
        for spec, rules in (
            ("action: DENY, rules: [{to: [{operation: {ports: [x]}}]}]", 1),
            ("rules: [{}, {to: [{operation: {ports: [x]}}]}]", 0),
            ("rules: [{from: [{source: {ipBlocks: 5}}]}]", 0),
        ):
            (listener, *_) = self.compile(FILES + policy(spec)).listeners
            assert listener.plain is not None
            (guard,) = listener.plain.guards
            assert isinstance(guard, Authorization)
            self.assertEqual((len(guard.rules.rules), guard.enforced), (rules, True), spec)
            for rule in guard.rules.rules:
                self.assertEqual((rule.sources, rule.operations, rule.conditions), ((), (), ()))

    def test_pod_ports(self) -> None:
        """A port of the gateway's pods is the one that its Service has for it."""
        service = (
            "apiVersion: v1\nkind: Service\nmetadata: {name: gw, namespace: istio-system}\n"
            "spec: {selector: {app: istio-ingressgateway}, ports: [{name: http, port: 80, targetPort: 8080}]}\n---\n"
        )
        spec = "action: DENY, rules: [{to: [{operation: {ports: ['8080', '8443']}}]}]"
        for text, ports in ((CHARTS + service, ("8080", "80", "8443")), (CHARTS, ("8080", "8443"))):
            (listener, *_) = self.compile(text + policy(spec, namespace="istio-system")).listeners
            assert listener.plain is not None
            (guard,) = listener.plain.guards
            assert isinstance(guard, Authorization)
            self.assertEqual(guard.rules.rules[0].operations[0][0].values, ports)
