"""The chapter's steps live on one process, looked at with the commands after each."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
from pathlib import Path

from tests.acceptance.coolstore import CoolstoreTestCase
from tests.acceptance.processes import PATIENCE, Running, free_ports

GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: coolstore-gateway}}
spec:
  selector: {{istio: ingressgateway}}
  servers:
{servers}"""

HTTP = "  - {port: {number: 8080, name: http, protocol: HTTP}, hosts: [apiserver.istioinaction.io]}\n"
REDIRECT = HTTP.replace("}\n", ", tls: {httpsRedirect: true}}\n")
TLS = """\
  - port: {{number: {port}, name: https-{name}-{port}, protocol: HTTPS}}
    hosts: [{name}.istioinaction.io]
    tls:
      mode: {mode}
      serverCertificate: certs/{name}.istioinaction.io.crt
      privateKey: certs/{name}.istioinaction.io.key{ca}
"""


def secure(name: str, mode: str = "SIMPLE", port: int = 8443) -> str:
    """Return a server that ends TLS."""
    ca = "\n      caCertificates: certs/ca.crt" if mode == "MUTUAL" else ""
    return TLS.format(name=name, mode=mode, port=port, ca=ca)


class LookingTests(CoolstoreTestCase):
    """C{edgegate proxy-config} and C{edgegate reload}."""

    def setUp(self) -> None:
        """Keep the chapter's files, of which the Gateways come one after the other."""
        super().setUp()
        self.files = {path.name: path.read_text() for path in (self.folder / "etc").glob("*.yaml")}
        coolstore = self.files["coolstore.yaml"].split("---\n")
        self.services = "---\n".join(part for part in coolstore if "kind: VirtualService" in part)
        for path in (self.folder / "etc").glob("*.yaml"):
            if path.name != "backends.yaml":
                path.unlink()
        (port,) = free_ports(1)
        self.admin = f"127.0.0.1:{port}"

    def look(self, *arguments: str) -> str:
        """Ask the gateway."""
        result = self.ask("edgegate", *arguments, f"--admin={self.admin}")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def step(self, *servers: str) -> str:
        """Write the Gateway anew, wait until it is served, and return what listens."""
        self.write("etc", {"coolstore.yaml": GATEWAY.format(servers="".join(servers)) + "---\n" + self.services})
        self.assertRegex(self.look("reload"), "^(installed|unchanged)")
        return self.look("proxy-config", "listeners")

    def get(self, port: int, host: str, tls: bool = False, certificate: str | None = None) -> str:
        """Ask for the catalog; return the status line."""
        sock = socket.create_connection(("127.0.0.1", self.ports[port]), PATIENCE)
        if tls:
            certs = self.folder / "etc/certs"
            context = ssl.create_default_context(cafile=str(certs / "ca.crt"))
            if certificate is not None:
                context.load_cert_chain(certs / f"{certificate}.crt", certs / f"{certificate}.key")
            sock = context.wrap_socket(sock, server_hostname=host)
        with sock:
            path = b"/items" if host.startswith("catalog") else b"/api/catalog"
            sock.sendall(b"GET %b HTTP/1.1\r\nhost: %b\r\nconnection: close\r\n\r\n" % (path, host.encode()))
            return sock.recv(65536).split(b"\r\n")[0].decode()

    def open_empty(self) -> Running:
        """Start the demo with no Gateway."""
        self.certificates()
        running = self.run_demo("etc", f"--admin={self.admin}")
        running.says("no listener is open")
        running.says("admin listener on")
        return running

    def test_the_chapter(self) -> None:
        """Nothing, HTTP, TLS, redirect, mutual TLS, two hosts, TCP, passthrough."""
        self.open_empty()
        apiserver, catalog = "apiserver.istioinaction.io", "catalog.istioinaction.io"
        self.assertEqual(self.look("proxy-config", "listeners"), "no listeners found\n")
        self.assertRegex(self.step(HTTP), rf"(?m)^:: +{self.ports[8080]} +HTTP +plain +coolstore.yaml:")
        self.assertEqual(self.get(8080, apiserver), "HTTP/1.1 200 OK")
        self.assertIn("apiserver-vs-from-gw.default", self.look("proxy-config", "routes"))
        self.assertRegex(self.step(HTTP, secure("apiserver")), rf"HTTPS +SNI: {apiserver}")
        self.assertEqual(self.get(8443, apiserver, tls=True), "HTTP/1.1 200 OK")
        self.assertIn("ACTIVE", self.look("proxy-config", "secrets"))
        self.step(REDIRECT, secure("apiserver"))
        self.assertEqual(self.get(8080, apiserver), "HTTP/1.1 301 Moved Permanently")
        self.assertIn("redirect to https", self.look("proxy-config", "routes"))
        self.step(REDIRECT, secure("apiserver", "MUTUAL"))
        with self.assertRaises(ssl.SSLError):
            self.get(8443, apiserver, tls=True)
        self.assertEqual(self.get(8443, apiserver, tls=True, certificate="client"), "HTTP/1.1 200 OK")
        self.step(REDIRECT, secure("apiserver"), secure("catalog"))
        self.assertEqual(self.get(8443, catalog, tls=True), "HTTP/1.1 200 OK")
        self.write("etc", {"echo.yaml": self.files["echo.yaml"]})
        self.assertRegex(self.look("reload") + self.look("proxy-config", "l"), rf"{self.ports[31400]} +TCP +plain")
        self.write("etc", {"passthrough.yaml": self.files["passthrough.yaml"]})
        self.look("reload")
        rows = json.loads(self.look("proxy-config", "listeners", "-o", "json"))
        self.assertEqual({row["type"] for row in rows}, {"HTTP", "HTTPS", "TCP", "TLS passthrough"})
        self.assertIn("HEALTHY", self.look("proxy-config", "endpoints"))

    def test_changes(self) -> None:
        """What other files would change of what is served is told; files that are not served are not taken for it."""
        self.open_empty()
        self.step(HTTP)
        shutil.copytree(self.folder / "etc", self.folder / "next")
        self.assertIn("no change of behaviour (proved)", self.look("diff", "next"))
        self.write("next", {"coolstore.yaml": GATEWAY.format(servers=REDIRECT) + "---\n" + self.services})
        result = self.ask("edgegate", "diff", "next", f"--admin={self.admin}")
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertIn("to apiserver.default.svc.cluster.local:80 -> 301 to https, port 443", result.stdout)
        (self.folder / "etc/broken.yaml").write_text("kind: [\n")
        result = self.ask("edgegate", "diff", "next", f"--admin={self.admin}")
        self.assertEqual(result.returncode, 2, result.stdout + result.stderr)

    def test_mistake(self) -> None:
        """A reload that is refused names the line and exits with 1; what was served goes on."""
        self.open_empty()
        self.step(HTTP)
        broken = Path(self.folder / "etc/broken.yaml")
        broken.write_text(
            "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: b}\nspec: {servrs: []}\n"
        )
        result = self.ask("edgegate", "reload", f"--admin={self.admin}")
        self.assertEqual(result.returncode, 1)
        self.assertIn('broken.yaml:4:8: error: spec.servrs: unknown field; did you mean "servers"?', result.stdout)
        self.assertEqual(self.get(8080, "apiserver.istioinaction.io"), "HTTP/1.1 200 OK")

    def test_whose(self) -> None:
        """Which gateway was asked is said beside the answer: of several on a machine it could be another."""
        self.open_empty()
        whose = rf"^asked the gateway at {self.admin}: pid \d+, config {self.folder / 'etc'}\n$"
        for command in (("proxy-config", "listeners"), ("reload",)):
            result = self.ask("edgegate", *command, f"--admin={self.admin}")
            self.assertRegex(result.stderr, whose)

    def test_nobody(self) -> None:
        """Without a gateway the commands say so in one line."""
        result = self.ask("edgegate", "proxy-config", "listeners", f"--admin={self.admin}")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"^Error: no gateway answers at 127.0.0.1:\d+ [^\n]*\n$")
