"""Large bodies, which the kernel moves where they are in the clear: whole, in order, and cut off where one side is."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import ssl
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from edgegate.demo.certificates import fill
from tests.acceptance.manifests import GATEWAY, ONE_BACKEND, filled
from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, free_ports

LARGE = os.urandom(1 << 20) * 6

TLS_GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  servers:
  - port: {number: $http, name: https, protocol: HTTPS}
    hosts: ["*"]
    tls: {mode: SIMPLE, serverCertificate: certs/a.example.crt, privateKey: certs/a.example.key}
---
"""


class Backend(BaseHTTPRequestHandler):
    """Answers with what is large, or with the digest of what came."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b"small" if self.path == "/small" else LARGE
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.close_connection = self.path == "/half"
        with contextlib.suppress(ConnectionError):  # the client may go, which is a test of its own
            self.wfile.write(body[: len(body) // 2] if self.path == "/half" else body)

    def do_PUT(self) -> None:
        if self.path == "/refused":
            # answered before the body is read
            body = b"no"
            self.close_connection = True
        else:
            body = sha256(self.rfile.read(int(self.headers["Content-Length"]))).hexdigest().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if self.path == "/refused":
            # as servers do that do not want their answer to be lost in a reset
            with contextlib.suppress(ConnectionError):
                self.rfile.read()

    def log_message(self, *args: object) -> None:
        pass


class BodyTests(AcceptanceTestCase):
    """
    A gateway in front of one backend.

    @cvar gateway_file: The port that it serves.
    """

    gateway_file = GATEWAY

    def setUp(self) -> None:
        """Start both."""
        super().setUp()
        server = ThreadingHTTPServer(("127.0.0.1", 0), Backend)
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        (self.port,) = free_ports(1)
        (self.folder / "etc").mkdir()
        self.prepare()
        (self.folder / "etc" / "gw.yaml").write_text(
            filled(self.gateway_file + ONE_BACKEND, http=self.port, backend=server.server_port)
        )
        self.gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", "--config", "etc", "--admin", "none")
        self.gateway.says("serving ")

    def prepare(self) -> None:
        """Put into the folder what the gateway's port needs."""

    def client(self) -> http.client.HTTPConnection:
        """Connect."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.sock = self.connected()
        self.addCleanup(connection.close)
        return connection

    def connected(self) -> socket.socket:
        """Connect without a client that knows HTTP."""
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)

    def pipes(self) -> int:
        """Count the pipes that the gateway has open."""
        folder = Path(f"/proc/{self.gateway.process.pid}/fd")
        return sum(str(each.readlink()).startswith("pipe:") for each in folder.iterdir())

    def went_well(self, before: int) -> None:
        """Check that bodies went where they should: through pipes."""
        self.assertGreater(self.pipes(), before)

    def test_download(self) -> None:
        """A large answer comes whole, and small ones before and behind it on the same connection."""
        connection = self.client()
        connection.request("GET", "/small")
        connection.getresponse().read()
        before = self.pipes()  # those that the reactor has by now
        for path, body in (("/small", b"small"), ("/large", LARGE), ("/large", LARGE), ("/small", b"small")):
            connection.request("GET", path)
            self.assertEqual(connection.getresponse().read(), body)
        self.went_well(before)

    def test_upload(self) -> None:
        """So does a large request, and one behind it."""
        connection = self.client()
        connection.request("GET", "/small")
        connection.getresponse().read()
        before = self.pipes()  # those that the reactor has by now
        for body in (LARGE, LARGE[:1000], LARGE):
            connection.request("PUT", "/", body)
            self.assertEqual(connection.getresponse().read(), sha256(body).hexdigest().encode())
        self.went_well(before)
        self.gateway.says(f' 200 - via_upstream - "-" {len(LARGE)} 64 ', 2)

    def test_half_an_answer(self) -> None:
        """An answer that breaks off is broken off for the client: it never looks complete."""
        connection = self.client()
        connection.request("GET", "/half")
        with self.assertRaises((http.client.IncompleteRead, ConnectionResetError)):
            connection.getresponse().read()
        self.gateway.says("200 UC upstream_reset_after_response_started")

    def test_client_goes(self) -> None:
        """A client that goes away in the middle takes nobody with it."""
        with self.connected() as client:
            client.sendall(b"GET /large HTTP/1.1\r\nHost: a.example\r\n\r\n")
            client.recv(1 << 20)
        self.gateway.says("200 DC ")
        connection = self.client()
        connection.request("GET", "/large")
        self.assertEqual(connection.getresponse().read(), LARGE)

    def test_answered_early(self) -> None:
        """A backend that answers while the upload still comes is heard."""
        with self.connected() as client:
            client.sendall(b"PUT /refused HTTP/1.1\r\nHost: a.example\r\nContent-Length: %d\r\n\r\n" % len(LARGE))
            client.sendall(LARGE[: 1 << 19])
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK\r\n"), answer[:100])
        self.assertTrue(answer.endswith(b"\r\n\r\nno"), answer[-100:])

    def test_slow_reader(self) -> None:
        """A client that does not read holds up its backend, and gets everything when it does."""
        with self.connected() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 128 * 1024)
            client.sendall(b"GET /large HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
            other = self.client()
            other.request("GET", "/large")
            self.assertEqual(other.getresponse().read(), LARGE)
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        self.assertEqual(answer.partition(b"\r\n\r\n")[2], LARGE)


class EncryptedBodyTests(BodyTests):
    """The same inside TLS: nothing is read in the clear by the client."""

    gateway_file = TLS_GATEWAY

    def prepare(self) -> None:
        """Make a certificate."""
        fill(self.folder / "etc" / "certs", ["a.example"])

    def connected(self) -> socket.socket:
        """Connect, and shake hands."""
        context = ssl.create_default_context(cafile=self.folder / "etc" / "certs" / "ca.crt")
        return context.wrap_socket(super().connected(), server_hostname="a.example")

    def went_well(self, before: int) -> None:
        """Check that no pipe was made for what is encrypted."""
        self.assertEqual(self.pipes(), before)
