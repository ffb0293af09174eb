"""Clients behind a load balancer that speaks the PROXY protocol, through the real gateway."""

from __future__ import annotations

import json
import socket
import ssl
import struct

from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, free_ports
from tests.acceptance.traffic import Traffic

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - {{port: {{number: {http}, name: http, protocol: HTTP}}, hosts: [shop.example]}}
  - {{port: {{number: {mixed}, name: mixed, protocol: HTTP}}, hosts: [shop.example]}}
  - port: {{number: {https}, name: https, protocol: HTTPS}}
    hosts: [shop.example]
    tls: {{mode: SIMPLE, serverCertificate: certs/shop.example.crt, privateKey: certs/shop.example.key}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop}}
spec:
  hosts: [shop.example]
  gateways: [gw]
  http:
  - route: [{{destination: {{host: 127.0.0.1, port: {{number: {backend}}}}}}}]
"""
ASK = b"GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n"
LINE = b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 80\r\n"
BINARY = (
    b"\r\n\r\n\0\r\nQUIT\n\x21\x21"
    + struct.pack("!H", 36 + 4)
    + socket.inet_pton(socket.AF_INET6, "2001:db8::7")
    + socket.inet_pton(socket.AF_INET6, "2001:db8::1")
    + struct.pack("!HH", 4711, 443)
    + b"\x04\x00\x01x"
)


class IntroducedTests(AcceptanceTestCase):
    """Ports that only 127.0.0.1 may introduce clients on."""

    def setUp(self) -> None:
        """Start a backend and the gateway."""
        super().setUp()
        self.certs = self.certificates("shop.example")
        traffic = Traffic()
        self.addCleanup(traffic.stop)
        self.http, self.mixed, self.https = free_ports(3)
        ports = {"http": self.http, "mixed": self.mixed, "https": self.https}
        text = FILES.format(backend=traffic.backend(b"hello"), **ports)
        (self.folder / "etc" / "gateway.yaml").write_text(text)
        introduced = [f"--proxy-protocol={port}" for port in (self.http, self.https, f"{self.mixed}:optional")]
        logging = ("--access-log=log", "--access-log-format=json", "--admin=none")
        self.gateway = self.start(
            *("twistd", "-n", "--pidfile=", "edgegate", "--config=etc", "--proxy-protocol-from=127.0.0.1/32"),
            *(*introduced, *logging),
        )
        self.gateway.says("serving HTTPS")

    def connect(self, port: int, source: str = "127.0.0.1") -> socket.socket:
        """Connect from an address of this machine."""
        sock = socket.create_connection(("127.0.0.1", port), PATIENCE, (source, 0))
        self.addCleanup(sock.close)
        return sock

    def answer(self, sock: socket.socket) -> bytes:
        """Return what comes until it ends or an answer is whole."""
        data = b""
        try:
            while not data.endswith(b"hello") and (piece := sock.recv(65536)):
                data += piece
        except ConnectionError:
            pass
        return data

    def clients(self) -> list[str]:
        """End the gateway, and return whose requests and rejected connections it logged."""
        self.assertEqual(self.gateway.stop(), 0)
        lines = [json.loads(line) for line in (self.folder / "log").read_text().splitlines()]
        return [line["downstream_remote_address"] for line in lines]

    def test_believed(self) -> None:
        """The told client is the one in the log, over HTTP and HTTPS, in both versions, however it is cut."""
        plain = self.connect(self.http)
        for at in range(len(LINE)):
            plain.sendall(LINE[at : at + 1])
        plain.sendall(ASK)
        self.assertTrue(self.answer(plain).startswith(b"HTTP/1.1 200 "))
        raw = self.connect(self.https)
        raw.sendall(BINARY)
        context = ssl.create_default_context(cafile=self.certs / "ca.crt")
        with context.wrap_socket(raw, server_hostname="shop.example") as secure:
            secure.sendall(ASK)
            self.assertTrue(self.answer(secure).startswith(b"HTTP/1.1 200 "))
        optional = self.connect(self.mixed)
        optional.sendall(ASK)
        self.assertTrue(self.answer(optional).startswith(b"HTTP/1.1 200 "))
        own = optional.getsockname()
        self.assertEqual(self.clients(), ["203.0.113.7:4711", "[2001:db8::7]:4711", f"{own[0]}:{own[1]}"])

    def test_not_believed(self) -> None:
        """Who is not named can't say who it is; without a header, or with a broken one, nobody is served."""
        stranger = self.connect(self.http, "127.0.0.2")
        stranger.sendall(LINE + ASK)
        self.assertEqual(self.answer(stranger), b"")
        for first in (ASK, b"PROXY TCP4 1.2.3.4 nowhere 1 2\r\n" + ASK):
            sock = self.connect(self.http)
            sock.sendall(first)
            self.assertEqual(self.answer(sock), b"")
        stranger = self.connect(self.mixed, "127.0.0.2")
        stranger.sendall(LINE + ASK)
        answer = self.answer(stranger)
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)
        self.assertNotIn("203.0.113.7", " ".join(self.clients()))

    def test_options(self) -> None:
        """Nobody is believed by default: the gateway does not start without being told who is."""
        self.gateway.stop()
        ended = self.ask("twistd", "-n", "--pidfile=", "edgegate", "--config=etc", f"--proxy-protocol={self.http}")
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn("belong together", ended.stdout + ended.stderr)
