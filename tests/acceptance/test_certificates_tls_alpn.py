"""Certificates of gateways that serve HTTPS alone: a real authority asks for them at the port of TLS (TLS-ALPN-01)."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from string import Template

from tests.acceptance.issued import ISSUED_BY, IssuedTestCase
from tests.acceptance.pebble import Pebble
from tests.acceptance.processes import PATIENCE, Running, free_ports

FILES = (
    ISSUED_BY
    + """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop}
spec:
  servers:
  - port: {number: $https, name: https, protocol: HTTPS}
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
)

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


class TLSALPNTests(IssuedTestCase):
    """A gateway with two workers, and behind it one to which it passes TLS through, each with a storage of its own."""

    files = FILES
    ports = 1

    def gateway(self, name: str, port: int, *hosts: str, passed: str = "", options: tuple[str, ...] = ()) -> Running:
        """Start a gateway."""
        self.storage = f"{{directory: {self.folder / name}-store}}"
        self.write(name, 0, port, *hosts, passed=passed)
        return self.serve(name, *options)

    def trusted(self, port: int, host: str, root: str) -> bool:
        """Whether a client that trusts the authority is served, also while what is behind the gateway is not there."""
        context = ssl.create_default_context(cafile=root)
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            try:
                context.wrap_socket(connection, server_hostname=host).close()
            except (ssl.SSLError, ConnectionError):
                return False
        return True

    def test_issued(self) -> None:
        """All have their certificates from the port that is open; without a challenge nothing is answered to one."""
        self.port, inner, unused, *others = free_ports(9)
        self.admins = [others.pop(), others.pop()]
        self.pebble = Pebble(self, unused, others, self.port)
        self.url, self.ca = self.pebble.url, self.pebble.ca
        passed = Template(PASSED).substitute(port=self.port, inner=inner)
        outer = self.gateway("outer", self.port, *HOSTS, passed=passed, options=("--workers=2", "--access-log=-"))
        self.gateway("inner", inner, "c.example.com")
        self.wait(self.port, (*HOSTS, "c.example.com"), str(self.pebble.root()))
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
