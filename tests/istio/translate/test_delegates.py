"""Tests of L{edgegate.istio.translate.delegates}: Istio's own cases among them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.routes import HTTPRoute
from tests.istio.translate.compiling import compiled, gateway, listener, route, virtual_service

GATEWAY = gateway("gw", "80 HTTP *")
PAGE = "[{uri: {prefix: /productpage}}, {uri: {exact: /login}}]"


def root(*items: str, namespace: str = "istio-system", name: str = "root-vs", hosts: str = "*.org") -> str:
    """Write a VirtualService with hosts."""
    return virtual_service(name, hosts, f"http: [{', '.join(items)}]", "default/gw", namespace)


def delegating(match: str = PAGE, name: str = "productpage-vs", namespace: str = "default", rest: str = "") -> str:
    """Write an item that delegates."""
    within = f", namespace: {namespace}" if namespace else ""
    return f"{{{rest}match: {match}, delegate: {{name: {name}{within}}}}}"


def delegate(*items: str, name: str = "productpage-vs", namespace: str = "default", export: str = "['*']") -> str:
    """Write a VirtualService without hosts."""
    return (
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec: {{exportTo: {export}, http: [{', '.join(items)}]}}\n---\n"
    )


def prefix(text: str) -> str:
    """Write a match by the path."""
    return f"[{{uri: {{prefix: {text}}}}}]"


VERSIONS = (route(port=1, match=prefix("/productpage/v1")), route(port=2, match=prefix("/productpage/v2")))
OTHERS = route(port=9)
ALL = ["/productpage/v1 -> 1", "/productpage/v2 -> 2", "/productpage or /login -> 3", "* -> 9"]


class DelegatesTests(SynchronousTestCase):
    """Routes that are left to others."""

    def routes(self, *documents: str, host: str = "a.org") -> list[HTTPRoute]:
        """Return the routes of a host."""
        plain = listener(compiled(GATEWAY + "".join(documents))[0], 80).plain
        assert plain is not None and plain.http is not None
        found = plain.http.lookup(host)
        return [] if found is None else list(found.routes)

    def led(self, *documents: str, host: str = "a.org") -> list[str]:
        """Return the routes of a host by their paths and the ports that they lead to."""
        return [
            " or ".join(match.uri.value for match in each.matches if match.uri is not None)
            + f"{'' if each.matches else '*'} -> {each.destinations[0].cluster.split('|')[1]}"
            for each in self.routes(*documents, host=host)
        ]

    def told(self, *documents: str) -> list[str]:
        """Return what is told of documents."""
        return compiled(GATEWAY + "".join(documents))[1]

    def test_merged(self) -> None:
        """The delegate's routes stand in the place of the item; one without matches has the item's."""
        leaf = delegate(*VERSIONS, route(port=3), export="[istio-system]")
        self.assertEqual(self.led(root(delegating(), OTHERS), leaf), ALL)
        self.assertEqual(self.led(leaf, root(delegating(), OTHERS)), ALL, "their order does not matter")
        self.assertEqual(self.told(root(delegating(), OTHERS), leaf), [])

    def test_namespace(self) -> None:
        """A delegate without a namespace is one of the root's."""
        leaf = delegate(*VERSIONS, route(port=3))
        self.assertEqual(self.led(root(delegating(namespace=""), OTHERS, namespace="default"), leaf), ALL)
        (error, unused) = self.told(root(delegating(namespace=""), OTHERS), leaf)
        self.assertIn('"productpage-vs" in namespace "istio-system"; is it the one in namespace "default"?', error)
        self.assertIn("no VirtualService delegates to it", unused)

    def test_conflict(self) -> None:
        """An item whose matches lie outside the root's serves nothing, which is told at that item."""
        documents = root(delegating(), OTHERS), delegate(*VERSIONS, route(port=3, match=prefix("/mis-match")))
        self.assertEqual(self.led(*documents), [ALL[0], ALL[1], ALL[3]])
        (warning,) = self.told(*documents)
        self.assertIn("in.yaml:17:", warning)
        self.assertIn("spec.http[2]: never reached through in.yaml:12: match[0]: it is within none of 2", warning)

    def test_shared(self) -> None:
        """Several items and VirtualServices may delegate to the same one."""
        items = (delegating(prefix("/productpage")), delegating(prefix("/legacy"), rest="timeout: 2s, "))
        documents = root(*items), root(delegating("[]"), name="b", hosts="b.com"), delegate(route(port=3))
        first, second = self.routes(*documents)
        self.assertEqual((first.timeout, second.timeout, first.destinations), (None, 2.0, second.destinations))
        self.assertEqual(self.led(*documents), ["/productpage -> 3", "/legacy -> 3"])
        self.assertEqual(self.led(*documents, host="b.com"), ["* -> 3"])
        self.assertEqual(self.told(*documents), [])

    def test_origin(self) -> None:
        """A merged route is where its destinations are said, and bears both names."""
        leaf = delegate(route(port=3, name="v3"), namespace="team")
        (found,) = self.routes(root(delegating(rest="name: page, ", namespace="team")), leaf)
        self.assertEqual(str(found.origin), "in.yaml:17")
        self.assertEqual(found.origin.resource, "VirtualService team/productpage-vs")
        self.assertEqual(found.name, "page-v3")

    def test_not_found(self) -> None:
        """A name that nothing bears is an error with the name that was meant."""
        error, _ = self.told(root(delegating(name="productpag-vs"), OTHERS), delegate(route()))
        self.assertIn("in.yaml:12:", error)
        self.assertIn("spec.http[0].delegate.name: no document declares VirtualService", error)
        self.assertIn('did you mean "productpage-vs"?', error)

    def test_no_delegate(self) -> None:
        """What has hosts of its own is no delegate, the root itself neither."""
        other = root(OTHERS, name="other", hosts="b.com")
        for name in ("other", "root-vs"):
            (error,) = self.told(root(delegating(name=name, namespace="")), other)
            self.assertIn(f"VirtualService istio-system/{name} at in.yaml:", error)
            self.assertIn("has hosts of its own", error)

    def test_not_exported(self) -> None:
        """A delegate is seen from the namespaces that it is exported to."""
        for export, seen in (("[istio-system]", True), ("['*']", True), ("['.']", False), ("[other]", False)):
            told = self.told(root(delegating(), OTHERS), delegate(*VERSIONS, export=export))
            self.assertEqual(not told, seen, told)
            for line in told:
                self.assertIn("exportTo of VirtualService default/productpage-vs at in.yaml:14 keeps it from", line)

    def test_unused(self) -> None:
        """A delegate that nobody uses serves nothing: where it would lead is not asked for."""
        self.assertEqual(self.led(delegate(*VERSIONS)), [])
        _, warning = self.told(delegate(route("nothing")))
        self.assertIn("no VirtualService delegates to it: it serves nothing", warning)

    def test_chain(self) -> None:
        """A delegate has no delegates."""
        leaf = delegate("{delegate: {name: productpage-vs}}", route(port=3, match=prefix("/productpage")))
        (error,) = [line for line in self.told(root(delegating()), leaf) if " error: " in line]
        self.assertIn("spec.http[0].delegate: a delegate has no delegates", error)

    def test_short_names(self) -> None:
        """A short host name is of the namespace of the document that says it."""
        entry = (
            "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: web, namespace: {0}}}\n"
            "spec: {{hosts: [web.{0}.svc.cluster.local], ports: [{{number: 80, name: http, protocol: HTTP}}],"
            " resolution: STATIC, endpoints: [{{address: 127.0.0.1}}]}}\n---\n"
        )
        leaf = delegate(route("web", None), namespace="team")
        (found,) = self.routes(root(delegating(namespace="team")), leaf, entry.format("team"))
        self.assertEqual(found.destinations[0].cluster, "outbound|80||web.team.svc.cluster.local")
        (error,) = self.told(root(delegating(namespace="team")), leaf, entry.format("istio-system"))
        self.assertIn("in.yaml:17:", error)

    def test_inherited_mistake(self) -> None:
        """What is wrong with a part that came from the root is told at the root."""
        match = "[{uri: {prefix: /productpage}, gateways: [default/gv]}]"
        (error,) = self.told(root(delegating(match)), delegate(*VERSIONS, route(port=3)))
        self.assertIn("in.yaml:12:", error)
        self.assertIn("spec.http[0].match[0].gateways[0]: no document declares Gateway", error)

    def test_gateways(self) -> None:
        """A delegate's gateways are named from its namespace, and are among the root's."""
        leaf = delegate(route(port=3, match="[{gateways: [gw]}]"))
        self.assertEqual(self.led(root(delegating(prefix("/a"))), leaf), ["/a -> 3"])
        other = gateway("more", "81 HTTP *")
        told = self.told(other, root(delegating("[]")), leaf.replace("[gw]", "[more]"))
        (warning,) = [line for line in told if "404" not in line]
        self.assertIn('"more" is not among spec.gateways of VirtualService istio-system/root-vs', warning)

    def test_never_reached(self) -> None:
        """What stands behind a route that takes everything is told once, and by which item it is so."""
        leaf = delegate(route(port=1), route(port=2, match=prefix("/productpage")))
        (warning,) = self.told(root(delegating("[]")), root(delegating("[]"), name="b", hosts="b.com"), leaf)
        self.assertIn("spec.http[1]: never reached: the route at", warning)
        (warning,) = self.told(root(delegating(prefix("/a")), delegating(prefix("/a"))), delegate(route(port=1)))
        self.assertIn("spec.http[0]: never reached through in.yaml:12: the route at in.yaml:17 has the same", warning)
