"""What files that a cluster takes come to, where they say less than they could."""

from __future__ import annotations

from tests.acceptance.manifests import GATEWAY
from tests.acceptance.served import ServedTestCase

LATER = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: later}
spec:
  servers:
  - {port: {number: $http, name: tcp, protocol: TCP}, hosts: ["*"]}
---
"""
SERVICES = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: empty}
spec:
  hosts: [empty.example]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: several}
spec:
  hosts: [several.example]
  resolution: STATIC
  ports:
  - {number: 81, name: other, protocol: HTTP}
  - {number: $http, name: http, protocol: HTTP}
  endpoints: [{address: 127.0.0.1, ports: {other: $two, http: $one}}]
---
"""
ROUTES = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: attached}
spec:
  hosts: [a.example]
  gateways: [mesh, gw]
  http:
  - match: [{gateways: [mesh]}]
    route: [{destination: {host: sidecars.example}}]
  - match: [{uri: {prefix: /empty}}]
    route: [{destination: {host: empty.example}}]
  - route: [{destination: {host: several.example}}]
"""


class AttachedTests(ServedTestCase):
    """One folder of files that are served with warnings."""

    files = {"a.yaml": GATEWAY + LATER, "b.yaml": SERVICES + ROUTES}

    def test_listeners_port(self) -> None:
        """A destination without a port has the listener's, of those of its service; a mesh's route takes nothing."""
        self.assertEqual(self.ask("/").where, "one")

    def test_no_endpoints(self) -> None:
        """A service without endpoints is answered for with 503, UH."""
        self.assertEqual(self.ask("/empty").status, 503)
        self.assertEqual(self.logged("/empty")["response_flags"], "UH")

    def test_earlier_server(self) -> None:
        """Of two servers that can't share a port the earlier is served, and the log says which was left out."""
        self.assertEqual(self.ask("/", host="b.example").status, 404)
        said = self.served.gateway.output
        self.assertIn("b.yaml:4:1: warning: spec.endpoints: none: whatever is sent there is answered 503", said)
        self.assertRegex(
            said, r"a\.yaml:13:6: warning: spec\.servers\[0\]\.port: port \d+ can't carry TCP beside the HTTP"
        )
