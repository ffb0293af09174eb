"""gRPC-Web through the real gateway to a server of gRPC, as browsers' clients speak it."""

from __future__ import annotations

import os
import threading
from base64 import b64decode, b64encode
from concurrent import futures
from typing import cast

import grpc
import httpx

from edgegate.demo.certificates import fill
from tests.acceptance.manifests import EVERY_HOST, filled
from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, free_ports
from tests.acceptance.test_http2_backends import SERVICE, Methods, message

GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  servers:
  - {port: {number: $web, name: web, protocol: GRPC-WEB}, hosts: ["*"], bind: 127.0.0.1}
  - {port: {number: $http, name: http, protocol: HTTP}, hosts: ["*"], bind: 127.0.0.1}
  - port: {number: $https, name: https, protocol: HTTPS}
    hosts: [a.example]
    bind: 127.0.0.1
    tls: {mode: SIMPLE, serverCertificate: certs/a.example.crt, privateKey: certs/a.example.key}
---
"""

ROUTE = (
    EVERY_HOST
    + """\
  - match: [{uri: {prefix: /test.Slow}}]
    timeout: 0.3s
    route: [{destination: {host: api.example}}]
    rewrite: {uri: /test/Wait}
  - match: [{uri: {prefix: /test/}}]
    route: [{destination: {host: api.example}}]
"""
)

TEXT = "application/grpc-web-text"
BINARY = "application/grpc-web+proto"


def frames(body: bytes) -> tuple[list[bytes], dict[str, str]]:
    """Return the messages and the trailers of a response's body."""
    messages, trailers = [], {}
    while body:
        length = int.from_bytes(body[1:5], "big")
        data, flag, body = body[5 : 5 + length], body[0], body[5 + length :]
        if flag & 0x80:
            trailers = dict(line.split(":", 1) for line in data.decode().split("\r\n") if line)
        else:
            messages.append(data)
    return messages, trailers


class GRPCWebTests(AcceptanceTestCase):
    """A server of gRPC-Web, and servers of HTTP and HTTPS in front of a port that is for gRPC-Web, or is not."""

    name = "grpc-web"

    def setUp(self) -> None:
        super().setUp()
        server = grpc.server(futures.ThreadPoolExecutor(8), handlers=[Methods()])
        self.ports = dict(zip(("web", "http", "https"), free_ports(3), strict=True))
        backend = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self.addCleanup(lambda: cast(threading.Event, server.stop(None)).wait())
        etc = self.folder / "etc"
        etc.mkdir()
        fill(etc / "certs", ["a.example"])
        self.values = {**self.ports, "backend": backend, "protocol": "GRPC"}
        self.write("grpc-web")
        self.gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", "--config=etc", "--admin=none")
        self.gateway.says("serving ")

    def write(self, name: str) -> None:
        """
        Write the files.

        @param name: Of the backend's port, which has no protocol besides.
        """
        text = filled(GATEWAY + SERVICE.replace(", protocol: $protocol", "") + ROUTE, name=name, **self.values)
        (self.folder / "etc" / "gw.yaml").write_text(text)

    def ask(
        self, port: str, method: str, body: bytes, kind: str = BINARY, accept: str = BINARY, http2: bool = False
    ) -> httpx.Response:
        """Call a method."""
        scheme = "https" if port == "https" else "http"
        headers = {"content-type": kind, "accept": accept, "host": "a.example", "x-grpc-web": "1"}
        with httpx.Client(http1=not http2, http2=http2, verify=False, timeout=PATIENCE) as client:
            url = f"{scheme}://127.0.0.1:{self.ports[port]}{method}"
            extensions = {"sni_hostname": "a.example"}
            return client.post(url, content=body, headers=headers, extensions=extensions)

    def test_binary(self) -> None:
        """Unary calls and streams, in HTTP/1.1 and HTTP/2, small and large."""
        large = os.urandom(1 << 20)
        for port, http2 in (("web", False), ("web", True), ("http", False), ("https", False), ("https", True)):
            for data in (b"hello", large):
                answer = self.ask(port, "/test/Echo", message(data), http2=http2)
                self.assertEqual((answer.status_code, answer.headers["content-type"]), (200, BINARY))
                messages, trailers = frames(answer.content)
                self.assertTrue(messages == [data])
                self.assertEqual((trailers["grpc-status"], trailers["sum"]), ("0", "7"))
            both = self.ask(port, "/test/Both", message(b"a") + message(b"b"), http2=http2)
            self.assertEqual(frames(both.content)[0], [b"a", b"a", b"b", b"b"])

    def test_text(self) -> None:
        """The same in base64, each message with its own padding."""
        large = os.urandom(1 << 20)
        for http2 in (False, True):
            for data in (b"hello", large):
                body = b64encode(message(data))
                answer = self.ask("https", "/test/Echo", body, TEXT, TEXT, http2)
                self.assertEqual(answer.headers["content-type"], TEXT + "+proto")
                messages, trailers = frames(_decoded(answer.content))
                self.assertTrue(messages == [data])
                self.assertEqual((trailers["grpc-status"], trailers["sum"]), ("0", "7"))
            body = b64encode(message(b"a")) + b64encode(message(b"bc"))
            both = self.ask("https", "/test/Both", body, TEXT, TEXT, http2)
            self.assertEqual(frames(_decoded(both.content))[0], [b"a", b"a", b"bc", b"bc"])

    def test_errors(self) -> None:
        """Statuses of the server, and the gateway's own."""
        failed = self.ask("web", "/test/Fail", message(b"x"))
        status = {**failed.headers, **frames(failed.content)[1]}
        self.assertEqual((status["grpc-status"], status["grpc-message"]), ("5", "nothing here"))
        for port, method, body, kind, wanted in (
            ("web", "/nowhere", message(b"x"), BINARY, (404, "12")),
            ("web", "/test.Slow", message(b"x"), BINARY, (504, "14")),
            ("web", "/test/Echo", b"!!!!", TEXT, (400, "13")),
            ("https", "/test/Echo", b"AAAAA", TEXT, (400, "13")),
        ):
            answer = self.ask(port, method, body, kind)
            self.assertEqual((answer.status_code, answer.headers["grpc-status"]), wanted)

    def test_other_ports(self) -> None:
        """Where neither the server nor the backend's port is for gRPC-Web it passes as it is, as in Istio."""
        self.write("grpc")
        self.gateway.says("reloaded")
        answer = self.ask("https", "/test/Echo", message(b"hello"))
        self.assertNotEqual(answer.headers["content-type"], BINARY)
        answer = self.ask("web", "/test/Echo", message(b"hello"))
        self.assertEqual(frames(answer.content)[0], [b"hello"])


def _decoded(text: bytes) -> bytes:
    """Return what stands in base64 with padding inside."""
    return b"".join(b64decode(part + b"=" * (-len(part) % 4)) for part in text.replace(b"==", b"=").split(b"="))
