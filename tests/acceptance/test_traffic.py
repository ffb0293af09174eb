"""Traffic that a gateway is bought for: large uploads, half-closed connections, certificates that open no door."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import threading

from tests.acceptance.coolstore import CoolstoreTestCase
from tests.acceptance.processes import PATIENCE

MEGABYTE = 1_000_000

CLIENTS = ("client", "stranger", "")


class CoolstoreTraffic(CoolstoreTestCase):
    """Clients of the open coolstore."""

    def setUp(self) -> None:
        """Open it."""
        super().setUp()
        self.gateway = self.open_coolstore()
        self.certs = self.folder / "etc" / "certs"

    def connect(self, port: int) -> socket.socket:
        """Connect to one of the demo's ports."""
        connection = socket.create_connection(("127.0.0.1", self.ports[port]), timeout=PATIENCE)
        self.addCleanup(connection.close)
        return connection

    def secure(self, port: int, server_name: str, client: str = "") -> ssl.SSLSocket:
        """Connect with TLS, and a client certificate if one is named."""
        context = ssl.create_default_context(cafile=self.certs / "ca.crt")
        if client:
            context.load_cert_chain(self.certs / f"{client}.crt", self.certs / f"{client}.key")
        connection = context.wrap_socket(self.connect(port), server_hostname=server_name)
        self.addCleanup(connection.close)
        return connection


class RelayTests(CoolstoreTraffic):
    """Bytes through the gateway."""

    def test_echo_with_half_close(self) -> None:
        """3 MB come back whole, although the client closes its side before it has read them."""
        sent = os.urandom(3 * MEGABYTE)
        connection = self.connect(31400)
        received = bytearray()

        def read() -> None:
            while piece := connection.recv(65536):
                received.extend(piece)

        reader = threading.Thread(target=read)
        reader.start()
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        reader.join(PATIENCE)
        greeting, _, rest = bytes(received).partition(b"Serving client ")
        self.assertTrue(greeting.startswith(b"Welcome, you are connected to node "))
        self.assertEqual(rest.partition(b"\n")[2], sent)

    def test_passthrough_with_python(self) -> None:
        """A ClientHello that the gateway has read reaches the backend whole: the handshake ends there."""
        connection = self.secure(31401, "simple-sni-2.istioinaction.io")
        connection.sendall(b"GET / HTTP/1.1\r\nHost: simple-sni-2.istioinaction.io\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
        self.assertIn(b"Hello from simple-sni-2!", answer)


class HTTPTests(CoolstoreTraffic):
    """Requests through the gateway."""

    def post(self, connection: http.client.HTTPConnection, size: int, chunked: bool = False) -> dict[str, object]:
        """Post some bytes to the API server and return its answer."""
        body = b"x" * size
        connection.request(
            "POST",
            "/api/products",
            iter([body[:100], body[100:]]) if chunked else body,
            {"Host": "apiserver.istioinaction.io"},
            encode_chunked=chunked,
        )
        response = connection.getresponse()
        self.assertEqual(response.status, 200)
        found = json.loads(response.read())
        assert isinstance(found, dict)
        return found

    def test_upload(self) -> None:
        """300 kB posted in the clear arrive, by length and in chunks, on one connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[8081], timeout=PATIENCE)
        self.addCleanup(connection.close)
        self.assertEqual(self.post(connection, 300_000)["received_bytes"], 300_000)
        self.assertEqual(self.post(connection, 300_000, chunked=True)["received_bytes"], 300_000)

    def test_upload_over_tls(self) -> None:
        """So they do over TLS."""
        connection = http.client.HTTPConnection("127.0.0.1", timeout=PATIENCE)
        connection.sock = self.secure(8443, "apiserver.istioinaction.io")
        self.addCleanup(connection.close)
        self.assertEqual(self.post(connection, 300_000)["received_bytes"], 300_000)

    def test_who_the_client_is(self) -> None:
        """The backend is told the client's address, its scheme and a request id; a client's own word does not count."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[8081], timeout=PATIENCE)
        self.addCleanup(connection.close)
        lies = {"X-Request-Id": "lie", "X-Forwarded-Proto": "https", "X-Envoy-External-Address": "192.0.2.9"}
        connection.request("GET", "/items", headers={"Host": "CATALOG.istioinaction.io.:80", **lies})
        response = connection.getresponse()
        self.assertEqual(response.getheader("server"), "edgegate")
        found = json.loads(response.read())
        self.assertEqual(found["x-forwarded-for"], "127.0.0.1")
        self.assertEqual(found["x-forwarded-proto"], "http")
        self.assertEqual(found["x-envoy-external-address"], "127.0.0.1")
        self.assertNotEqual(found["x-request-id"], "lie")


SHARED_PORT = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: coolstore-gateway}
spec:
  servers:
  - port: {number: 8443, name: https-catalog, protocol: HTTPS}
    hosts: [catalog.istioinaction.io]
    tls:
      mode: SIMPLE
      serverCertificate: certs/catalog.istioinaction.io.crt
      privateKey: certs/catalog.istioinaction.io.key
  - port: {number: 8443, name: https-apiserver, protocol: HTTPS}
    hosts: [apiserver.istioinaction.io]
    tls:
      mode: MUTUAL
      serverCertificate: certs/apiserver.istioinaction.io.crt
      privateKey: certs/apiserver.istioinaction.io.key
      caCertificates: certs/ca.crt
---
"""
"""A server that asks for a client certificate beside one that asks for none, on one port."""


class MutualTests(CoolstoreTraffic):
    """Who gets through to a server that asks for certificates, whatever its neighbour on the port asks for."""

    def setUp(self) -> None:
        """Put both servers on one port in the place of the demo's Gateway."""
        CoolstoreTestCase.setUp(self)
        routes = (self.folder / "etc/coolstore.yaml").read_text().split("---\n", 1)[1]
        self.write("etc", {"coolstore.yaml": SHARED_PORT + routes})
        self.gateway = self.open_coolstore()
        self.certs = self.folder / "etc" / "certs"

    def status(self, server_name: str, host: str, path: str, client: str = "") -> int:
        """Ask for a path with a client's certificate and return the status, or 0 where TLS refused."""
        try:
            connection = self.secure(8443, f"{server_name}.istioinaction.io", client)
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}.istioinaction.io\r\n\r\n".encode())
            return int(connection.recv(65536).split()[1])
        except (ssl.SSLError, ConnectionError):
            return 0

    def test_who_is_served(self) -> None:
        """Only a certificate of the right authority opens the mutual server; its neighbour asks for none."""
        served = {client: self.status("apiserver", "apiserver", "/api/products", client) for client in CLIENTS}
        self.assertEqual(served, {"client": 200, "stranger": 0, "": 0})
        self.assertEqual(self.status("catalog", "catalog", "/items"), 200)

    def test_no_way_around(self) -> None:
        """A connection to the neighbour is no way to the host that asks for certificates: 421."""
        self.assertEqual(self.status("catalog", "apiserver", "/api/products"), 421)
