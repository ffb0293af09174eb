"""Tests of L{edgegate.istio.validation.kubernetes}."""

from __future__ import annotations

from textwrap import dedent

from twisted.trial.unittest import SynchronousTestCase

from tests.config.reading import told


class KubernetesTests(SynchronousTestCase):
    """Secrets, Services and their endpoints."""

    def check(self, head: str, *cases: tuple[str, str]) -> None:
        """Check that of each document one thing is told; nothing, where there are no words."""
        for body, words in cases:
            found = [line for line in told(f"{head}\n{dedent(body)}\n") if " info: " not in line]
            self.assertEqual(len(found), bool(words), (body, found))
            if words:
                self.assertIn(words, found[0])

    def test_secrets(self) -> None:
        """A secret for TLS has both parts."""
        self.check(
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a}",
            ("type: kubernetes.io/tls\nstringData: {tls.crt: a, tls.key: b}", ""),
            ("type: kubernetes.io/tls\nstringData: {tls.crt: a}", 'data["tls.key"]: missing'),
            ("type: kubernetes.io/tls\nstringData: {tls.crt: a, tls.kye: b}", 'was it meant by "tls.kye"?'),
            ("stringData: {'a b': c}", "a key is made of"),
        )

    def test_services(self) -> None:
        """Ports and names are told apart; an external name is one."""
        self.check(
            "apiVersion: v1\nkind: Service\nmetadata: {name: a}",
            ("spec: {ports: [{port: 80}]}", ""),
            ("spec: {ports: [{port: 0}]}", "0 is no port"),
            ("spec: {ports: [{port: 80, name: a}, {port: 81}]}", "of several ports each has a name"),
            ("spec: {ports: [{port: 80, name: a}, {port: 80, name: b}]}", "80 comes twice"),
            ("spec: {ports: [{port: 80, name: a}, {port: 81, name: a}]}", '"a" comes twice'),
            ("spec: {type: ExternalName, externalName: a.example}", ""),
            ("spec: {type: ExternalName}", "externalName: missing"),
            ("spec: {type: ExternalName, externalName: 'a b'}", "externalName"),
        )

    def test_slices(self) -> None:
        """A slice belongs to a Service, and has addresses of its type."""
        head = "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata:\n  name: a\n"
        self.check(
            head + "  labels: {kubernetes.io/service-name: a}",
            ("addressType: IPv4\nendpoints: [{addresses: [10.0.0.1]}]\nports: [{port: 80}]", ""),
            ("endpoints: []", "addressType: missing"),
            ("addressType: IPv5\nendpoints: []", "is none of IPv4, IPv6, FQDN"),
            ("addressType: IPv4\nendpoints: [{addresses: [a]}]", "is no IP address"),
            ("addressType: FQDN\nendpoints: [{addresses: [a.example]}]", ""),
            ("addressType: FQDN\nendpoints: [{addresses: ['a b']}]", "endpoints[0].addresses[0]"),
            ("addressType: IPv4\nendpoints: []\nports: [{port: 0}]", "0 is no port"),
        )
        self.check(head, ("addressType: IPv4\nendpoints: []", "it belongs to no Service"))

    def test_endpoints(self) -> None:
        """Addresses and ports."""
        self.check(
            "apiVersion: v1\nkind: Endpoints\nmetadata: {name: a}",
            ("subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{port: 80}]}]", ""),
            ("subsets: [{addresses: [{ip: a}]}]", "is no IP address"),
            ("subsets: [{ports: [{port: 70000}]}]", "70000 is no port"),
        )
