"""WebSockets and other upgrades through the real gateway, with real clients and servers, and byte by byte."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import threading
from http import HTTPStatus
from pathlib import Path

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Request, Response
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

from tests.acceptance.forwarding import TLSForwarder
from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, free_ports

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - {{port: {{number: {http}, name: http, protocol: HTTP}}, hosts: ["*"]}}
  - port: {{number: {https}, name: https, protocol: HTTPS}}
    hosts: [chat.example]
    tls: {{mode: SIMPLE, serverCertificate: certs/chat.example.crt, privateKey: certs/chat.example.key}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: chat}}
spec:
  hosts: [chat.example]
  gateways: [gw]
  http: [{{route: [{{destination: {{host: 127.0.0.1, port: {{number: {chat}}}}}}}]}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: raw}}
spec:
  hosts: [raw.example]
  gateways: [gw]
  http: [{{route: [{{destination: {{host: 127.0.0.1, port: {{number: {raw}}}}}}}]}}]
"""
LARGE = os.urandom(1 << 20) * 5
LONG = "ü" * 1_000_000
ASK = b"GET / HTTP/1.1\r\nHost: raw.example\r\nConnection: Upgrade\r\nUpgrade: lines\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: lines\r\n\r\n"


class UpgradeCase(AcceptanceTestCase):
    """
    A gateway in front of a WebSocket server and of a socket that the test serves by itself.

    @ivar closes: The codes and reasons with which clients closed.
    """

    def setUp(self) -> None:
        """Start all three."""
        super().setUp()
        self.certs = self.certificates("chat.example")
        self.closes: list[tuple[int | None, str]] = []
        self.closed = threading.Event()
        self.paths: list[str] = []
        server = serve(
            self.chat,
            "127.0.0.1",
            0,
            process_request=self.admit,
            select_subprotocol=lambda _, offered: Subprotocol("chat") if "chat" in offered else None,
            max_size=None,
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        self.raw = socket.create_server(("127.0.0.1", 0))
        self.raw.settimeout(PATIENCE)
        self.addCleanup(self.raw.close)
        self.http, self.https = free_ports(2)
        ports = {"chat": server.socket.getsockname()[1], "raw": self.raw.getsockname()[1]}
        (self.folder / "etc" / "a.yaml").write_text(FILES.format(http=self.http, https=self.https, **ports))
        options = "--config=etc", "--admin=none", "--no-watch", "--access-log=log", "--access-log-format=json"
        self.gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", *options)
        self.gateway.says("serving ")
        self.addCleanup(lambda: self.assertNotIn("Traceback", self.gateway.output))

    # The WebSocket server

    def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse some."""
        self.paths.append(request.path)
        if request.path.startswith("/refused"):
            return connection.respond(HTTPStatus.FORBIDDEN, "no\n")
        return None

    def chat(self, connection: ServerConnection) -> None:
        """Send each message back; C{bye} closes."""
        try:
            while True:
                message = connection.recv()
                if message == "bye":
                    connection.close(4001, "as you wish")
                    return
                connection.send(message)
        except ConnectionClosed as closed:
            if closed.rcvd is not None:
                self.closes.append((closed.rcvd.code, closed.rcvd.reason))
            self.closed.set()

    # Clients

    def open(self, path: str = "/", secure: bool = False, **options: object) -> ClientConnection:
        """Open a WebSocket."""
        port = self.http
        if secure:
            # the library reads and writes in two threads, which OpenSSL does not bear: now and then it hangs by itself
            forwarder = TLSForwarder(self.https, "chat.example", self.certs / "ca.crt")
            self.addCleanup(forwarder.stop)
            port = forwarder.port
        sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.addCleanup(sock.close)
        client = connect(f"ws://chat.example{path}", sock=sock, max_size=None, **options)  # type: ignore[arg-type]
        self.addCleanup(client.close)
        return client

    def connect(self) -> socket.socket:
        """Connect to the gateway in the clear."""
        sock = socket.create_connection(("127.0.0.1", self.http), PATIENCE)
        self.addCleanup(sock.close)
        return sock

    def accept(self) -> socket.socket:
        """Take a connection from the gateway, as the backend of C{raw.example}."""
        sock, _ = self.raw.accept()
        sock.settimeout(PATIENCE)
        self.addCleanup(sock.close)
        return sock

    def logged(self) -> list[dict[str, object]]:
        """End the gateway and return its access log."""
        self.gateway.stop()
        return [json.loads(line) for line in (self.folder / "log").read_text().splitlines()]


class WebSocketTests(UpgradeCase):
    """C{websockets} at both ends."""

    def test_messages(self) -> None:
        """Large and many messages, text and bytes, come back whole; over TLS too."""
        for secure in (False, True):
            client = self.open(secure=secure)
            for message in ("", "hello", b"\x00\xff", LARGE, LONG, LARGE[:65536]):
                client.send(message)
                self.assertTrue(client.recv(PATIENCE) == message)
            sender = threading.Thread(target=lambda: [client.send(str(n)) for n in range(2000)])  # noqa: B023
            sender.start()
            self.assertEqual([client.recv(PATIENCE) for _ in range(2000)], [str(n) for n in range(2000)])
            sender.join(PATIENCE)
            client.close()

    def test_uncompressed(self) -> None:
        """So they do without an extension."""
        client = self.open(compression=None)
        for message in (LARGE, LONG):
            client.send(message)
            self.assertTrue(client.recv(PATIENCE) == message)
        self.assertEqual(client.protocol.extensions, [])

    def test_ping(self) -> None:
        """Pings are answered by the other end."""
        for secure in (False, True):
            client = self.open(secure=secure)
            self.assertTrue(client.ping("are you there").wait(PATIENCE))

    def test_subprotocol(self) -> None:
        """The ends agree on a subprotocol."""
        for secure in (False, True):
            client = self.open(secure=secure, subprotocols=[Subprotocol("chat"), Subprotocol("other")])
            self.assertEqual(client.subprotocol, "chat")

    def test_closes(self) -> None:
        """Codes and reasons of a close pass both ways."""
        for secure in (False, True):
            client = self.open(secure=secure)
            client.send("bye")
            with self.assertRaises(ConnectionClosed) as caught:
                client.recv(PATIENCE)
            assert caught.exception.rcvd is not None
            self.assertEqual((caught.exception.rcvd.code, caught.exception.rcvd.reason), (4001, "as you wish"))
            self.closed.clear()
            self.open(secure=secure).close(4002, "my turn")
            self.assertTrue(self.closed.wait(PATIENCE))
            self.assertEqual(self.closes.pop(), (4002, "my turn"))

    def test_refused(self) -> None:
        """A backend's refusal reaches the client."""
        with self.assertRaises(InvalidStatus) as caught:
            self.open("/refused?why=1")
        self.assertEqual((caught.exception.response.status_code, caught.exception.response.body), (403, b"no\n"))
        self.assertEqual(self.paths, ["/refused?why=1"])

    def test_log(self) -> None:
        """A line of the access log tells of each, with the bytes each way."""
        client = self.open("/chat", compression=None)
        client.send(LARGE)
        self.assertEqual(len(client.recv(PATIENCE)), len(LARGE))
        client.close()
        with self.assertRaises(InvalidStatus):
            self.open("/refused")
        tunnelled, refused = sorted(self.logged(), key=lambda line: str(line["path"]))
        self.assertEqual((tunnelled["path"], tunnelled["response_code"]), ("/chat", 101))
        self.assertEqual((tunnelled["response_flags"], tunnelled["response_code_details"]), (None, "via_upstream"))
        for name in ("bytes_received", "bytes_sent"):
            count = tunnelled[name]
            assert isinstance(count, int)
            self.assertTrue(0 < count - len(LARGE) < 100, count)
        self.assertEqual((refused["path"], refused["response_code"]), ("/refused", 403))

    def test_drain(self) -> None:
        """A gateway that was told to end lets WebSockets go on for a while, and ends when they have."""
        clients = [self.open(), self.open(secure=True)]
        self.gateway.process.send_signal(signal.SIGTERM)
        self.gateway.says("draining 2 connections")
        for client in clients:
            client.send("still here")
            self.assertEqual(client.recv(PATIENCE), "still here")
            client.close()
        self.assertEqual(self.gateway.ends(), 0)
        self.assertNotIn("resetting", self.gateway.output)


class RawTests(UpgradeCase):
    """Another protocol, by bytes."""

    def read(self, sock: socket.socket, end: bytes) -> bytes:
        """Read up to some bytes."""
        data = b""
        while not data.endswith(end):
            piece = sock.recv(65536)
            if not piece:
                raise AssertionError(f"ended after {data!r}")
            data += piece
        return data

    def test_lines(self) -> None:
        """Bytes that come too early wait for the 101; then all pass, half-closes too."""
        client = self.connect()
        for at in range(len(ASK)):
            client.sendall(ASK[at : at + 1])
        client.sendall(b"early\n")
        backend = self.accept()
        head = self.read(backend, b"\r\n\r\n")
        self.assertIn(b"connection: upgrade\r\nupgrade: lines\r\n", head)
        for at in range(len(SWITCH)):
            backend.sendall(SWITCH[at : at + 1])
        backend.sendall(b"greeting\n")
        self.assertEqual(self.read(backend, b"\n"), b"early\n")
        answer = self.read(client, b"greeting\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 101 Switching Protocols\r\n"))
        self.assertEqual(answer.partition(b"\r\n\r\n")[2], b"greeting\n")
        self.assertNotIn(b"content-length", answer)
        client.sendall(b"last\n")
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(self.read(backend, b"\n"), b"last\n")
        self.assertEqual(backend.recv(1), b"")
        backend.sendall(b"farewell\n")
        backend.close()
        self.assertEqual(self.read(client, b"\n"), b"farewell\n")
        self.assertEqual(client.recv(1), b"")
        (line,) = self.logged()
        self.assertEqual((line["response_code"], line["bytes_received"], line["bytes_sent"]), (101, 11, 18))

    def test_in_the_kernel(self) -> None:
        """Between plain sockets much goes through pipes, not through the process."""
        client = self.connect()
        client.sendall(ASK)
        backend = self.accept()
        self.read(backend, b"\r\n\r\n")
        backend.sendall(SWITCH)
        self.read(client, b"\r\n\r\n")
        folder = Path(f"/proc/{self.gateway.process.pid}/fd")
        before = pipes(folder)
        sender = threading.Thread(target=client.sendall, args=(LARGE,))
        sender.start()
        received = bytearray()
        while len(received) < len(LARGE):
            received += backend.recv(65536)
        sender.join(PATIENCE)
        self.assertTrue(received == LARGE)
        self.assertEqual(len(pipes(folder)), len(before) + 1)

    def test_pipelined(self) -> None:
        """Requests around an upgrade that is refused are answered in order, on the same connections."""
        client = self.connect()
        plain = b"POST /%d HTTP/1.1\r\nHost: raw.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        client.sendall(plain % 1 + ASK + plain % 2)
        backend = self.accept()
        for number, end in ((1, b"0\r\n\r\n"), (0, b"\r\n\r\n"), (2, b"0\r\n\r\n")):
            head = self.read(backend, end)
            self.assertTrue(head.startswith(b"POST /%d " % number if number else b"GET / "), head)
            backend.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nUpgrade: lines\r\n\r\n%d" % number)
        answers = b"".join(self.read(client, end) for end in (b"\r\n\r\n2",))
        self.assertEqual(re.findall(rb"\r\n\r\n(\d)", answers), [b"1", b"0", b"2"])
        self.assertNotIn(b"upgrade", answers)

    def test_hints(self) -> None:
        """103 is passed on when it comes, at most 16 times; 100 is answered once; a 101 to nobody's question is 502."""
        client = self.connect()
        client.sendall(b"POST / HTTP/1.1\r\nHost: raw.example\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        backend = self.accept()
        self.read(backend, b"\r\n\r\n")
        self.assertEqual(self.read(client, b"\r\n\r\n"), b"HTTP/1.1 100 Continue\r\n\r\n")
        backend.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        self.assertEqual(self.read(client, b"\r\n\r\n"), b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
        client.sendall(b"ab")
        self.assertEqual(self.read(backend, b"ab"), b"ab")
        backend.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        self.assertTrue(self.read(client, b"\r\n\r\nok").startswith(b"HTTP/1.1 200 OK\r\n"))
        for answer in (SWITCH, b"HTTP/1.1 103 Early Hints\r\n\r\n" * 17):
            client = self.connect()
            client.sendall(b"GET / HTTP/1.1\r\nHost: raw.example\r\n\r\n")
            self.read(backend, b"\r\n\r\n")
            backend.sendall(answer)
            self.assertIn(b"HTTP/1.1 502 Bad Gateway\r\n", self.read(client, b"(UPE)\n"))
            self.assertRaises(ConnectionResetError, backend.recv, 1)
            if answer == SWITCH:
                client.sendall(b"GET / HTTP/1.1\r\nHost: raw.example\r\n\r\n")
                backend = self.accept()
                self.read(backend, b"\r\n\r\n")
                backend.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                self.read(client, b"\r\n\r\nok")

    def test_connect(self) -> None:
        """CONNECT is no way in."""
        client = self.connect()
        client.sendall(b"CONNECT raw.example:80 HTTP/1.1\r\nHost: raw.example\r\n\r\n")
        self.assertTrue(client.recv(65536).startswith(b"HTTP/1.1 404 "))


def pipes(folder: Path) -> set[str]:
    """Return the pipes of a process, by its folder of descriptors."""
    return {target for each in folder.iterdir() if (target := str(each.readlink())).startswith("pipe:")}
