"""Tests of L{edgegate.istio.translate.service_entries}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problems
from edgegate.istio.translate.members import Unusable
from edgegate.istio.translate.service_entries import DeclaredEntry
from edgegate.istio.translate.workloads import Workloads
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Discovery
from tests.istio.translate.compiling import decoded


def entry(rest: str) -> DeclaredEntry:
    """A ServiceEntry with one port 80."""
    resources, _ = decoded(
        "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: a, namespace: ns}\n"
        f"spec: {{hosts: [a.example, b.example], ports: [{{number: 80, name: http}}], {rest}}}\n"
    )
    return DeclaredEntry(resources.service_entries[0], "a.example", Workloads(resources))


class DeclaredEntryTests(SynchronousTestCase):
    """Endpoints of ServiceEntries."""

    def test_hosts_themselves(self) -> None:
        """With DNS and without endpoints, the host is looked up, and no other host of the entry."""
        members = entry("resolution: DNS").members(80)
        self.assertIs(members.discovery, Discovery.DNS)
        self.assertEqual([endpoint.address for endpoint in members.endpoints], [TCPAddress("a.example", 80)])

    def test_addresses_need_no_lookup(self) -> None:
        """DNS entries whose endpoints are all IP addresses are not looked up."""
        members = entry("resolution: DNS, endpoints: [{address: 10.0.0.1}]").members(80)
        self.assertIs(members.discovery, Discovery.STATIC)

    def test_unusable(self) -> None:
        """What does not tell where the service is says what to add."""
        for rest, reason in (
            ("resolution: STATIC, addresses: [10.0.0.0/8]", 'its address "10.0.0.0/8" is no single IP address'),
            ("resolution: STATIC, endpoints: [{address: x.example}]", 'its endpoint "x.example:80" is a name'),
            ("resolution: NONE, addresses: [10.0.0.0/8]", "an edge can't tell"),
            ("addresses: []", "an edge can't tell"),
        ):
            error = self.assertRaises(Unusable, entry(rest).members, 80)
            self.assertIn(reason, str(error))

    def test_no_endpoints(self) -> None:
        """A STATIC one may have no endpoint for now: a warning says what that means."""
        for rest, words in (
            ("resolution: STATIC", "warning: spec.endpoints: none: whatever is sent there is answered 503 (UH)"),
            (
                "resolution: STATIC, workloadSelector: {labels: {a: b}}",
                'warning: spec.workloadSelector: no WorkloadEntry in namespace "ns" has the labels a=b: whatever',
            ),
        ):
            declared, problems = entry(rest), Problems()
            self.assertEqual(declared.members(80).endpoints, ())
            declared.warn_of_no_endpoints(problems)
            (problem,) = problems
            self.assertIn(words, str(problem))

    def test_visible_from(self) -> None:
        """C{exportTo} says who may use it: everyone, its own namespace, or those that it names."""
        for rest, seen in (
            ("resolution: DNS", ["ns", "x"]),
            ('exportTo: ["*"]', ["ns", "x"]),
            ('exportTo: ["."]', ["ns"]),
            ("exportTo: [x]", ["x"]),
            ('exportTo: ["~"]', []),
        ):
            declared = entry(rest)
            self.assertEqual([name for name in ("ns", "x") if declared.visible_from(name)], seen, rest)
