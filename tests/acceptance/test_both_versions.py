"""
HTTP/1.1 and HTTP/2 on either side of the gateway, in all four mixes, and backends that get what the client speaks.

The client is curl; the backends are other ports of the gateway, which speak either version.
"""

from __future__ import annotations

import socket
from itertools import product

from edgegate.demo.certificates import fill
from tests.acceptance.manifests import filled
from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, free_ports, program

SERVERS = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front}
spec:
  servers:
  - {port: {number: $front, name: http, protocol: HTTP}, hosts: ["*"]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: back}
spec:
  servers:
  - {port: {number: $one, name: one, protocol: HTTP}, hosts: ["*"]}
  - {port: {number: $two, name: two, protocol: HTTP}, hosts: ["*"]}
  - port: {number: $tls, name: tls, protocol: HTTPS}
    hosts: ["*"]
    tls: {mode: SIMPLE, serverCertificate: certs/a.example.crt, privateKey: certs/a.example.key}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: back}
spec:
  hosts: ["*"]
  gateways: [back]
  http:
  - directResponse: {status: 200}
    headers: {response: {set: {x-seen: "%PROTOCOL% %DOWNSTREAM_LOCAL_PORT% %REQ(:AUTHORITY)% %REQ(:PATH)%"}}}
---
"""

SERVICE = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: $name}
spec:
  hosts: [$name.example]
  resolution: STATIC
  ports: [{number: 80, name: $port}]
  endpoints: [$endpoints]
---
"""

RULE = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: $name}
spec:
  host: $name.example
  trafficPolicy: {$policy}
---
"""

ROUTES = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: front}
spec:
  hosts: ["*"]
  gateways: [front]
  http:
"""

OF_A_VERSION = """\
  - match: [{uri: {prefix: /$name/mirrored}}]
    mirrors: [{destination: {host: mirror-$name.example}}]
    route: [{destination: {host: $name.example}}]
  - match: [{uri: {prefix: /$name/fault}}]
    fault: {delay: {fixedDelay: 10ms, percentage: {value: 100}}, abort: {httpStatus: 418, percentage: {value: 100}}}
    route: [{destination: {host: $name.example}}]
  - match: [{uri: {prefix: /$name/old/}}]
    rewrite: {uri: /new/, authority: inside.example}
    route: [{destination: {host: $name.example}}]
  - match: [{uri: {prefix: /$name/late}}]
    timeout: 0.3s
    retries: {attempts: 0}
    route: [{destination: {host: silent-$name.example}}]
"""

TO = """\
  - match: [{uri: {prefix: /$name/}}]
    route: [{destination: {host: $name.example}}]
"""

KEYS = {"header": "httpHeaderName: x-user", "cookie": "httpCookie: {name: user, ttl: 0s}", "ip": "useSourceIp: true"}

CLIENT_PROTOCOL = "connectionPool: {http: {useClientProtocol: true}}"
WITH_TLS = ", tls: {mode: SIMPLE, sni: a.example, caCertificates: certs/ca.crt}"

CLIENTS = {"--http1.1": "HTTP/1.1", "--http2-prior-knowledge": "HTTP/2"}
BACKENDS = {"http": "HTTP/1.1", "http2": "HTTP/2"}


class BothVersionsTests(AcceptanceTestCase):
    """Clients and backends of both versions."""

    def setUp(self) -> None:
        super().setUp()
        self.front, self.one, self.two, tls = free_ports(4)
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        etc = self.folder / "etc"
        (etc / "certs").mkdir(parents=True)
        fill(etc / "certs", ["a.example"])
        text = filled(SERVERS, front=self.front, one=self.one, two=self.two, tls=tls)
        routes = ""
        for name in BACKENDS:
            text += self.service(name, name, self.one)
            text += self.service(f"mirror-{name}", name, self.two)
            text += self.service(f"silent-{name}", name, silent.getsockname()[1])
            routes += filled(OF_A_VERSION, name=name)
            for key, said in KEYS.items():
                hashed = f"{name}-{key}"
                text += self.service(hashed, name, self.one, self.two)
                text += filled(RULE, name=hashed, policy=f"loadBalancer: {{consistentHash: {{{said}}}}}")
                routes += filled(TO, name=hashed)
        for name, port, policy in (
            ("clients", self.one, CLIENT_PROTOCOL),
            ("clients-tls", tls, CLIENT_PROTOCOL + WITH_TLS),
            ("upgraded", self.one, "connectionPool: {http: {h2UpgradePolicy: UPGRADE}}"),
            ("upgraded-tls", tls, "connectionPool: {http: {h2UpgradePolicy: UPGRADE}}" + WITH_TLS),
        ):
            text += self.service(name, "http", port) + filled(RULE, name=name, policy=policy)
            routes += filled(TO, name=name)
        (etc / "gw.yaml").write_text(text + ROUTES + routes)
        self.gateway = self.start(
            "twistd", "-n", "--pidfile=", "edgegate", "--config", "etc", "--admin", "none", "--access-log", "-"
        )
        self.gateway.says("serving ")

    def service(self, name: str, port: str, *backends: int) -> str:
        """Return a ServiceEntry."""
        endpoints = ", ".join(f"{{address: 127.0.0.1, ports: {{{port}: {number}}}}}" for number in backends)
        return filled(SERVICE, name=name, port=port, endpoints=endpoints)

    def curl(self, version: str, path: str, *more: str) -> tuple[str, list[str]]:
        """Ask; return the version and status that the client saw, and what the backend saw, or nothing."""
        wanted = "%{http_version} %{http_code} %header{x-seen}"
        url = f"http://127.0.0.1:{self.front}{path}"
        limit = ("--max-time", str(PATIENCE))
        asked = self.ask(program("curl"), "-s", version, "-o", "/dev/null", "-w", wanted, *limit, *more, url)
        self.assertEqual(asked.returncode, 0, asked)
        shown, status, *seen = asked.stdout.split()
        self.assertEqual(shown, "2" if "2" in version else "1.1")
        return status, seen

    def test_mixes(self) -> None:
        """Mirrors, faults, rewrites, timeouts and hashing are the same whoever speaks what."""
        here = f"127.0.0.1:{self.front}"
        for client, backend in product(CLIENTS, BACKENDS):
            said = BACKENDS[backend]
            what = f"{client}-{backend}"
            status, seen = self.curl(client, f"/{backend}/mirrored?{what}")
            self.assertEqual((status, seen), ("200", [said, str(self.one), here, f"/{backend}/mirrored?{what}"]))
            # the client's request, its backend's and the mirror's
            self.gateway.says(f"/{backend}/mirrored?{what}", 3)
            self.assertEqual(self.curl(client, f"/{backend}/fault"), ("418", []), what)
            rewritten = [said, str(self.one), "inside.example", "/new/page"]
            self.assertEqual(self.curl(client, f"/{backend}/old/page"), ("200", rewritten), what)
            self.assertEqual(self.curl(client, f"/{backend}/late"), ("504", []), what)
            for key, fields in {
                "header": [("-H", f"x-user: {number}") for number in range(12)],
                "cookie": [("-b", f"user={number}") for number in range(12)],
                "ip": [("-H", "x-user: a")],
            }.items():
                ports = set()
                for more in fields:
                    first, again = (self.curl(client, f"/{backend}-{key}/", *more)[1] for _ in range(2))
                    self.assertEqual((first, first[0]), (again, said), (what, key))
                    ports.add(first[1])
                self.assertEqual(len(ports), min(2, len(fields)), (what, key))

    def test_policies(self) -> None:
        """A backend gets what its client speaks, or HTTP/2, in the clear and with TLS, as the rule says."""
        for client, said in CLIENTS.items():
            for _ in range(2):
                for where in ("clients", "clients-tls"):
                    self.assertEqual(self.curl(client, f"/{where}/")[1][0], said, (client, where))
                for where in ("upgraded", "upgraded-tls"):
                    self.assertEqual(self.curl(client, f"/{where}/")[1][0], "HTTP/2", (client, where))
