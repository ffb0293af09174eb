"""How load is spread over backends, and what becomes of those that fail, through the real gateway."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections import Counter
from string import Template

from tests.acceptance.manifests import GATEWAY
from tests.acceptance.processes import PATIENCE, program
from tests.acceptance.served import Client, ServedTestCase

SERVICE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: $name}
spec:
  hosts: [$name.example]
  gateways: [gw]
  http: [{route: [{destination: {host: $name.example}}]}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: $name}
spec:
  hosts: [$name.example]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints:
$endpoints
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: $name}
spec:
  host: $name.example
  trafficPolicy: $policy
---
"""

EJECTS = "outlierDetection: {consecutive5xxErrors: 3, interval: 1s, baseEjectionTime: 60s, maxEjectionPercent: 50}"

PROBED = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: probed}
spec:
  hosts: [probed.example]
  gateways: [gw]
  http: [{route: [{destination: {host: probed.example}}]}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: probed}
spec:
  hosts: [probed.example]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  workloadSelector: {labels: {app: probed}}
---
"""

WORKLOAD = """\
apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata: {name: $name}
spec:
  metadata: {labels: {app: probed, group: $name}}
  template: {ports: {http: $port}}
  probe: {periodSeconds: 1, failureThreshold: 1, httpGet: {port: $port, path: /healthy}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata:
  name: $name
  ownerReferences: [{apiVersion: networking.istio.io/v1, kind: WorkloadGroup, name: $name}]
spec: {address: 127.0.0.1, labels: {app: probed, group: $name}, ports: {http: $port}}
---
"""


def service(name: str, policy: str, *backends: str) -> str:
    """Return the documents of a host, with endpoints such as C{one} or C{one weight: 2}."""
    lines = []
    for backend in backends:
        port, _, more = backend.partition(" ")
        lines.append(f"  - {{address: 127.0.0.1, ports: {{http: ${port}}}{f', {more}' if more else ''}}}")
    return Template(SERVICE).safe_substitute(name=name, policy=policy, endpoints="\n".join(lines))


THREE = ("one", "two", "three")


def folder(backends: tuple[str, ...] = THREE) -> str:
    """Return all that is served, with the endpoints in some order."""
    hashed = "{loadBalancer: {consistentHash: {%s}}}"
    return GATEWAY + "".join(
        (
            service("plain", "{loadBalancer: {simple: LEAST_REQUEST}}", *backends),
            service("turns", "{loadBalancer: {simple: ROUND_ROBIN}}", *backends),
            service("chance", "{loadBalancer: {simple: RANDOM}}", *backends),
            service(
                "weighted",
                "{loadBalancer: {simple: LEAST_REQUEST}}",
                "one weight: 2",
                "two weight: 1",
                "three weight: 1",
            ),
            service("header", hashed % "httpHeaderName: x-user", *backends),
            service("table", hashed % "httpHeaderName: x-user, maglev: {tableSize: 65537}", *backends),
            service("cookie", hashed % "httpCookie: {name: who, path: /, ttl: 60s}", *backends),
            service("dead", f"{{{EJECTS}}}", "one", "two", "dead"),
            service("resets", f"{{{EJECTS}}}", "one", "two", "resets"),
            service("ill", f"{{{EJECTS}}}", "one", "two", "ill"),
            PROBED,
            *(WORKLOAD.replace("$name", name).replace("$port", f"${name}") for name in ("one", "ill")),
        )
    )


class BalancingTests(ServedTestCase):
    """Three backends, and some that fail."""

    files = {"shop.yaml": folder()}
    opened = {"one": "", "two": "", "three": "", "resets": "reset", "ill": "status=500"}
    dead = ("dead",)

    def many(self, host: str, count: int) -> Counter[str]:
        """Ask so many times on one connection; return who answered."""
        client = Client(self.served.ports["http"])
        try:
            return Counter(client.ask("GET", "/", f"{host}.example").where for _ in range(count))
        finally:
            client.close()

    def owners(self, host: str) -> list[str]:
        """Return who answers each of a hundred users."""
        client = Client(self.served.ports["http"])
        try:
            return [client.ask("GET", "/", f"{host}.example", [("x-user", f"{n}")]).where for n in range(100)]
        finally:
            client.close()

    def reload(self, text: str) -> None:
        """Serve other files."""
        path = self.served.folder / "etc" / "shop.yaml"
        path.write_text(Template(text).safe_substitute(self.served.ports))
        gateway = self.served.gateway
        before = gateway.output.count("reloaded in")
        gateway.process.send_signal(signal.SIGHUP)
        gateway.says("reloaded in", before + 1)

    def endpoints(self, host: str) -> dict[int, tuple[str, str]]:
        """Return what is shown of a host's endpoints, by their ports."""
        admin = f"--admin=127.0.0.1:{self.served.ports['admin']}"
        command = [program("edgegate"), "proxy-config", "endpoints", admin, "-o", "json"]
        rows = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        return {
            int(row["endpoint"].rpartition(":")[2]): (row["status"], row["outlier_check"])
            for row in rows
            if row["cluster"].endswith(f"|{host}.example")
        }

    def test_shares(self) -> None:
        """Each backend has its share, within ten percent."""
        for host, count in (("plain", 300), ("turns", 300), ("chance", 6000)):
            found = self.many(host, count)
            self.assertEqual(set(found), set(THREE))
            for times in found.values():
                self.assertLess(abs(times - count / 3), count / 30, (host, found))

    def test_weights(self) -> None:
        """Weights are kept."""
        found = self.many("weighted", 400)
        for name, share in (("one", 200), ("two", 100), ("three", 100)):
            self.assertLess(abs(found[name] - share), share / 10, found)

    def test_sticky(self) -> None:
        """A user stays with a backend, over a reload too that changes the order of the endpoints."""
        for host in ("header", "table"):
            before = self.owners(host)
            self.assertEqual(set(before), set(THREE))
            self.reload(folder(THREE[::-1]))
            self.assertEqual(self.owners(host), before)
            self.reload(folder(THREE[:2]))
            after = self.owners(host)
            moved = sum(one != two for one, two in zip(before, after, strict=True))
            # whose backend left moves, and with a table a few more; how many that are is chance among so few users
            gone = before.count("three")
            self.assertEqual(moved, gone) if host == "header" else self.assertLess(moved - gone, 10)
            self.reload(folder())
            # a large table is made between requests, while the one from before serves
            until = time.monotonic() + PATIENCE
            while self.owners(host) != before:
                self.assertLess(time.monotonic(), until)

    def test_cookie(self) -> None:
        """A client gets a cookie, and with it the same backend again."""
        for _ in range(5):
            first = self.ask(host="cookie.example")
            cookie, *attributes = first.one("set-cookie").split("; ")
            self.assertEqual(attributes, ["Max-Age=60", "Path=/", "HttpOnly"])
            again = self.ask(host="cookie.example", headers={"cookie": cookie})
            self.assertEqual((again.where, again.values("set-cookie")), (first.where, []))

    def test_failing(self) -> None:
        """
        After the first failures no client is shown a backend that is dead, resets connections or answers with errors.
        """
        for host, name in (("dead", "dead"), ("resets", "resets"), ("ill", "ill")):
            self.many(host, 60)
            found = self.many(host, 2000)
            self.assertEqual(set(found), {"one", "two"}, host)
            for times in found.values():
                self.assertLess(abs(times - 1000), 100, (host, found))
            shown = self.endpoints(host)
            self.assertEqual(shown.pop(self.served.ports[name]), ("HEALTHY", "FAILED"))
            self.assertEqual(set(shown.values()), {("HEALTHY", "OK")})

    def test_reload_keeps_ejections(self) -> None:
        """A reload does not bring a failing backend back."""
        self.many("resets", 60)
        self.reload(folder(THREE[::-1]))
        self.assertEqual(set(self.many("resets", 100)), {"one", "two"})
        self.reload(folder())

    def test_probed(self) -> None:
        """A backend whose probes fail gets no requests."""
        self.served.gateway.says("is unhealthy: it answers 500")
        self.assertNotEqual(self.endpoints("probed")[self.served.ports["ill"]][0], "HEALTHY")
        self.assertEqual(self.many("probed", 50), {"one": 50})
        self.assertEqual(self.endpoints("probed")[self.served.ports["one"]], ("HEALTHY", "OK"))
        self.assertIn("is unhealthy: it answers 500", self.served.gateway.output)
