"""Tests of L{edgegate.istio.translate.destination_rules}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problems
from edgegate.istio.translate.destination_rules import DestinationRules, canonical
from edgegate.istio.translate.services import Service, index_services
from edgegate.istio.translate.suggestions import Suggestions
from tests.istio.translate.compiling import decoded
from tests.istio.translate.ruling import FRONT, rule, told


def rules(*documents: str) -> tuple[DestinationRules, Problems]:
    """Return the rules of documents, and what is reported."""
    resources, _ = decoded("---\n".join(documents))
    problems = Problems()
    return DestinationRules(resources.destination_rules, problems), problems


def service(host: str, namespace: str = "shop") -> Service:
    """Return a service that nothing declares."""
    return Service(host, namespace, host, [])


class DestinationRulesTests(SynchronousTestCase):
    """Which rule is for a service."""

    def found(self, documents: list[str], host: str, namespace: str) -> str | None:
        """Return the origin of the rule for a service of C{shop}."""
        rule = rules(*documents)[0].find(service(host), namespace)
        return None if rule is None else rule.origin.resource.partition(" ")[2]

    def test_spellings(self) -> None:
        """A short host is one of the rule's namespace."""
        for host, namespace, is_for in (
            ("web", "shop", True),
            ("web", "istio-system", False),
            ("web.shop", "istio-system", True),
            ("web.shop.svc", "shop", True),
            ("WEB.shop.svc.cluster.local", "shop", True),
            ("'*.shop.svc.cluster.local'", "shop", True),
            ("'*'", "shop", True),
            ("'*.other.svc.cluster.local'", "shop", False),
        ):
            written = rule(f"host: {host}", namespace=namespace)
            found = self.found([written], "web.shop.svc.cluster.local", "shop")
            self.assertEqual(found is not None, is_for, host)
        self.assertIsNotNone(self.found([rule("host: web", namespace="shop")], "web", "shop"))
        self.assertEqual(canonical("a.b.example", "shop"), "a.b.example")

    def test_narrowest(self) -> None:
        """The exact host comes before wildcards, the longest first."""
        written = [
            rule("host: '*'", "all", "shop"),
            rule("host: '*.example'", "wide", "shop"),
            rule("host: '*.web.example'", "narrow", "shop"),
            rule("host: a.web.example", "exact", "shop"),
        ]
        for host, name in (
            ("a.web.example", "exact"),
            ("b.web.example", "narrow"),
            ("*.web.example", "narrow"),
            ("web.example", "wide"),
            ("a.test", "all"),
        ):
            self.assertEqual(self.found(written, host, "shop"), f"shop/{name}", host)

    def test_namespaces(self) -> None:
        """The client's namespace comes first, the service's second, the root namespace last, and no other ever."""
        written = [rule("host: web.example", namespace=each) for each in ("client", "shop", "istio-system", "other")]
        for count, expected in ((4, "client"), (3, "shop"), (2, "istio-system")):
            self.assertEqual(self.found(written[4 - count :], "web.example", "client"), f"{expected}/web")
        self.assertIsNone(self.found(written[3:], "web.example", "client"))

    def test_exports(self) -> None:
        """A rule that is not exported is looked over."""
        private = rule("host: web.example, exportTo: ['.']", namespace="shop")
        root = rule("host: '*.example'", namespace="istio-system")
        self.assertEqual(self.found([private, root], "web.example", "shop"), "shop/web")
        self.assertEqual(self.found([private, root], "web.example", "client"), "istio-system/web")

    def test_selectors(self) -> None:
        """A rule for workloads of a mesh is for nobody here."""
        self.assertIsNone(
            self.found([rule("host: web.example, workloadSelector: {matchLabels: {a: b}}")], "web.example", "default")
        )

    def test_merged(self) -> None:
        """Of two rules for one host the first policy counts, and subsets add up."""
        found, problems = rules(
            rule("host: web, subsets: [{name: v1, labels: {a: b}}]", "one"),
            rule("host: web.default, trafficPolicy: {tls: {mode: SIMPLE}}", "two"),
            rule("host: web, trafficPolicy: {tls: {mode: DISABLE}}, subsets: [{name: v1}, {name: v2}]", "three"),
        )
        merged = found.find(service("web.default.svc.cluster.local", "default"), "default")
        assert merged is not None and merged.policy is not None
        self.assertEqual(merged.policy.resource.name, "two")
        self.assertEqual(
            {name: said.resource.name for name, said in merged.subsets.items()}, {"v1": "one", "v2": "three"}
        )
        self.assertEqual(
            told(problems),
            [
                'warning: spec.trafficPolicy: is passed over: for "web" the policy of DestinationRule default/two'
                " at in.yaml:9 counts",
                "warning: spec.subsets[0].name: is passed over: DestinationRule default/one at in.yaml:4 has a subset"
                ' "v1" already',
            ],
        )

    def test_unused(self) -> None:
        """A rule for a host that nobody declares is of no use; wildcards and addresses may be for nobody."""
        written = [
            rule(f"host: {host}", f"r{at}") for at, host in enumerate(("'*.x'", "10.0.0.1", "localhost", "web.exampel"))
        ]
        resources, _ = decoded("---\n".join((FRONT, *written)))
        problems = Problems()
        DestinationRules(resources.destination_rules, problems).warn_of_unused(index_services(resources), Suggestions())
        self.assertEqual(
            told(problems),
            [
                'warning: spec.host: no document declares "web.exampel": the rule is of no use;'
                ' did you mean "web.example"?'
            ],
        )

    def test_wildcard_service(self) -> None:
        """Of a service that is declared by a wildcard, a rule for one of its names is of no use, as in Istio."""
        head = "apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: w}"
        entry = f"{{{head}, spec: {{hosts: ['*.w.test']}}}}\n"
        resources, _ = decoded("---\n".join((entry, rule("host: a.w.test", "a"), rule("host: '*.w.test'", "b"))))
        problems = Problems()
        DestinationRules(resources.destination_rules, problems).warn_of_unused(index_services(resources), Suggestions())
        (warning,) = told(problems)
        self.assertIn('at in.yaml:1 declares it as "*.w.test", so rules for that count', warning)
