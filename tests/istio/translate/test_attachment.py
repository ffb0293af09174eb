"""Tests of L{edgegate.istio.translate.attachment}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.istio.translate.compiling import compiled, gateway, listener, route, virtual_service

ALL = f"http: [{route()}]"


class AttachmentTests(SynchronousTestCase):
    """Which VirtualServices serve which hosts of which servers."""

    def hosts(self, text: str, port: int = 80) -> set[str]:
        """Return the virtual hosts of a port."""
        plain = listener(compiled(text)[0], port).plain
        assert plain is not None and plain.http is not None
        return {name for name, _ in plain.http.items()}

    def test_intersection(self) -> None:
        """What a server and a VirtualService have in common is the narrower of the two."""
        for server, service, expected in (
            ("*.foo.example", "a.foo.example", {"a.foo.example"}),
            ("a.foo.example", "*", {"a.foo.example"}),
            ("*", "*.foo.example", {"*.foo.example"}),
            ("a.example", "b.example", set()),
            ("A.example", "a.EXAMPLE", {"a.example"}),
        ):
            text = gateway("gw", f"80 HTTP {server}") + virtual_service("a", service, ALL)
            self.assertEqual(self.hosts(text), expected, (server, service))

    def test_no_host_in_common(self) -> None:
        """A host that no server of its gateways serves is a warning."""
        _, warning = compiled(gateway("gw", "80 HTTP a.example") + virtual_service("a", "b.example", ALL))[1]
        self.assertIn("spec.hosts[0]: no server of its gateways serves this host", warning)

    def test_namespaces(self) -> None:
        """A server's host may be for one namespace only."""
        for prefix, namespace, expected in (
            ("./", "default", {"a.example"}),
            ("./", "shop", set()),
            ("shop/", "shop", {"a.example"}),
            ("*/", "shop", {"a.example"}),
            ("", "shop", {"a.example"}),
        ):
            text = gateway("gw", f"80 HTTP {prefix}a.example")
            text += virtual_service("a", "a.example", ALL, gateways="default/gw", namespace=namespace)
            self.assertEqual(self.hosts(text), expected, (prefix, namespace))

    def test_names(self) -> None:
        """Gateways go by their name in the same namespace, or with theirs; others are errors."""
        start = gateway("gw", "80 HTTP a.example")
        for name in ("gw", "default/gw", "./gw", "gw.default", "gw.default.svc.cluster.local"):
            self.assertEqual(self.hosts(start + virtual_service("a", "a.example", ALL, gateways=name)), {"a.example"})
        start = gateway("shop-gateway", "80 HTTP a.example")
        (error,) = compiled(start + virtual_service("a", "a.example", ALL, gateways="shop-gatway"))[1]
        words = 'no document declares Gateway "shop-gatway" in namespace "default"; did you mean "shop-gateway"?'
        self.assertIn(words, error)

    def test_mesh(self) -> None:
        """What is for sidecars is for nobody here."""
        start = gateway("gw", "80 HTTP a.example")
        (note,) = compiled(start + virtual_service("a", "a.example", ALL, gateways="gw, mesh"))[1]
        self.assertIn("info: spec.gateways[1]: mesh means the sidecars", note)

    def test_export(self) -> None:
        """C{exportTo} keeps a VirtualService from other namespaces' Gateways."""
        start = gateway("gw", "80 HTTP a.example")
        for scopes, expected in (('["."]', set()), ("[default]", {"a.example"}), ('["*"]', {"a.example"})):
            body = f"exportTo: {scopes}, {ALL}"
            text = start + virtual_service("a", "a.example", body, gateways="default/gw", namespace="shop")
            self.assertEqual(self.hosts(text), expected, scopes)
