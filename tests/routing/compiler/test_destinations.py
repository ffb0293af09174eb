"""Tests of L{edgegate.routing.compiler.destinations}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.routing.snapshot import TCPAddress
from tests.routing.compiler.compiling import compiled, gateway, listener, route, virtual_service

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
        (error,) = problems_of("{host: web}", ", {number: 81, name: more}")
        self.assertIn("does not tell which port; it has 80, 81", error)

    def test_clusters(self) -> None:
        """A service's port is one cluster, however often it is named; an address stands for itself."""
        body = f"http: [{route('web')}, {route('web.default', 80)}, {route('localhost', 99)}]"
        text = SERVICE % "" + gateway("gw", "80 HTTP *") + virtual_service("a", "a.example", body)
        snapshot, _ = compiled(text)
        addresses = {name: cluster.endpoints[0].address for name, cluster in snapshot.clusters.items()}
        self.assertEqual(
            addresses,
            {
                "outbound|80||web.default.svc.cluster.local": TCPAddress("10.0.0.1", 8080),
                "outbound|99||localhost": TCPAddress("127.0.0.1", 99),
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
