"""Tests of L{edgegate.istio.translate.destinations}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.istio.translate.compiling import compiled, endpoints, gateway, listener, route, virtual_service

SERVICE = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web, namespace: default}
spec:
  hosts: [web.default.svc.cluster.local]
  resolution: STATIC
  ports: [{number: 80, name: http, targetPort: 8080}%s]
  endpoints: [{address: 10.0.0.1}]
---
"""


def problems_of(destination: str, ports: str = "", namespace: str = "default") -> list[str]:
    """Return what is told of a route to a destination."""
    body = f"http: [{{route: [{{destination: {destination}}}]}}]"
    text = SERVICE % ports + gateway("gw", "80 HTTP *", namespace=namespace)
    return compiled(text + virtual_service("a", "a.example", body, namespace=namespace))[1]


class DestinationsTests(SynchronousTestCase):
    """Services and addresses."""

    def test_names(self) -> None:
        """Full names and short ones mean one service, of which the only port need not be said."""
        for host in ("web", "web.default", "web.default.svc", "web.default.svc.cluster.local", "WEB."):
            self.assertEqual(problems_of(f"{{host: {host}}}"), [], host)
        (error,) = problems_of("{host: web}", namespace="other")
        self.assertIn('no document declares "web"', error)
        self.assertEqual(problems_of("{host: web.default}", namespace="other"), [])

    def test_errors(self) -> None:
        """What can't be meant is told where it stands."""
        for destination, words in (
            ("{host: wep}", 'did you mean "web'),
            ("{host: web, subset: v1}", 'no DestinationRule for "web.default.svc.cluster.local" declares it'),
            ("{host: web, port: {number: 81}}", "has no port 81; it has 80"),
            ("{host: 127.0.0.1}", "say port.number"),
            ("{host: localhost}", "say port.number"),
        ):
            (error,) = problems_of(destination)
            self.assertIn(words, error)

    def clusters(self, servers: tuple[str, ...], body: str, ports: str = "") -> tuple[dict[int, list[str]], list[str]]:
        """Return the clusters of the routes of a host by port, and what is told."""
        text = SERVICE % ports + gateway("gw", *servers) + virtual_service("a", "a.example", body)
        snapshot, told = compiled(text)
        found: dict[int, list[str]] = {}
        for each in snapshot.listeners:
            assert each.plain is not None and each.plain.http is not None
            host = each.plain.http.lookup("a.example")
            assert host is not None
            found[each.port] = [to.cluster for each_route in host.routes for to in each_route.destinations]
            found[each.port] += [mirror.cluster for each_route in host.routes for mirror in each_route.mirrors]
        return found, told

    def test_listeners_port(self) -> None:
        """Of a service with several ports a destination that names none has that of the listener, with a warning."""
        body = "http: [{route: [{destination: {host: web}}], mirror: {host: web}}]"
        found, told = self.clusters(("80 HTTP *", "81 HTTP *"), body, ", {number: 81, name: more}")
        name = "outbound|{}||web.default.svc.cluster.local".format
        self.assertEqual(found, {80: [name(80)] * 2, 81: [name(81)] * 2})
        first, second = told
        self.assertIn("warning: spec.http[0].route[0].destination.host: no port.number is said", first)
        self.assertIn("has 80, 81: as in Istio the listener's port is meant (80, 81)", first)
        self.assertIn("spec.http[0].mirror.host", second)

    def test_listeners_port_is_not_there(self) -> None:
        """Where the service does not have the listener's port requests have no cluster; none at all is an error."""
        body = "http: [{route: [{destination: {host: web}}]}]"
        more = ", {number: 81, name: more}"
        found, told = self.clusters(("81 HTTP *", "8443 HTTP *"), body, more)
        self.assertEqual(found[8443], ["outbound|8443||web.default.svc.cluster.local"])
        self.assertEqual([line for line in told if " error: " in line], [])
        self.assertIn("not the port of the listener (8443): requests there are answered 503 (NC)", told[0])
        _, told = self.clusters(("8080 HTTP *", "8443 HTTP *"), body, more)
        (error,) = told
        self.assertIn("error: spec.http[0].route[0].destination.host: say port.number", error)
        self.assertIn("has 80, 81, and no listener of this VirtualService has one of them (8080, 8443)", error)

    def test_no_endpoints(self) -> None:
        """A service without endpoints has a cluster without any; the document that lacks them is warned of."""
        entry = (SERVICE % "").replace("  endpoints: [{address: 10.0.0.1}]\n", "")
        body = f"http: [{route('web')}]"
        text = entry + gateway("gw", "80 HTTP *") + virtual_service("a", "a.example", body)
        _, told = compiled(text)
        self.assertEqual(endpoints(text), {"outbound|80||web.default.svc.cluster.local": []})
        (warning,) = told
        self.assertIn("in.yaml:4:1: warning: spec.endpoints: none: whatever is sent there is answered 503", warning)
        kubernetes = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{port: 80}]
endpoints: [{addresses: [10.0.0.1], conditions: {ready: false}}]
---
"""
        (warning,) = compiled(kubernetes + gateway("gw", "80 HTTP *") + virtual_service("a", "a.example", body))[1]
        self.assertIn("spec.ports: no document lists an endpoint of it that is ready", warning)

    def test_address_with_port(self) -> None:
        """An address with a port is told once, where it stands, with what to write instead."""
        (error,) = problems_of('{host: "10.0.0.1:8080"}')
        self.assertIn('"10.0.0.1:8080" has a port: write host: 10.0.0.1, port: {number: 8080}', error)
        entry = (SERVICE % "").replace("10.0.0.1", '"10.0.0.1:8080"')
        body = f"http: [{route('web')}]"
        (error,) = compiled(entry + gateway("gw", "80 HTTP *") + virtual_service("a", "a.example", body))[1]
        self.assertIn("spec.endpoints[0].address", error)
        self.assertIn("has a port: write address: 10.0.0.1, and 8080 as targetPort of the service's port", error)

    def test_syntax_error(self) -> None:
        """What a document that can't be read may have declared is not asked for elsewhere; all else is."""
        broken = (SERVICE % "").replace("spec:", "spec")
        web = route("web", match="[{uri: {prefix: /a}}]")
        body = f"http: [{web}, {route('127.0.0.1', None)}]"
        told = compiled(broken + gateway("gw", "80 HTTP *") + virtual_service("a", "a.example", body))[1]
        self.assertEqual(
            [line.partition(": ")[2] for line in told],
            [
                "error: a colon is missing behind the key",
                "info: 1 more problem that may follow from this error: not shown until that is mended",
                'error: spec.http[1].route[0].destination.host: "127.0.0.1" is an address, not a service:'
                " say port.number",
            ],
        )

    def test_mesh(self) -> None:
        """Destinations that only the routes of a mesh name need not be declared."""
        nothing = "{destination: {host: nothing}}"
        mesh_item = f"{{match: [{{gateways: [mesh]}}], route: [{nothing}], mirror: {{host: nobody}}}}"
        labels_item = f"{{match: [{{sourceLabels: {{app: a}}}}], route: [{nothing}]}}"
        for gateways, items in (
            ("mesh", f"[{{route: [{nothing}]}}]"),
            ("", f"[{{route: [{nothing}]}}]"),
            ("mesh, gw", f"[{mesh_item}, {labels_item}, {{route: [{{destination: {{host: web}}}}]}}]"),
        ):
            text = SERVICE % "" + gateway("gw", "80 HTTP *")
            text += virtual_service("a", "a.example", f"http: {items}", gateways=gateways)
            text += virtual_service("b", "*.example", "http: [{route: [{destination: {host: web}}]}]")
            told = [line for line in compiled(text)[1] if " error: " in line]
            self.assertEqual(told, [], gateways)
        mixed = f"[{{match: [{{gateways: [mesh]}}, {{gateways: [gw]}}], route: [{nothing}]}}]"
        text = SERVICE % "" + gateway("gw", "80 HTTP *")
        told = compiled(text + virtual_service("a", "a.example", f"http: {mixed}", gateways="mesh, gw"))[1]
        self.assertEqual(len([line for line in told if 'no document declares "nothing"' in line]), 1)

    def test_clusters(self) -> None:
        """A service's port is one cluster, however often it is named; an address stands for itself."""
        body = f"http: [{route('web')}, {route('web.default', 80)}, {route('localhost', 99)}]"
        text = SERVICE % "" + gateway("gw", "80 HTTP *") + virtual_service("a", "a.example", body)
        self.assertEqual(
            endpoints(text),
            {
                "outbound|80||web.default.svc.cluster.local": ["10.0.0.1:8080"],
                "outbound|99||localhost": ["127.0.0.1:99"],
            },
        )

    def test_weights(self) -> None:
        """The only destination gets everything; of several one without a weight gets nothing."""
        body = (
            "http: [{route: [{destination: {host: web}, weight: 0}], match: [{uri: {prefix: /a}}]},"
            " {route: [{destination: {host: web}, weight: 3}, {destination: {host: localhost, port: {number: 1}}}]}]"
        )
        text = SERVICE % "" + gateway("gw", "80 HTTP *") + virtual_service("a", "a.example", body)
        plain = listener(compiled(text)[0], 80).plain
        assert plain is not None and plain.http is not None
        host = plain.http.lookup("a.example")
        assert host is not None
        weights = [[each.weight for each in found.destinations] for found in host.routes]
        self.assertEqual(weights, [[1], [3, 0]])

    def test_no_weight(self) -> None:
        """That a destination without a weight beside others gets nothing is a warning."""
        to = "{destination: {host: web}%s}".__mod__
        for routes, told in (
            ((to(""),), 0),
            ((to(", weight: 1"), to("")), 1),
            ((to(", weight: 1"), to(", weight: 0")), 0),
        ):
            body = f"http: [{{route: [{', '.join(routes)}]}}]"
            text = SERVICE % "" + gateway("gw", "80 HTTP *") + virtual_service("a", "a.example", body)
            warnings = compiled(text)[1]
            self.assertEqual(len(warnings), told, routes)
            for warning in warnings:
                self.assertIn("spec.http[0].route[1].weight: missing beside other weights: it is 0", warning)

    def test_protocols(self) -> None:
        """A service that says HTTP/2 or gRPC is spoken to so, without a word."""
        text = (SERVICE % "").replace("name: http,", "name: http, protocol: GRPC,")
        text += gateway("gw", "80 HTTP *") + virtual_service("a", "a.example", f"http: [{route('web')}]")
        self.assertEqual([line for line in compiled(text)[1] if "every connection" not in line], [])
