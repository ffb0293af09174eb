"""Paths through the real gateway: what clients write, what is matched, and what a backend gets to see."""

from __future__ import annotations

import json
import socket
import threading

from tests.acceptance.manifests import EVERY_HOST, GATEWAY, filled
from tests.acceptance.processes import AcceptanceTestCase, Running, free_ports

PATIENCE = 15.0
FILES = (
    GATEWAY
    + EVERY_HOST
    + """\
  - name: public
    match: [{uri: {prefix: /public/}}, {uri: {exact: "*"}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $public}}}]
  - name: admin
    match: [{uri: {prefix: /admin/}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $admin}}}]
"""
)


class EchoBackend:
    """Answers each request with its own name and the request line that it got."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.server = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE)
        with sock:
            try:
                line = sock.recv(65536).partition(b"\r\n")[0].removesuffix(b" HTTP/1.1")
                body = self.name.encode() + b" " + line
                sock.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
            except OSError:
                return


class PathsTests(AcceptanceTestCase):
    """What is matched is what is sent on."""

    def open(self, *options: str) -> Running:
        """Start two backends and the gateway in front of them."""
        backends = EchoBackend("public"), EchoBackend("admin")
        for backend in backends:
            self.addCleanup(backend.server.close)
        (self.port,) = free_ports(1)
        etc = self.folder / "etc"
        etc.mkdir(exist_ok=True)
        (etc / "a.yaml").write_text(filled(FILES, http=self.port, public=backends[0].port, admin=backends[1].port))
        common = "--config=etc", "--access-log=access.log", "--access-log-format=json", "--admin=none", "--no-watch"
        gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", *common, *options)
        gateway.says("serving ")
        return gateway

    def curl(self, path: str) -> str:
        """Ask with curl, which is told to leave the path alone."""
        asked = self.ask("curl", "-sS", "--path-as-is", "-w", " %{http_code}", f"http://127.0.0.1:{self.port}{path}")
        self.assertEqual(asked.returncode, 0, asked.stderr)
        return asked.stdout

    def send(self, line: str) -> str:
        """Send a request line as it is; return the body, or the status where it is not 200."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as sock:
            sock.settimeout(PATIENCE)
            sock.sendall(line.encode("latin-1") + b" HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n")
            answer = b""
            while piece := sock.recv(65536):
                answer += piece
        head, _, body = answer.partition(b"\r\n\r\n")
        status = head.split(b" ")[1].decode()
        return body.decode() if status == "200" else status

    def test_base(self) -> None:
        """Nobody gets from one route to another by dots, backslashes or escapes."""
        gateway = self.open()
        for path, expected in (
            ("/public/a", "public GET /public/a 200"),
            ("/public/../admin/a?b=/../c", "admin GET /admin/a?b=/../c 200"),
            ("/public/%2e%2E/admin/", "admin GET /admin/ 200"),
            ("/public/..%5cadmin/", "public GET /public/..%5cadmin/ 200"),
            ("/%70ublic/a", "public GET /public/a 200"),
            ("/public//a", "public GET /public//a 200"),
            ("/../../public/", "public GET /public/ 200"),
        ):
            self.assertEqual(self.curl(path), expected, path)
        for path, status in (
            ("/public/..", "404"),
            ("/public/%00", "400"),
            ("/public/%", "400"),
            ("/public/%zz", "400"),
        ):
            self.assertEqual(self.curl(path).rpartition(" ")[2], status, path)
        for line, expected in (
            ("GET /public\\..\\admin\\a", "admin GET /admin/a"),
            ("GET http://b.example/public/../admin/a?b", "admin GET /admin/a?b"),
            ("OPTIONS *", "public OPTIONS *"),
            ("GET /public/{a|b}", "public GET /public/%7Ba%7Cb%7D"),
            ("GET /public/a#b", "400"),
            ("GET http://b.example\\..\\admin/", "400"),
        ):
            self.assertEqual(self.send(line), expected, line)
        gateway.stop()
        logged = [json.loads(line) for line in (self.folder / "access.log").read_text().splitlines()]
        self.assertEqual(logged[1]["path"], "/admin/a?b=/../c")
        refused = [line for line in logged if line["response_code_details"] == "path_normalization_failed"]
        self.assertEqual([line["response_code"] for line in refused], [400, 400, 400])

    def test_options(self) -> None:
        """Slashes are merged, and decoded before, where the gateway is told so; or nothing is done at all."""
        for option, cases in (
            (
                "merge-slashes",
                (
                    ("/public//a", "public GET /public/a 200"),
                    ("//admin///a", "admin GET /admin/a 200"),
                    ("/public/..%2fadmin/", "public GET /public/..%2fadmin/ 200"),
                ),
            ),
            (
                "decode-and-merge-slashes",
                (
                    ("/public/..%2fadmin%2Fa", "admin GET /admin/a 200"),
                    ("/public/..%5Cadmin/%2f", "admin GET /admin/ 200"),
                    ("/public/%252e", "public GET /public/%252e 200"),
                ),
            ),
            (
                "none",
                (
                    ("/public/../admin/", "public GET /public/../admin/ 200"),
                    ("/public/%zz//", "public GET /public/%zz// 200"),
                    ("/public/%00", "bad path (DPE)\n 400"),
                ),
            ),
        ):
            gateway = self.open(f"--path-normalization={option}")
            for path, expected in cases:
                self.assertEqual(self.curl(path), expected, (option, path))
            gateway.stop()
