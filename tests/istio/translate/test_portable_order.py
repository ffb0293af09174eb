"""Tests of L{edgegate.istio.translate.portable_order}."""

from __future__ import annotations

from edgegate.istio.translate import CompileOptions
from tests.istio.translate.compiling import gateway, route, virtual_service
from tests.istio.translate.test_portable import DifferencesTestCase

ROUTES = f"http: [{route('web.example.com')}]"
PASSED = "443 TLS {} {{mode: PASSTHROUGH}}".format


def made(text: str, year: int) -> str:
    """Say when a document's object was made."""
    return text.replace("metadata: {", f'metadata: {{creationTimestamp: "{year}-01-01T00:00:00Z", ', 1)


class OrderTests(DifferencesTestCase):
    """Documents that a cluster would have in another order."""

    def test_virtual_services(self) -> None:
        """Two for one host of one Gateway, the second of which is the first by name or namespace."""
        a, b = (virtual_service(name, "www.example.com", ROUTES) for name in "ab")
        told = "spec.hosts[0]: in a cluster this counts before VirtualService default/b at in.yaml:1, by name and"
        self.check(b + a, told)
        self.check(a + b)
        other = virtual_service("b", "www.example.com", ROUTES, "default/gw", namespace="aaa")
        self.check(b + other, told)
        self.check(other + b)

    def test_apart(self) -> None:
        """Other hosts, other Gateways, other ages, and the mesh: no order counts, or it is known."""
        a, b = (virtual_service(name, "www.example.com", ROUTES) for name in "ab")
        self.check(b + virtual_service("a", "web.example.com", ROUTES))
        self.check(b + virtual_service("a", "www.example.com", ROUTES, "other"))
        self.check(made(b, 2020) + made(a, 2021))
        self.check(made(b, 2020) + a)
        self.check("".join(virtual_service(name, "www.example.com", ROUTES, "mesh") for name in "ba"))

    def test_told_once(self) -> None:
        """One document is told of once, however many hosts it shares; a third is told of the first by name so far."""
        a, b, c = (virtual_service(name, "www.example.com,web.example.com", ROUTES) for name in "abc")
        begin = "spec.hosts[0]: in a cluster this counts before VirtualService default/"
        self.check(c + b + a, f"{begin}c", f"{begin}b")
        self.check(c + a + b, f"{begin}c")

    def test_gateways(self) -> None:
        """Servers of which one is left out: TCP on a port, and a name of TLS."""
        begin = "spec.servers[0].port: in a cluster this counts before Gateway default/b at"
        for one, other in (("80 TCP *", "80 HTTP *"), (PASSED("a.example"), PASSED("a.example"))):
            self.check(gateway("b", one) + gateway("a", other), begin)
            self.check(gateway("a", one) + gateway("b", other))
        self.check(gateway("b", "80 HTTP *") + gateway("a", "80 HTTP *"))
        self.check(gateway("b", PASSED("a.example")) + gateway("a", PASSED("b.example")))

    def test_selected(self) -> None:
        """Gateways of others do not count."""
        others = gateway("b", "80 TCP *").replace("istio: edge", "istio: other")
        self.check(others + gateway("a", "80 HTTP *"), options=CompileOptions({"istio": "edge"}))
