"""Tests of L{edgegate.istio.translate.services}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate.members import Members
from edgegate.istio.translate.services import ServiceIndex, index_services, short_form
from edgegate.model.clusters import Discovery
from edgegate.model.origin import Origin
from tests.istio.translate.compiling import decoded


class Declared:
    """A document's word on a service with some ports."""

    def __init__(self, *ports: int) -> None:
        self.ports: tuple[int, ...] | None = ports or None
        self.origin = Origin("in.yaml", 1, "ServiceEntry default/x")

    def members(self, port: int) -> Members:
        """No endpoints."""
        return Members(Discovery.STATIC, ())

    def visible_from(self, namespace: str) -> bool:
        """Everyone sees it."""
        return True


class ShortFormTests(SynchronousTestCase):
    """Spellings of Kubernetes services."""

    def test_spellings(self) -> None:
        """Four spellings are one service; other names are none."""
        for host, expected in (
            ("web", ("web", "ns")),
            ("web.shop", ("web", "shop")),
            ("web.shop.svc", ("web", "shop")),
            ("web.shop.svc.cluster.local", ("web", "shop")),
            ("a.web.shop.svc.cluster.local", None),
            ("www.shop.example", None),
            ("a.b.svc.d", None),
        ):
            self.assertEqual(short_form(host, "ns"), expected, host)


class ServiceIndexTests(SynchronousTestCase):
    """What a destination's host means."""

    def index(self, *declared: tuple[str, str]) -> ServiceIndex:
        """Index hosts with their namespaces."""
        index = ServiceIndex()
        for host, namespace in declared:
            index.add(host, namespace, Declared(80))
        return index

    def found(self, index: ServiceIndex, host: str, namespace: str = "default") -> str | None:
        """The identity of what a host means."""
        service = index.find(host, namespace)
        return service.identity if service is not None else None

    def test_own_namespace_first(self) -> None:
        """A short name is a service of the same namespace, else one that is declared just so."""
        index = self.index(("web", "other"), ("web.default.svc.cluster.local", "default"))
        self.assertEqual(self.found(index, "web"), "web.default.svc.cluster.local")
        self.assertEqual(self.found(index, "web", "other"), "web")
        self.assertEqual(self.found(index, "web", "third"), "web")

    def test_same_host_in_two_namespaces(self) -> None:
        """Each namespace means its own entry; others mean the first."""
        index = self.index(("api.example.com", "a"), ("api.example.com", "b"))
        self.assertEqual(self.found(index, "api.example.com", "b"), "b/api.example.com")
        self.assertEqual(self.found(index, "api.example.com", "c"), "api.example.com")

    def test_narrowest_wildcard(self) -> None:
        """A wildcard stands for the names that no other entry has."""
        index = self.index(("*.example", "default"), ("*.a.example", "default"), ("x.a.example", "default"))
        self.assertEqual(self.found(index, "x.a.example"), "x.a.example")
        self.assertEqual(self.found(index, "y.a.example"), "*.a.example")
        self.assertEqual(self.found(index, "b.example"), "*.example")
        self.assertIsNone(self.found(index, "example"))

    def test_ports_add_up(self) -> None:
        """All documents of a host declare its ports together; one that takes any port opens all."""
        index = ServiceIndex()
        index.add("a.example", "default", Declared(81))
        index.add("a.example", "default", Declared(80, 81))
        service = index.find("a.example", "default")
        assert service is not None
        self.assertEqual(service.ports, (80, 81))
        index.add("a.example", "default", Declared())
        self.assertIsNone(service.ports)

    def test_names(self) -> None:
        """Suggestions come from the full and the short names."""
        index = self.index(("web.default.svc.cluster.local", "default"), ("api.example", "default"))
        self.assertEqual(set(index.names()), {"web.default.svc.cluster.local", "web", "api.example"})

    def test_bad_hosts(self) -> None:
        """A host that is none is passed over: it was reported before."""
        resources, _ = decoded(
            """
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: a}
            spec: {hosts: ["a b", a.example], ports: [{number: 80, name: http}], resolution: DNS}
            """
        )
        self.assertEqual(list(index_services(resources).names()), ["a.example"])
