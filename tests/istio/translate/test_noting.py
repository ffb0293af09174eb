"""Tests of L{edgegate.istio.translate.noting}, and of all others that note something."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate import CompileOptions
from edgegate.model.notes import Cause, Notes
from edgegate.routing.snapshot import Snapshot
from edgegate.sources.compilation import compile_resources
from tests.istio.translate.compiling import Files, decoded, gateway, listener, route, virtual_service

PATHS = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: default}
spec:
  hosts: [a.example]
  gateways: [gw]
  http:
  - name: cart
    match:
    - uri: {prefix: /cart}
    - uri: {prefix: /basket}
      port: 81
    - uri: {prefix: /pay}
    route: [{destination: {host: 127.0.0.1, port: {number: 80}}}]
  - name: rest
    match:
    - uri: {exact: /x}
    - uri: {prefix: /}
    - uri: {exact: /never}
    route: [{destination: {host: 127.0.0.1, port: {number: 80}}}]
  - name: behind
    route: [{destination: {host: 127.0.0.1, port: {number: 80}}}]
---
"""


def noted(text: str, selector: Mapping[str, str] | None = None) -> tuple[Snapshot, Notes]:
    """Compile the documents of a text, and note what the Snapshot does not hold."""
    resources, problems = decoded(text)
    notes = Notes()
    options = CompileOptions(selector, read_file=Files({}), notes=notes)
    return compile_resources(resources, options, problems).snapshot, notes


def left_out(text: str, selector: Mapping[str, str] | None = None) -> list[tuple[Cause, int, tuple[str, ...], str]]:
    """Return what is left out of a Snapshot: why, at which line, for whom, and in words."""
    found = noted(text, selector)[1].left_out
    return [(each.cause, each.origin.line, each.domains, each.reason) for each in found]


class NotingTests(SynchronousTestCase):
    """What is noted of routes."""

    def test_matches(self) -> None:
        """Each match of a route has its own line; one that is for another port has a place in none."""
        snapshot, notes = noted(PATHS + gateway("gw", "80 HTTP *"))
        plain = listener(snapshot, 80).plain
        assert plain is not None and plain.http is not None
        host = plain.http.lookup("a.example")
        assert host is not None
        lines = [[origin.line for origin in notes.of(each).matches] for each in host.routes]
        self.assertEqual([each.name for each in host.routes], ["cart", "rest", "rest"])
        self.assertEqual(lines, [[10, 13], [17], [18]])
        self.assertEqual({notes.of(each).object.line for each in host.routes}, {1})

    def test_not_here(self) -> None:
        """What is for another port, and what stands behind a match that takes all, is told with the reason."""
        behind = "the route at in.yaml:18 takes every request before it"
        found = left_out(PATHS + gateway("gw", "80 HTTP *"))
        self.assertEqual(
            found,
            [
                (Cause.PORT, 11, ("a.example",), "its match is for port 81"),
                (Cause.BEHIND, 19, ("a.example",), behind),
                (Cause.BEHIND, 21, ("a.example",), behind),
            ],
        )

    def test_nothing_noted(self) -> None:
        """Where nobody wants to know, nothing is noted, and the Snapshot is the same."""
        resources, problems = decoded(PATHS + gateway("gw", "80 HTTP *"))
        without = compile_resources(resources, CompileOptions(read_file=Files({})), problems).snapshot
        self.assertEqual(noted(PATHS + gateway("gw", "80 HTTP *"))[0], without)

    def test_delegates(self) -> None:
        """A route of a delegate is at home there, serves the hosts of its root, and is known by the item there."""
        text = gateway("gw", "80 HTTP *") + virtual_service(
            "root", "a.example", "http: [{match: [{uri: {prefix: /a}}], delegate: {name: part}}]"
        )
        inner = f"{route(match='[{uri: {prefix: /a/b}}]')}, {route(match='[{uri: {prefix: /c}}]')}"
        text += "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: part}\n"
        text += f"spec: {{http: [{inner}]}}\n"
        snapshot, notes = noted(text)
        plain = listener(snapshot, 80).plain
        assert plain is not None and plain.http is not None
        host = plain.http.lookup("a.example")
        assert host is not None
        note = notes.of(host.routes[0])
        self.assertEqual(note.matches[0].resource, "VirtualService default/part")
        self.assertEqual(note.object.resource, "VirtualService default/root")
        assert note.delegated is not None
        self.assertEqual(note.delegated.resource, "VirtualService default/root")
        (left,) = notes.left_out
        self.assertEqual((left.cause, left.domains), (Cause.DELEGATE, ("a.example",)))
        self.assertIn('uri prefix "/c" is not within prefix "/a"', left.reason)


class UnattachedTests(SynchronousTestCase):
    """What is noted of VirtualServices and Gateways."""

    def reasons(self, text: str, selector: Mapping[str, str] | None = None) -> list[tuple[Cause, str]]:
        """Return why things are left out."""
        return [(cause, reason) for cause, _, _, reason in left_out(text, selector)]

    def test_hosts(self) -> None:
        """A host that the Gateway does not have, with where the Gateway says its hosts."""
        text = gateway("gw", "80 HTTP a.example") + virtual_service("a", "a.example,b.example", f"http: [{route()}]")
        (left,) = noted(text)[1].left_out
        self.assertEqual((left.cause, left.domains), (Cause.HOST, ("b.example",)))
        self.assertEqual(left.reason, "no server of Gateway default/gw serves this host")
        assert left.by is not None
        self.assertEqual(left.by.resource, "Gateway default/gw")

    def test_exports(self) -> None:
        """A VirtualService that is kept from the Gateway's namespace."""
        body = f'exportTo: ["."], http: [{route()}]'
        text = gateway("gw", "80 HTTP *")
        text += virtual_service("a", "a.example", body, gateways="default/gw", namespace="shop")
        self.assertEqual(
            self.reasons(text), [(Cause.EXPORT, "exportTo keeps it from the namespace of Gateway default/gw")]
        )

    def test_mesh(self) -> None:
        """One that is for sidecars alone, and matches that are."""
        text = gateway("gw", "80 HTTP *")
        text += virtual_service("a", "a.example", f"http: [{route()}]", gateways="mesh")
        self.assertEqual(
            self.reasons(text), [(Cause.MESH, "it names no gateways, so it is for the sidecars of a mesh")]
        )
        matches = "[{gateways: [mesh]}, {sourceLabels: {a: b}}, {gateways: [other]}]"
        text = gateway("gw", "80 HTTP *") + gateway("other", "81 HTTP *")
        text += virtual_service("a", "a.example", f"http: [{route(match=matches)}]", gateways="gw, other, mesh")
        self.assertEqual(
            [reason for _, reason in self.reasons(text)],
            [
                "its match asks for labels or a namespace of clients, which only a mesh knows",
                "its match is for the sidecars of a mesh",
                "its match is for Gateway default/other, not for default/gw",
                "its match is for the sidecars of a mesh",
            ],
        )

    def test_selector(self) -> None:
        """A Gateway for others, and what is attached to it."""
        text = gateway("gw", "80 HTTP a.example") + virtual_service("a", "a.example", f"http: [{route()}]")
        self.assertEqual(
            self.reasons(text, {"istio": "inner"}),
            [
                (
                    Cause.SELECTOR,
                    "Gateway default/gw is for a gateway with the labels istio=edge, which this one has not",
                ),
                (Cause.SELECTOR, "no server of Gateway default/gw, which it names, is opened"),
            ],
        )


class ServerTests(SynchronousTestCase):
    """What is noted of servers and of what meets on them."""

    def test_servers(self) -> None:
        """A server whose port another one has for something else."""
        text = gateway("gw", "80 HTTP a.example", "80 TCP b.example")
        (left,) = [each for each in noted(text)[1].left_out if each.cause is Cause.SERVER]
        self.assertEqual((left.domains, left.port), (("b.example",), 80))
        self.assertIn("port 80 can't carry TCP beside the HTTP of", left.reason)

    def test_mesh_servers(self) -> None:
        """A server whose mode only a mesh has."""
        text = gateway("gw", "443 HTTPS a.example {mode: ISTIO_MUTUAL}")
        (left,) = [each for each in noted(text)[1].left_out if each.cause is Cause.SERVER]
        self.assertEqual((left.domains, left.port), (("a.example",), 443))

    def test_second_catch_all(self) -> None:
        """Of two objects for one host the second's route that takes all."""
        text = gateway("gw", "80 HTTP *") + virtual_service("a", "a.example", f"http: [{route()}]")
        text += virtual_service("b", "a.example", f"http: [{route(port=81)}]")
        (left,) = noted(text)[1].left_out
        self.assertEqual((left.cause, left.domains, left.port), (Cause.BEHIND, ("a.example",), 80))
        assert left.by is not None
        self.assertEqual(left.by.resource, "VirtualService default/a")

    def test_connections(self) -> None:
        """A second route of connections, and a second one for an SNI name."""
        destination = "route: [{destination: {host: 127.0.0.1, port: {number: 80}}}]"
        text = gateway("gw", "90 TCP *") + virtual_service("a", "*", f"tcp: [{{{destination}}},\n  {{{destination}}}]")
        (left,) = noted(text)[1].left_out
        self.assertEqual((left.cause, left.port), (Cause.BEHIND, 90))
        match = f"{{match: [{{sniHosts: [a.example]}}], {destination}}}"
        text = gateway("gw", "443 TLS * {mode: PASSTHROUGH}") + virtual_service("a", "*", f"tls: [{match},\n  {match}]")
        (left,) = noted(text)[1].left_out
        self.assertEqual((left.cause, left.domains), (Cause.BEHIND, ("a.example",)))
        match = f"{{match: [{{port: 91}}], {destination}}}"
        text = gateway("gw", "90 TCP *") + virtual_service("a", "*", f"tcp: [{match}]")
        (left,) = noted(text)[1].left_out
        self.assertEqual((left.cause, left.reason), (Cause.PORT, "its match is for port 91"))
