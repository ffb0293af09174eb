"""Hostile clients and faulty backends against the real gateway: what is refused, and that the next one is served."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.processes import AcceptanceTestCase, free_ports
from tests.tls.hellos import real

PATIENCE = 15.0
FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - {{port: {{number: {http}, name: http, protocol: HTTP}}, hosts: ["*"]}}
  - {{port: {{number: {tls}, name: tls, protocol: TLS}}, hosts: [a.example], tls: {{mode: PASSTHROUGH}}}}
  - {{port: {{number: {tcp}, name: tcp, protocol: TCP}}, hosts: ["*"]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: all}}
spec:
  hosts: ["*"]
  gateways: [gw]
  http: [{{route: [{{destination: {{host: 127.0.0.1, port: {{number: {backend}}}}}}}]}}]
  tcp: [{{match: [{{port: {tcp}}}], route: [{{destination: {{host: 127.0.0.1, port: {{number: {backend}}}}}}}]}}]
"""
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
GET = b"GET / HTTP/1.1\r\nhost: a.example\r\n\r\n"


class FaultyBackend:
    """
    A backend that answers each connection as the test says.

    @ivar heard: What came on each connection.
    """

    def __init__(self, answer: Callable[[socket.socket], None], port: int = 0) -> None:
        """
        @param answer: Gets each connection once something has come on it.
        @param port: Of 127.0.0.1; 0: one that is free.
        """
        self.answer = answer
        self.heard: list[bytes] = []
        self.server = socket.create_server(("127.0.0.1", port), backlog=100)
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.server.accept()
            except OSError:
                return
            sock.settimeout(PATIENCE)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock:
            try:
                self.heard.append(sock.recv(1 << 20))
                self.answer(sock)
            except OSError:
                return

    def close(self) -> None:
        """Take nobody any more."""
        self.server.close()


class HostileCase(AcceptanceTestCase):
    """A gateway in front of one backend."""

    def open(self, answer: Callable[[socket.socket], None] = lambda sock: sock.sendall(OK)) -> None:
        """Start both."""
        self.backend = FaultyBackend(answer)
        self.addCleanup(self.backend.close)
        self.http, self.tls, self.tcp = free_ports(3)
        (self.folder / "etc").mkdir()
        text = FILES.format(http=self.http, tls=self.tls, tcp=self.tcp, backend=self.backend.port)
        (self.folder / "etc" / "a.yaml").write_text(text)
        options = "--config=etc", "--access-log=none", "--admin=none", "--no-watch"
        self.gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", *options)
        self.gateway.says("serving TCP")
        self.addCleanup(self.unharmed)

    def connect(self, port: int | None = None) -> socket.socket:
        """Connect to the gateway."""
        sock = socket.create_connection(("127.0.0.1", port or self.http), PATIENCE)
        self.addCleanup(sock.close)
        return sock

    def send(self, request: bytes) -> bytes:
        """Send something; return everything that comes until the gateway closes, or has answered whole."""
        sock = self.connect()
        try:
            sock.sendall(request)
        except OSError:
            pass
        return read(sock)

    def unharmed(self) -> None:
        """The gateway still runs, and has logged no failure of its own."""
        self.assertIsNone(self.gateway.process.poll())
        self.assertNotIn("Traceback", self.gateway.output)

    def resources(self) -> tuple[int, int]:
        """Return the gateway's descriptors, and its resident size in KiB."""
        folder = Path(f"/proc/{self.gateway.process.pid}")
        status = (folder / "status").read_text()
        return len(list((folder / "fd").iterdir())), int(status.partition("VmRSS:")[2].split()[0])


def read(sock: socket.socket) -> bytes:
    """Read to the end; a reset is an end."""
    data = b""
    try:
        while piece := sock.recv(65536):
            data += piece
            body = data.rpartition(b"\r\n\r\n")[2]
            if body == b"ok" or body.endswith(b")\n"):
                break
    except ConnectionResetError:
        pass
    return data


class ClientTests(HostileCase):
    """Clients."""

    def test_refused_requests(self) -> None:
        """What a backend could understand otherwise is refused, and never reaches it."""
        self.open()
        host = b"host: a.example\r\n"
        for request, status in (
            (b"GET / HTTP/1.1\r\n" + host + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n" + host + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello", 400),
            (b"GET / HTTP/1.1\r\n" + host + b"content-length: +5\r\n\r\nhello", 400),
            (b"GET / HTTP/1.1\r\n" + host + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n", 501),
            (b"GET / HTTP/1.1\r\n" + host + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n", None),
            (b"GET / HTTP/1.1\r\n" + host + b"x: a\r\n b\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n" + host + b"x : a\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n" + host + b"x: a\x00b\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n" + host + b"x: a\rb\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n" + host + b"host: b.example\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nhost: a b\r\n\r\n", 400),
            (b"GET http://b.example/ HTTP/1.1\r\nhost: a.example:1@c\r\n\r\n", 400),
            (b"GET /a b HTTP/1.1\r\n" + host + b"\r\n", 400),
            (b"GET / HTTP/2.0\r\n" + host + b"\r\n", None),
            (b"PRI * HTTP/2.0\r\n" + host + b"\r\n", None),
            (b"GET / RTSP/1.0\r\n" + host + b"\r\n", 400),
            (b"GET / HTTP/1.1\r\nhost: [:::]\r\n\r\n", 400),
            (b"CONNECT a.example:443 HTTP/1.1\r\n" + host + b"\r\n", 404),
            (b"TRACE / HTTP/1.1\r\n" + host + b"\r\n", 405),
            (b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n" + host + b"\r\n", 431),
            (b"GET / HTTP/1.1\r\n" + host + b"x: " + b"a" * 70000 + b"\r\n\r\n", 431),
            (b"GET / HTTP/1.1\r\n" + host + b"x: a\r\n" * 1000 + b"\r\n", 431),
            (b"\x16\x03\x01\x02\x00\x01", 400),
            (b"\xff" * 1000, 400),
        ):
            answer = self.send(request)
            expected = b"HTTP/1.1 %d " % status if status else b"HTTP/1.1 "
            self.assertTrue(answer.startswith(expected), (request[:80], answer[:80]))
            self.assertNotIn(b"200 OK", answer)
        self.assertEqual(self.backend.heard, [])
        self.assertIn(b"200 OK", self.send(GET))

    def test_bad_chunks(self) -> None:
        """Chunks that are none end the connection; nothing behind them is taken for a request."""
        self.open(lambda sock: None)
        head = b"POST / HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked\r\n\r\n"
        for chunk in (
            b"zz\r\n",
            b"-1\r\n",
            b"FFFFFFFFFFFFFFFFF\r\n",
            b"5\r\nhelloXX0\r\n\r\n",
            b"0x5\r\nhello\r\n0\r\n\r\n",
        ):
            answer = self.send(head + chunk + b"GET /smuggled HTTP/1.1\r\nhost: a.example\r\n\r\n")
            self.assertTrue(answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 50")), (chunk, answer))
            self.assertEqual(answer.count(b"HTTP/1.1"), 1)
        self.assertFalse(any(heard.startswith(b"GET /smuggled") for heard in self.backend.heard))

    def test_what_reaches_the_backend(self) -> None:
        """Hop-by-hop fields, and those that Connection names, end here; who the client is can't be forged."""
        self.open()
        self.send(
            b"GET / HTTP/1.1\r\nhost: a.example\r\nconnection: x-secret, keep-alive\r\nx-secret: 1\r\nkeep-alive: 1\r\n"
            b"x-forwarded-for: 6.6.6.6\r\nx-forwarded-proto: https\r\nx-envoy-external-address: 6.6.6.6\r\n"
            b"x-forwarded-client-cert: Hash=00\r\nproxy-connection: x\r\nte: trailers\r\nupgrade: h2c\r\n"
            b"http2-settings: AAA\r\n\r\n"
        )
        (heard,) = self.backend.heard
        for absent in (b"x-secret", b"keep-alive", b"client-cert", b"proxy-connection", b"h2c", b"http2-settings"):
            self.assertNotIn(absent, heard)
        self.assertIn(b"x-forwarded-for: 6.6.6.6,127.0.0.1\r\n", heard)
        self.assertIn(b"x-forwarded-proto: http\r\n", heard)
        self.assertIn(b"x-envoy-external-address: 127.0.0.1\r\n", heard)

    def test_leaving(self) -> None:
        """Clients that leave at any moment leave nothing behind."""
        self.open()
        before, _ = self.resources()
        request = b"POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: 10\r\n\r\n12345"
        for length in range(0, len(request), 3):
            sock = self.connect()
            sock.sendall(request[:length])
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
        self.assertIn(b"200 OK", self.send(GET))
        self.settle(before)

    def settle(self, before: int) -> None:
        """Wait until the gateway has no more descriptors than before, but for some that are kept."""
        wait(lambda: self.resources()[0] <= before + 4)

    def test_pipelining(self) -> None:
        """Very many requests in one go are answered one after the other, and wait unread meanwhile."""
        requests: list[bytes] = []

        def answer(sock: socket.socket) -> None:
            data = self.backend.heard[-1]
            while data:
                requests.append(data)
                sock.sendall(OK)
                data = sock.recv(1 << 16)

        self.open(answer)
        sock = self.connect()
        sock.sendall(GET * 200)
        answers = b""
        while answers.count(b"HTTP/1.1 200 OK") < 200:
            answers += sock.recv(1 << 16)
        self.assertEqual(len(requests), 200)
        self.assertEqual({each.count(b"GET ") for each in requests}, {1})

    def test_never_reads(self) -> None:
        """A client that reads nothing holds up its backend; the gateway keeps little of the answer."""
        size = 200 << 20

        def endless(sock: socket.socket) -> None:
            sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
            piece = b"x" * 65536
            for _ in range(size // len(piece)):
                sock.sendall(piece)

        self.open(endless)
        _, before = self.resources()
        clients = [self.connect() for _ in range(5)]
        for sock in clients:
            sock.sendall(GET)
            sock.recv(100)
        other = self.connect(self.tcp)
        other.sendall(GET)
        other.recv(100)
        _, after = self.resources()
        self.assertLess(after - before, 30_000)

    def test_hellos(self) -> None:
        """ClientHellos in single bytes, cut off, of other versions, and what is none."""
        self.open()
        hello = real("b.example")
        sock = self.connect(self.tls)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in hello:
            sock.sendall(bytes([byte]))
        self.assertEqual(read(sock), b"\x15\x03\x03\x00\x02\x02\x70")
        for data in (
            b"GET / HTTP/1.1\r\n\r\n",
            b"\x16\x03\x01\xff\xff" + os.urandom(1000),
            b"\x16\x03\x01\x00\x00" * 100,
            b"\x16\x02\x00\x00\x01\x01",
            b"\x80\x2e\x01\x03\x01",
            hello[:-1] + b"\xff",
        ):
            sock = self.connect(self.tls)
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            self.assertNotIn(b"200 OK", read(sock))
        self.assertIn(b"200 OK", self.send(GET))


class BackendTests(HostileCase):
    """Backends."""

    def status(self, answer: bytes, request: bytes = GET) -> bytes:
        """Return what a client gets of a backend that sends this and closes."""
        self.open(lambda sock: sock.sendall(answer))
        return self.send(request)

    def test_closes_at_once(self) -> None:
        """A backend that closes without a word is 503."""
        self.assertIn(b"HTTP/1.1 503 ", self.status(b""))

    def test_garbage(self) -> None:
        """What is no answer is 502; nothing of it is told."""
        answer = self.status(b"SSH-2.0-secret\r\n")
        self.assertIn(b"HTTP/1.1 502 ", answer)
        self.assertNotIn(b"secret", answer)

    def test_two_lengths(self) -> None:
        """An answer that could be understood in two ways is 502."""
        answer = self.status(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc")
        self.assertIn(b"HTTP/1.1 502 ", answer)

    def test_endless_head(self) -> None:
        """A head without an end is 502."""
        self.assertIn(b"HTTP/1.1 502 ", self.status(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000))

    def test_many_interims(self) -> None:
        """So are interim answers without an end."""
        self.assertIn(b" 502 ", self.status(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000))

    def test_too_short(self) -> None:
        """An answer that breaks off is not completed for the client."""
        answer = self.status(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK"))
        self.assertNotIn(b"(U", answer)

    def test_more_than_said(self) -> None:
        """What a backend sends beyond its answer is for nobody."""
        answer = self.status(OK + b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen")
        self.assertNotIn(b"stolen", answer)
        self.assertNotIn(b"stolen", self.send(GET))


def wait(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    event = threading.Event()
    for _ in range(int(PATIENCE / 0.05)):
        if condition():
            return
        event.wait(0.05)
    raise AssertionError("it never came")
