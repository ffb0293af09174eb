"""Names that clients ask for and no file has: C{DYNAMIC_DNS}, through the real gateway and a real name server."""

from __future__ import annotations

from tests.acceptance.manifests import GATEWAY, filled
from tests.acceptance.names import Names
from tests.acceptance.processes import AcceptanceTestCase, free_ports
from tests.acceptance.traffic import Traffic

FILES = (
    GATEWAY
    + """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: passing}
spec:
  servers:
  - {port: {number: $tls, name: tls, protocol: TLS}, hosts: ["*.wiki.test"], tls: {mode: PASSTHROUGH}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: ["*"]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /rewritten}}]
    rewrite: {authority: de.wiki.test}
    route: [{destination: {host: "*.wiki.test", port: {number: 80}}}]
  - match: [{uri: {prefix: /secure}}]
    route: [{destination: {host: "*.wiki.test", port: {number: 444}}}]
  - route: [{destination: {host: "*.wiki.test", port: {number: 80}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: sni}
spec:
  hosts: ["*.wiki.test"]
  gateways: [passing]
  tls:
  - match: [{sniHosts: ["*.wiki.test"]}]
    route: [{destination: {host: "*.wiki.test", port: {number: 443}}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: wiki}
spec:
  hosts: ["*.wiki.test"]
  ports:
  - {number: 80, name: http, protocol: HTTP, targetPort: $backend}
  - {number: 443, name: tls, protocol: TLS, targetPort: $secure}
  - {number: 444, name: http-tls, protocol: HTTP, targetPort: $secure}
  resolution: DYNAMIC_DNS
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: wiki}
spec:
  host: "*.wiki.test"
  trafficPolicy:
    portLevelSettings:
    - port: {number: 444}
      tls: {mode: SIMPLE, caCertificates: certs/ca.crt}
"""
)


class DynamicDNSTests(AcceptanceTestCase):
    """A gateway in front of a wildcard's names, each of which has an address of its own."""

    def setUp(self) -> None:
        """Start the backends, the name server and the gateway."""
        super().setUp()
        self.names = Names()
        self.addCleanup(self.names.stop)
        self.traffic = Traffic()
        self.addCleanup(self.traffic.stop)
        self.http, self.tls, self.backend, self.secure = free_ports(4)
        for body, host in ((b"en", "127.0.0.1"), (b"de", "127.0.0.2")):
            self.traffic.backend(body, host, self.backend)
        self.names.addresses.update({"en.wiki.test": ("127.0.0.1",), "de.wiki.test": ("127.0.0.2",)})
        self.names.addresses["internal.test"] = ("127.0.0.1",)
        self.certificates("en.wiki.test", "de.wiki.test")
        (self.folder / "etc").mkdir(exist_ok=True)
        ports = {"http": self.http, "tls": self.tls, "backend": self.backend, "secure": self.secure}
        (self.folder / "etc" / "wiki.yaml").write_text(filled(FILES, **ports))
        options = ("--config=etc", "--no-watch", "--admin=none", f"--dns-server=127.0.0.1:{self.names.port}")
        self.gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", *options)
        self.gateway.says("serving HTTP")

    def get(self, host: str, path: str = "/") -> str:
        """Ask for a page of a host; return body and status."""
        url = f"http://127.0.0.1:{self.http}{path}"
        return self.ask("curl", "-s", "-m", "20", "-w", " %{http_code}", "-H", f"Host: {host}", url).stdout

    def test_by_host(self) -> None:
        """Each request goes to where its own host leads, in whatever case and with whatever port it is written."""
        self.assertEqual(self.names.asked, 0)
        self.assertEqual(self.get("en.wiki.test"), "en 200")
        self.assertEqual(self.get("DE.wiki.test:1234"), "de 200")

    def test_rewritten(self) -> None:
        """A host that the route sets leads the way."""
        self.assertEqual(self.get("shop.example", "/rewritten"), "de 200")

    def test_elsewhere(self) -> None:
        """A host outside the wildcard is no way to anywhere, and is never asked for; one that is not there is 503."""
        self.assertTrue(self.get("internal.test").endswith(" 503"))
        self.assertTrue(self.get("127.0.0.1").endswith(" 503"))
        self.assertEqual(self.names.asked, 0)
        self.assertTrue(self.get("none.wiki.test").endswith(" 503"))
        self.gateway.stop()
        self.assertNotIn("does not resolve", self.gateway.output)

    def secure_backends(self) -> None:
        """Serve each name by TLS, with a certificate of its own, and for no other name."""
        for name, address in (("en", "127.0.0.1"), ("de", "127.0.0.2")):
            pair = (f"-cert=etc/certs/{name}.wiki.test.crt", f"-key=etc/certs/{name}.wiki.test.key")
            self.start("openssl", "s_server", "-www", f"-accept={address}:{self.secure}", *pair).says("ACCEPT")

    def test_by_sni(self) -> None:
        """TLS that is passed through goes to where its SNI leads."""
        self.secure_backends()
        for name in ("en", "de"):
            asked = ("--resolve", f"{name}.wiki.test:{self.tls}:127.0.0.1", "--cacert", "etc/certs/ca.crt")
            url = f"https://{name}.wiki.test:{self.tls}/"
            done = self.ask("curl", "-s", "-m", "20", "-o", "page", "-w", "%{http_code}", *asked, url)
            self.assertEqual(done.stdout, "200", done.stderr)

    def test_tls_with_backends(self) -> None:
        """Where the gateway speaks TLS itself, each backend's certificate is for the name that was asked for."""
        self.secure_backends()
        self.assertTrue(self.get("en.wiki.test", "/secure").endswith(" 200"))
        self.assertTrue(self.get("de.wiki.test", "/secure").endswith(" 200"))
        self.names.addresses["fr.wiki.test"] = ("127.0.0.1",)
        self.assertTrue(self.get("fr.wiki.test", "/secure").endswith(" 503"))
