"""Certificates of gateways that serve HTTPS alone: a real authority asks for them at the port of TLS (TLS-ALPN-01)."""

from __future__ import annotations

import socket
import ssl
from functools import partial
from pathlib import Path
from string import Template

from tests.acceptance.pebble import Pebble
from tests.acceptance.processes import PATIENCE, READY, AcceptanceTestCase, Running, free_ports, wait_until

FILES = """\
apiVersion: edgegate.io/v1alpha1
kind: CertificateIssuer
metadata: {name: pebble}
spec:
  acme: {server: "$url", agreeToTerms: true, caCertificates: "$ca"}
  storage: {directory: $store}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop, annotations: {edgegate.io/certificate-issuer: pebble}}
spec:
  servers:
  - port: {number: $port, name: https, protocol: HTTPS}
    hosts: [$hosts]
    tls: {mode: SIMPLE, credentialName: shop}
$passed
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [$hosts]
  gateways: [shop]
  http: [{directResponse: {status: 200, body: {string: "hi"}}}]
"""

PASSED = """\
  - port: {number: $port, name: tls, protocol: TLS}
    hosts: [c.example.com]
    tls: {mode: PASSTHROUGH}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: passed}
spec:
  hosts: [c.example.com]
  gateways: [shop]
  tls:
  - match: [{sniHosts: [c.example.com]}]
    route: [{destination: {host: inner.internal, port: {number: $inner}}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: inner}
spec:
  hosts: [inner.internal]
  resolution: STATIC
  ports: [{number: $inner, name: tls, protocol: TLS}]
  endpoints: [{address: 127.0.0.1}]
"""

HOSTS = ("a.example.com", "b.example.com")


class TLSALPNTests(AcceptanceTestCase):
    """A gateway with two workers, and behind it one to which it passes TLS through, each with a storage of its own."""

    def serve(self, name: str, *options: str, **values: object) -> Running:
        """Start a gateway."""
        (self.folder / name).mkdir()
        more = {"url": self.pebble.url, "ca": self.pebble.ca, "store": self.folder / f"{name}-store", **values}
        (self.folder / name / "shop.yaml").write_text(Template(FILES).substitute(more))
        running = self.start("twistd", "-n", "--pidfile=", "edgegate", f"--config={name}", "--admin=none", *options)
        running.says(READY)
        return running

    def trusted(self, host: str) -> bool:
        """Whether a client that trusts the authority is served."""
        context = ssl.create_default_context(cafile=self.root)
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as connection:
            try:
                context.wrap_socket(connection, server_hostname=host).close()
            except (ssl.SSLError, ConnectionError):
                return False
        return True

    def test_issued(self) -> None:
        """All have their certificates from the port that is open; without a challenge nothing is answered to one."""
        self.port, inner, unused, *others = free_ports(7)
        self.pebble = Pebble(self, unused, others, self.port)
        self.root = str(self.pebble.root())
        passed = Template(PASSED).substitute(port=self.port, inner=inner)
        outer = self.serve(
            "outer", "--workers=2", "--access-log=-", port=self.port, hosts=", ".join(HOSTS), passed=passed
        )
        self.serve("inner", port=inner, hosts="c.example.com", passed="")
        for host in (*HOSTS, "c.example.com"):
            wait_until(partial(self.trusted, host), partial(str.format, "{} has no certificate", host), pause=0.2)
        self.assertEqual(len(self.pebble.issued), 3)
        for host in HOSTS:
            outer.says(f"asks for {host} as authorities do")
        for name in ("outer", "inner"):
            self.assertEqual(list(Path(self.folder, f"{name}-store", "challenges").iterdir()), [])
        for host in (*HOSTS, "c.example.com"):
            asked = self.ask(
                "openssl",
                "s_client",
                f"-connect=127.0.0.1:{self.port}",
                "-servername",
                host,
                "-alpn",
                "acme-tls/1",
            )
            self.assertIn("alert no application protocol", asked.stderr)
            self.assertIn("no peer certificate available", asked.stdout)
