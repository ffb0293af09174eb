"""Routes of several teams behind one host, through the real gateway."""

from __future__ import annotations

import json
import signal

from tests.acceptance.processes import AcceptanceTestCase, free_ports
from tests.acceptance.traffic import Traffic

ROOT = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw, namespace: front}}
spec:
  servers:
  - {{port: {{number: {http}, name: http, protocol: HTTP}}, hosts: ["*/www.example"]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: www, namespace: front}}
spec:
  hosts: [www.example]
  gateways: [gw]
  http:
  - name: shop
    match: [{{uri: {{prefix: /shop}}, method: {{exact: GET}}}}]
    delegate: {{name: shop, namespace: teams}}
  - match: [{{uri: {{prefix: /catalog}}}}]
    delegate: {{name: catalog, namespace: teams}}
"""

TEAMS = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop, namespace: teams}}
spec:
  exportTo: [front]
  http:
  - name: cart
    match: [{{uri: {{prefix: /shop/cart}}}}]
    route: [{{destination: {{host: cart}}}}]
  - match: [{{uri: {{prefix: /admin}}}}]
    route: [{{destination: {{host: cart}}}}]
  - route: [{{destination: {{host: 127.0.0.1, port: {{number: {shop}}}}}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: catalog, namespace: teams}}
spec:
  http:
  - route: [{{destination: {{host: 127.0.0.1, port: {{number: {catalog}}}}}}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: cart, namespace: teams}}
spec:
  hosts: [cart]
  resolution: STATIC
  ports: [{{number: 80, name: http, protocol: HTTP, targetPort: {cart}}}]
  endpoints: [{{address: 127.0.0.1}}]
"""


class DelegateTests(AcceptanceTestCase):
    """A root in one file that leaves C{/shop} and C{/catalog} to VirtualServices of another namespace in another."""

    def setUp(self) -> None:
        """Start the backends and the gateway."""
        super().setUp()
        traffic = Traffic()
        self.addCleanup(traffic.stop)
        self.backends = {name: traffic.backend(name.encode()) for name in ("shop", "cart", "catalog", "new")}
        self.http, admin = free_ports(2)
        self.admin = f"127.0.0.1:{admin}"
        (self.folder / "etc").mkdir()
        self.write("front.yaml", ROOT, http=self.http)
        self.write("teams.yaml", TEAMS, **self.backends)
        options = ("--config=etc", "--no-watch", f"--admin={self.admin}")
        logging = ("--access-log=log", "--access-log-format=json")
        self.gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", *options, *logging)
        self.gateway.says("serving HTTP")

    def write(self, name: str, text: str, **ports: int) -> None:
        """Write one of the files."""
        (self.folder / "etc" / name).write_text(text.format(**ports))

    def get(self, path: str, *options: str) -> str:
        """Ask with curl; return status and body."""
        url = f"http://127.0.0.1:{self.http}{path}"
        asked = self.ask("curl", "-s", "-m", "20", "-H", "Host: www.example", "-w", " %{http_code}", *options, url)
        return asked.stdout

    def test_routes(self) -> None:
        """Requests that both sides want come to the delegate's backends; all others are unknown."""
        self.assertIn("teams.yaml:10:5: warning: spec.http[1]: never reached through front.yaml:15", self.checked())
        for path, answer in (
            ("/shop/cart/1", "cart 200"),
            ("/shop/", "shop 200"),
            ("/catalog/items?page=1", "catalog 200"),
        ):
            self.assertEqual(self.get(path), answer)
        for path, options in (("/admin", ()), ("/", ()), ("/shop/cart", ("-X", "POST"))):
            self.assertTrue(self.get(path, *options).endswith(" 404"))
        self.assertEqual(self.gateway.stop(), 0)
        lines = [json.loads(line) for line in (self.folder / "log").read_text().splitlines()]
        self.assertEqual(
            [(line["route_name"], line["route_origin"]) for line in lines][:3],
            [("shop-cart", "teams.yaml:7"), ("shop", "teams.yaml:12"), ("default", "teams.yaml:19")],
        )

    def checked(self) -> str:
        """Return what the check says of files that can be served."""
        result = self.ask("edgegate", "check", "etc")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout + result.stderr

    def test_shown(self) -> None:
        """The table of routes names the delegate's file and line."""
        routes = self.ask("edgegate", "proxy-config", "routes", f"--admin={self.admin}", "-o", "json")
        self.assertEqual(routes.returncode, 0, routes.stdout + routes.stderr)
        for said in ("teams.yaml:7", "teams.yaml:19", "shop.teams", "catalog.teams"):
            self.assertIn(said, routes.stdout)

    def test_reload(self) -> None:
        """A delegate's file that changes alone is served; one that breaks a delegation is refused."""
        self.write("teams.yaml", TEAMS, **{**self.backends, "catalog": self.backends["new"]})
        self.gateway.process.send_signal(signal.SIGHUP)
        self.gateway.says("reloaded in", 1)
        self.assertEqual(self.get("/catalog/"), "new 200")
        self.write("teams.yaml", TEAMS.replace("name: catalog", "name: catalogue"), **self.backends)
        self.gateway.process.send_signal(signal.SIGHUP)
        self.gateway.says("reload refused", 1)
        self.assertIn("front.yaml:19:16: error: spec.http[1].delegate.name: no document", self.gateway.output)
        self.assertIn('did you mean "catalogue"?', self.gateway.output)
        self.assertEqual(self.get("/catalog/"), "new 200")
