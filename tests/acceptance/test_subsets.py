"""Subsets, and workloads by their labels, through the real gateway."""

from __future__ import annotations

import json
import signal

from tests.acceptance.manifests import GATEWAY, filled
from tests.acceptance.processes import AcceptanceTestCase, free_ports
from tests.acceptance.traffic import Traffic

FILES = (
    GATEWAY
    + """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: ["*"]
  gateways: [gw]
  http:
  - match: [{headers: {x-version: {exact: v2}}}]
    route: [{destination: {host: reviews, subset: v2}}]
  - match: [{headers: {x-version: {exact: v3}}}]
    route: [{destination: {host: reviews, subset: v3}}]
  - route: [{destination: {host: reviews, subset: v1}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: reviews}
spec:
  hosts: [reviews]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  workloadSelector: {labels: {app: reviews}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: one}
spec: {address: 127.0.0.1, ports: {http: $v1}, labels: {app: reviews, version: $one}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: two}
spec: {address: 127.0.0.1, ports: {http: $v2}, labels: {app: reviews, version: $two}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec:
  host: reviews
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: v2, labels: {version: v2}}
  - {name: v3, labels: {version: v3}}
"""
)


class SubsetTests(AcceptanceTestCase):
    """Two versions of one service, which routes tell apart."""

    def setUp(self) -> None:
        """Start the backends and the gateway."""
        super().setUp()
        traffic = Traffic()
        self.addCleanup(traffic.stop)
        self.backends = {name: traffic.backend(name.encode()) for name in ("v1", "v2")}
        self.http, admin = free_ports(2)
        self.admin = f"127.0.0.1:{admin}"
        (self.folder / "etc").mkdir()
        self.write(FILES)
        options = ("--config=etc", "--no-watch", f"--admin={self.admin}")
        self.gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", *options)
        self.gateway.says("serving HTTP")

    def write(self, text: str, one: str = "v1", two: str = "v2") -> None:
        """Write the file; the workloads have these versions."""
        said = filled(text, http=self.http, one=one, two=two, **self.backends)
        (self.folder / "etc" / "shop.yaml").write_text(said)

    def get(self, version: str) -> str:
        """Ask with curl for a version; return status and body."""
        url = f"http://127.0.0.1:{self.http}/"
        header = ("-H", f"x-version: {version}")
        return self.ask("curl", "-s", "-m", "20", "-w", " %{http_code}", *header, url).stdout

    def test_versions(self) -> None:
        """A subset's requests come to its endpoints only; a subset that has none is answered with 503."""
        warning = 'no endpoint of "reviews" has the labels version=v3 of subset "v3"'
        self.assertIn(warning, self.ask("edgegate", "check", "etc").stdout)
        self.assertEqual([self.get("v1") for _ in range(3)], ["v1 200"] * 3)
        self.assertEqual([self.get("v2") for _ in range(3)], ["v2 200"] * 3)
        self.assertTrue(self.get("v3").endswith(" 503"))

    def test_shown(self) -> None:
        """The table of clusters has the subsets, and the rule that declares them."""
        shown = self.ask("edgegate", "proxy-config", "clusters", f"--admin={self.admin}", "-o", "json")
        rows = json.loads(shown.stdout)
        self.assertEqual(
            {(row["subset"], row["destination_rule"]) for row in rows},
            {(v, "reviews.default") for v in ("v1", "v2", "v3")},
        )

    def test_reload(self) -> None:
        """A workload that changes its labels changes its subset; a rule that is in error changes nothing."""
        self.write(FILES, one="v2", two="v1")
        self.gateway.process.send_signal(signal.SIGHUP)
        self.gateway.says("reloaded in", 1)
        self.assertEqual([self.get("v1"), self.get("v2")], ["v2 200", "v1 200"])
        self.write(FILES.replace("name: v2, labels", "name: v9, labels"))
        self.gateway.process.send_signal(signal.SIGHUP)
        self.gateway.says("reload refused", 1)
        self.assertIn('subset "v2": DestinationRule default/reviews at shop.yaml:', self.gateway.output)
        self.assertEqual(self.get("v2"), "v1 200")
