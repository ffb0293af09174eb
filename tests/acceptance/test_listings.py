"""The chapter's own files, as they are applied to a cluster, served unchanged with other ports bound."""

from __future__ import annotations

import base64
import http.client
import ssl

from tests.acceptance.coolstore import CoolstoreTestCase
from tests.acceptance.processes import PATIENCE, free_ports

GATEWAY = """\
apiVersion: networking.istio.io/v1alpha3
kind: Gateway
metadata:
  name: coolstore-gateway
spec:
  selector:
    istio: ingressgateway
  servers:
  - port:
      number: 80
      name: http
      protocol: HTTP
    hosts:
    - "webapp.istioinaction.io"
    tls:
      httpsRedirect: true
  - port:
      number: 443
      name: https-webapp
      protocol: HTTPS
    tls:
      mode: SIMPLE
      credentialName: webapp-credential
    hosts:
    - "webapp.istioinaction.io"
  - port:
      number: 443
      name: https-catalog
      protocol: HTTPS
    tls:
      mode: SIMPLE
      credentialName: catalog-credential
    hosts:
    - "catalog.istioinaction.io"
"""

ROUTES = """\
apiVersion: networking.istio.io/v1alpha3
kind: VirtualService
metadata:
  name: webapp-vs-from-gw
spec:
  hosts:
  - "webapp.istioinaction.io"
  gateways:
  - coolstore-gateway
  http:
  - route:
    - destination:
        host: webapp
        port:
          number: 80
---
apiVersion: networking.istio.io/v1alpha3
kind: VirtualService
metadata:
  name: catalog-vs-from-gw
spec:
  hosts:
  - "catalog.istioinaction.io"
  gateways:
  - coolstore-gateway
  http:
  - route:
    - destination:
        host: catalog
        port:
          number: 80
"""

BACKENDS = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: webapp
spec:
  hosts: [webapp.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: 7070}]
  endpoints: [{address: 127.0.0.1}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: catalog
spec:
  hosts: [catalog.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: 7071}]
  endpoints: [{address: 127.0.0.1}]
"""

OLDER = """\
apiVersion: networking.istio.io/v1alpha3
kind: Gateway
metadata:
  name: coolstore-gateway
spec:
  selector:
    istio: ingressgateway
  servers:
  - port:
      number: 443
      name: https
      protocol: HTTPS
    tls:
      mode: MUTUAL
      serverCertificate: {certs}/webapp.istioinaction.io.crt
      privateKey: {certs}/webapp.istioinaction.io.key
      caCertificates: {certs}/ca.crt
    hosts:
    - "webapp.istioinaction.io"
"""


class ListingsTests(CoolstoreTestCase):
    """The book's listings behind C{--map-port}."""

    def secret(self, name: str, host: str) -> str:
        """Return the Secret that C{kubectl create secret tls} would make."""
        files = ((f"tls.{suffix}", self.folder / f"etc/certs/{host}.{suffix}") for suffix in ("crt", "key"))
        data = "\n".join(f"  {key}: {base64.b64encode(path.read_bytes()).decode()}" for key, path in files)
        return f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\ntype: kubernetes.io/tls\ndata:\n{data}\n"

    def serve(self, **files: str) -> dict[int, int]:
        """Serve files with ports 80 and 443 mapped, and return where they are bound."""
        self.write("book", {f"{name}.yaml": text for name, text in files.items()})
        mapped = dict(zip((80, 443), free_ports(2), strict=True))
        self.open_coolstore("book", *(f"--map-port={number}:{port}" for number, port in mapped.items()))
        return mapped

    def get(self, host: str, path: str, port: int, context: ssl.SSLContext | None = None) -> http.client.HTTPResponse:
        """Ask a host that is at home on this machine, over TLS if there is a context."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.connect()
        if context is not None:
            connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
        connection.request("GET", path, headers={"Host": host})
        return connection.getresponse()

    def test_two_hosts_with_credentials(self) -> None:
        """Two hosts with a Secret each on port 443, and a redirect from 80 that keeps the cluster's port number."""
        certs = self.certificates()
        secrets = "---\n".join(
            self.secret(f"{name}-credential", f"{name}.istioinaction.io") for name in ("webapp", "catalog")
        )
        ports = self.serve(gateway=GATEWAY, routes=ROUTES, backends=BACKENDS, secrets=secrets)
        context = ssl.create_default_context(cafile=certs / "ca.crt")
        self.assertEqual(self.get("catalog.istioinaction.io", "/items", ports[443], context).status, 200)
        self.assertEqual(self.get("webapp.istioinaction.io", "/api/catalog", ports[443], context).status, 200)
        redirect = self.get("webapp.istioinaction.io", "/api/catalog?a=1", ports[80])
        self.assertEqual(redirect.status, 301)
        self.assertEqual(redirect.getheader("location"), "https://webapp.istioinaction.io/api/catalog?a=1")
        self.assertEqual(self.get("other.istioinaction.io", "/", ports[80]).status, 404)

    def test_mutual_with_files(self) -> None:
        """The older form with certificates in files, and clients that need one."""
        certs = self.certificates()
        ports = self.serve(gateway=OLDER.format(certs=certs), routes=ROUTES.partition("---")[0], backends=BACKENDS)
        context = ssl.create_default_context(cafile=certs / "ca.crt")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.get("webapp.istioinaction.io", "/api/catalog", ports[443], context)
        context.load_cert_chain(certs / "client.crt", certs / "client.key")
        self.assertEqual(self.get("webapp.istioinaction.io", "/api/catalog", ports[443], context).status, 200)
