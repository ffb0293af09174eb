"""Tests for L{edgegate.istio.translate.guards.targets}, and for where guards come to stand."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.selection import guards_of
from edgegate.model.addresses import TCPAddress
from edgegate.net.addresses import ConnectionInfo
from edgegate.routing.snapshot import Snapshot
from tests.istio.translate.compiling import compiled, gateway, listener, route, secret, virtual_service


def policy(spec: str = "", name: str = "p", namespace: str = "default") -> str:
    """Write an AddressListPolicy."""
    said = f"{spec}, " if spec else ""
    return (
        f"apiVersion: edgegate.io/v1alpha1\nkind: AddressListPolicy\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\nspec: {{{said}allow: {{addresses: [192.0.2.1]}}}}\n---\n"
    )


def target(kind: str, name: str, section: str = "") -> str:
    """Write the C{targetRefs} of a policy."""
    more = f", sectionName: {section}" if section else ""
    return f"targetRefs: [{{group: networking.istio.io, kind: {kind}, name: {name}{more}}}]"


WEB = gateway("gw", "80 HTTP a.example,b.example", "8080 HTTP a.example")
ROUTES = virtual_service(
    "vs", "a.example", f"http: [{route(name='one', match='[{uri: {prefix: /x}}]')}, {route(name='two')}]"
)


def standing(snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    """Return the names of the guards on chains, hosts and routes, where there are some."""
    found: dict[str, tuple[str, ...]] = {}
    for each in snapshot.listeners:
        for chain in each.chains():
            found[f"{each.port}"] = tuple(guard.name for guard in chain.guards)
            for name, host in chain.http.items() if chain.http is not None else ():
                found[f"{each.port} {name}"] = tuple(guard.name for guard in host.guards)
                for at in host.routes:
                    found[f"{each.port} {name} {at.name}"] = tuple(guard.name for guard in at.guards)
    return {place: names for place, names in found.items() if names}


class TargetsTests(SynchronousTestCase):
    """What policies are for."""

    def found(self, text: str, selector: Mapping[str, str] | None = None) -> dict[str, tuple[str, ...]]:
        """Return where guards stand."""
        snapshot, self.problems = compiled(text, selector)
        return standing(snapshot)

    def test_all(self) -> None:
        """With neither targets nor labels it is for all servers, where no document names a namespace."""
        found = self.found(WEB + ROUTES + policy())
        self.assertEqual(found, dict.fromkeys(("80", "80 a.example", "8080", "8080 a.example"), ("default/p",)))

    def test_guarded(self) -> None:
        """All chains of a port know whether guards stand on any; where none do, nothing does."""
        snapshot, _ = compiled(WEB + ROUTES + policy(target("Gateway", "gw", "p0")))
        plain = [listener(snapshot, port).plain for port in (80, 8080)]
        self.assertEqual([chain is not None and chain.guarded for chain in plain], [True, False])

    def test_gateway(self) -> None:
        """A Gateway can be named, or one of its servers by its port's name."""
        self.assertEqual(len(self.found(WEB + ROUTES + policy(target("Gateway", "gw")))), 4)
        found = self.found(WEB + ROUTES + policy(target("Gateway", "gw", "p1")))
        self.assertEqual(list(found), ["8080", "8080 a.example"])

    def test_virtual_service(self) -> None:
        """A VirtualService can be named, or one of its http routes: the guard stands on those."""
        found = self.found(WEB + ROUTES + policy(target("VirtualService", "vs")))
        self.assertEqual(
            list(found),
            ["80 a.example one", "80 a.example two", "8080 a.example one", "8080 a.example two"],
        )
        found = self.found(WEB + ROUTES + policy(target("VirtualService", "vs", "two")))
        self.assertEqual(list(found), ["80 a.example two", "8080 a.example two"])

    def test_mesh(self) -> None:
        """Of a VirtualService for sidecars alone nothing is served: there is nothing to guard, which is told."""
        inner = virtual_service("inner", "b.example", f"http: [{route()}]", gateways="mesh")
        self.assertEqual(self.found(WEB + ROUTES + inner + policy(target("VirtualService", "inner"))), {})
        self.assertIn("is for the sidecars of a mesh alone", "".join(self.problems))

    def test_delegate(self) -> None:
        """What stands on a delegate, on its root, or on the item that delegates, stands on the delegate's routes."""
        root = virtual_service("vs", "a.example", "http: [{name: item, delegate: {name: child}}]")
        child = (
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: child}\n"
            f"spec: {{http: [{route(name='own')}]}}\n---\n"
        )
        for name, section in (("vs", ""), ("child", ""), ("vs", "item"), ("child", "own")):
            found = self.found(WEB + root + child + policy(target("VirtualService", name, section)))
            self.assertEqual(len(found), 2, (name, section, self.problems))

    def test_undeclared(self) -> None:
        """A name that nobody declares is an error: nothing would be guarded."""
        for said, words in (
            (target("Gateway", "other"), "no document declares Gateway"),
            (target("Gateway", "gw", "other"), "no server whose name or port's name"),
            (target("VirtualService", "other"), "no document declares VirtualService"),
            (target("VirtualService", "vs", "other"), "no http route of the name"),
            (target("Gatway", "gw"), "is none of Gateway and VirtualService"),
            ("targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gw}]", "has no kind that is served"),
        ):
            self.found(WEB + ROUTES + policy(said))
            self.assertTrue(any("error" in each and words in each for each in self.problems), (said, self.problems))
            # that it guards nothing so follows from that
            self.assertFalse(any("guards nothing here" in each for each in self.problems), (said, self.problems))
        self.found(WEB + ROUTES + policy(target("Gateway", "gw"), namespace="other"))
        self.assertTrue(any("error" in each for each in self.problems))

    def test_connections(self) -> None:
        """A policy on a VirtualService is for its http routes: that its others are not guarded is told."""
        both = virtual_service("vs", "a.example", f"http: [{route()}], tcp: [{route()}]")
        self.found(WEB + both + policy(target("VirtualService", "vs")))
        self.assertTrue(
            any("tcp and tls routes of VirtualService vs are not guarded" in each for each in self.problems)
        )
        relayed = virtual_service("vs", "a.example", f"tcp: [{route()}]")
        self.found(WEB + relayed + policy(target("VirtualService", "vs")))
        self.assertTrue(any("error" in each and "target its Gateway" in each for each in self.problems))

    def test_namespaces(self) -> None:
        """Where documents name namespaces, a policy without targets counts in the root one; elsewhere it is told."""
        web = gateway("gw", "80 HTTP a.example", namespace="shop")
        self.assertEqual(self.found(web + policy(namespace="shop")), {})
        self.assertTrue(any("guards nothing here" in each for each in self.problems), self.problems)
        self.assertEqual(list(self.found(web + policy(namespace="istio-system"))), ["80"])
        self.assertEqual(list(self.found(web + policy(target("Gateway", "gw"), namespace="shop"))), ["80"])

    def test_own_namespace(self) -> None:
        """The gateway may be told in which namespace it is."""
        web = gateway("gw", "80 HTTP a.example", namespace="shop")
        for own, names in (("shop", ("shop/p",)), ("other", ())):
            snapshot, _ = compiled(web + policy(namespace="shop"), gateway_namespace=own)
            self.assertEqual(standing(snapshot).get("80", ()), names)

    def test_labels(self) -> None:
        """A selector chooses the workloads of Gateways, as Istio has it, or the one that this gateway is."""
        edge = policy("selector: {matchLabels: {istio: edge}}")
        other = policy("selector: {matchLabels: {istio: other}}")
        self.assertEqual(len(self.found(WEB + ROUTES + edge)), 4)
        self.assertEqual(self.found(WEB + ROUTES + other), {})
        self.assertTrue(any("has the labels istio=other" in each for each in self.problems), self.problems)
        self.assertEqual(len(self.found(WEB + ROUTES + edge, {"istio": "edge"})), 4)
        self.assertEqual(self.found(WEB + policy("selector: {matchLabels: {app: edge}}"), {"istio": "edge"}), {})

    def test_shared_port(self) -> None:
        """Of two Gateways on one port each has its own guards; a host that nobody knows meets those of both."""
        two = gateway("one", "80 HTTP a.example") + gateway("two", "80 HTTP b.example")
        hosts = virtual_service("a", "a.example", f"http: [{route()}]", "one") + virtual_service(
            "b", "b.example", f"http: [{route()}]", "two"
        )
        found = self.found(
            two + hosts + policy(target("Gateway", "one"), "p1") + policy(target("Gateway", "two"), "p2")
        )
        self.assertEqual(
            found,
            {"80": ("default/p1", "default/p2"), "80 a.example": ("default/p1",), "80 b.example": ("default/p2",)},
        )

    def test_coalesced(self) -> None:
        """
        Over one connection come requests for several servers of a port: they meet the guards of the one that has their
        host, whichever the connection is for.
        """
        tls = "{mode: SIMPLE, credentialName: cert}"
        web = gateway("one", f"443 HTTPS a.example {tls}") + gateway("two", f"443 HTTPS b.example {tls}")
        hosts = virtual_service("vs", "a.example,b.example", f"http: [{route()}]", "one, two")
        text = web + hosts + secret("cert", "tls.crt", "tls.key") + policy(target("Gateway", "two"))
        snapshot, problems = compiled(text)
        port = listener(snapshot, 443)
        chain = port.secure.lookup("a.example")
        assert chain is not None
        peer, local = TCPAddress("192.0.2.7", 4711), TCPAddress("127.0.0.1", 8443)
        connection = ConnectionInfo(port, chain, peer, local, server_name="a.example", tls=True)
        self.assertTrue(chain.guarded, problems)
        self.assertEqual(
            [len(guards_of(connection, host)) for host in ("a.example", "b.example", "c.example")], [0, 1, 0]
        )

    def test_first(self) -> None:
        """Lists on all chains of a port are met when a connection is taken, unless requests come in the clear."""
        tls = "{mode: PASSTHROUGH}"
        web = gateway("gw", f"443 TLS a.example {tls}", f"443 TLS b.example {tls}", "9000 TCP *", "80 HTTP *")
        for spec, names in (("", {443: 1, 9000: 1, 80: 0}), (target("Gateway", "gw", "p0"), {443: 0, 9000: 0, 80: 0})):
            snapshot, _ = compiled(web + policy(spec))
            self.assertEqual({each.port: len(each.first) for each in snapshot.listeners}, names)
