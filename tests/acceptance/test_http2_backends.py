"""Real backends of HTTP/2 behind a gateway: gRPC's own server, and nginx in the clear and with TLS."""

from __future__ import annotations

import http.client
import os
import socket
import threading
from concurrent import futures
from hashlib import sha256
from typing import Any, cast

import grpc

from edgegate.demo.certificates import fill
from tests.acceptance.manifests import EVERY_HOST, GATEWAY, filled
from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, free_ports, program
from tests.acceptance.served import Answer, Client

SERVICE = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api}
spec:
  hosts: [api.example]
  resolution: STATIC
  ports: [{number: 80, name: $name, protocol: $protocol}]
  endpoints: [{address: 127.0.0.1, ports: {$name: $backend}}]
---
"""

ROUTE = EVERY_HOST + "  - route: [{destination: {host: api.example}}]\n"

UPGRADED = """\
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: api}
spec:
  host: api.example
  trafficPolicy:
    connectionPool: {http: {h2UpgradePolicy: UPGRADE}}
    tls: {mode: SIMPLE, sni: a.example, caCertificates: certs/ca.crt}
"""

NGINX = """\
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path body;
  client_max_body_size 100m;
  keepalive_requests $most;
  server {
    listen 127.0.0.1:$port $how;
    $more
    location /files/ { root $root; dav_methods PUT; }
    location / { return 200 "$$server_protocol $$request_method\\n"; }
  }
}
"""


def message(data: bytes) -> bytes:
    """Return a message of gRPC."""
    return b"\0" + len(data).to_bytes(4, "big") + data


class Methods(grpc.GenericRpcHandler):
    """What a server of gRPC answers, in bytes."""

    def __init__(self) -> None:
        self.metadata: dict[str, str | bytes] = {}
        self.cancelled = threading.Event()

    def service(self, details: Any) -> Any:
        """Return a method."""
        self.metadata = dict(details.invocation_metadata)
        unary = grpc.unary_unary_rpc_method_handler
        methods = {
            "/test/Echo": unary(self.echo),
            "/test/Fail": unary(self.fail),
            "/test/Wait": unary(self.wait),
            "/test/Both": grpc.stream_stream_rpc_method_handler(self.both),
        }
        return methods.get(details.method)

    def echo(self, request: bytes, context: Any) -> bytes:
        """Say the same, with trailers."""
        context.set_trailing_metadata((("sum", "7"),))
        return request

    def fail(self, request: bytes, context: Any) -> bytes:
        """Fail."""
        context.abort(grpc.StatusCode.NOT_FOUND, "nothing here")
        return b""

    def wait(self, request: bytes, context: Any) -> bytes:
        """Take longer than anybody has patience."""
        context.add_callback(self.cancelled.set)
        self.cancelled.wait(PATIENCE)
        return b""

    def both(self, requests: Any, context: Any) -> Any:
        """Say each twice."""
        for request in requests:
            yield request
            yield request


class GRPCTests(AcceptanceTestCase):
    """A gateway in front of a server of gRPC."""

    def setUp(self) -> None:
        super().setUp()
        self.methods = Methods()
        server = grpc.server(futures.ThreadPoolExecutor(8), handlers=[self.methods])
        backend = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self.server = server
        self.addCleanup(lambda: cast(threading.Event, server.stop(None)).wait())
        (self.port,) = free_ports(1)
        (self.folder / "etc").mkdir()
        text = filled(GATEWAY + SERVICE + ROUTE, http=self.port, name="api", protocol="GRPC", backend=backend)
        (self.folder / "etc" / "gw.yaml").write_text(text)
        self.gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", "--config", "etc", "--admin", "none")
        self.gateway.says("serving ")

    def call(self, client: Client, method: str, *messages: bytes) -> Answer:
        """Call a method as a client of HTTP/1.1 does that knows gRPC's messages."""
        headers = [("content-type", "application/grpc"), ("te", "trailers")]
        return client.ask("POST", f"/test/{method}", "api.example", headers, b"".join(map(message, messages)))

    def client(self) -> Client:
        """Connect."""
        client = Client(self.port)
        self.addCleanup(client.close)
        return client

    def test_unary(self) -> None:
        """A call and its answer, whose status is a trailer."""
        client = self.client()
        for data in (b"hello", os.urandom(3 << 20)):
            answer = self.call(client, "Echo", data)
            self.assertEqual((answer.status, answer.body), (200, message(data)))
            trailers = dict(answer.trailers)
            self.assertEqual((trailers["grpc-status"], trailers["sum"]), ("0", "7"))
        self.assertEqual(self.methods.metadata["x-forwarded-proto"], "http")

    def test_fails(self) -> None:
        """An error is a status with a message, by itself or behind a head."""
        answer = self.call(self.client(), "Fail", b"a")
        said = dict(answer.headers) | dict(answer.trailers)
        self.assertEqual((said["grpc-status"], said["grpc-message"]), ("5", "nothing here"))
        answer = self.call(self.client(), "Unknown", b"a")
        self.assertEqual((dict(answer.headers) | dict(answer.trailers))["grpc-status"], "12")

    def test_streams(self) -> None:
        """Many messages each way."""
        answer = self.call(self.client(), "Both", *(b"%d" % number for number in range(100)))
        self.assertEqual(answer.body, b"".join(message(b"%d" % number) * 2 for number in range(100)))

    def test_both_ways(self) -> None:
        """A message is answered while its stream goes on."""
        client = self.client()
        client.send(
            b"POST /test/Both HTTP/1.1\r\nHost: api.example\r\nContent-Type: application/grpc\r\nTE: trailers\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        found = b""
        for number in range(3):
            data = message(b"%d" % number)
            client.send(b"%x\r\n%b\r\n" % (len(data), data))
            while found.count(data) < 2:
                found += client.socket.recv(4096)
        client.send(b"0\r\n\r\n")
        while b"grpc-status: 0\r\n" not in found:
            found += client.socket.recv(4096)

    def test_cancelled(self) -> None:
        """The server learns that a client has gone; its connection serves others meanwhile."""
        client = Client(self.port)
        data = message(b"a")
        client.send(
            b"POST /test/Wait HTTP/1.1\r\nHost: api.example\r\nContent-Type: application/grpc\r\nTE: trailers\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(data), data)
        )
        self.assertEqual(self.call(self.client(), "Echo", b"b").body, message(b"b"))
        client.close()
        self.assertTrue(self.methods.cancelled.wait(PATIENCE))
        self.assertEqual(self.call(self.client(), "Echo", b"c").body, message(b"c"))

    def test_server_stops(self) -> None:
        """A server that stops says so: what it has begun it ends, and then there is none."""
        client = self.client()
        self.assertEqual(self.call(client, "Echo", b"a").status, 200)
        cast(threading.Event, self.server.stop(PATIENCE)).wait()
        self.assertEqual(self.call(client, "Echo", b"a").values("grpc-status"), ["14"])


class NginxTests(AcceptanceTestCase):
    """A gateway in front of nginx."""

    how, more, protocol, rule, most = "http2", "", "HTTP2", "", 1000

    def setUp(self) -> None:
        super().setUp()
        self.port, backend = free_ports(2)
        etc = self.folder / "etc"
        (etc / "certs").mkdir(parents=True)
        self.prepare()
        (self.folder / "files").mkdir()
        self.large = os.urandom(1 << 20) * 5
        (self.folder / "files" / "large").write_bytes(self.large)
        values = {"port": backend, "how": self.how, "more": self.more, "root": self.folder, "most": self.most}
        (self.folder / "nginx.conf").write_text(filled(NGINX, **values))
        self.start(program("nginx"), "-p", str(self.folder), "-c", "nginx.conf")
        text = filled(
            GATEWAY + SERVICE + ROUTE + self.rule, http=self.port, name="http", protocol=self.protocol, backend=backend
        )
        (etc / "gw.yaml").write_text(text)
        self.gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", "--config", "etc", "--admin", "none")
        self.gateway.says("serving ")
        self.listens(backend)

    def prepare(self) -> None:
        """Put into the folder what TLS needs."""

    def listens(self, port: int) -> None:
        """Wait for nginx."""
        for _ in range(1000):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            self.gateway.process.poll()
        raise AssertionError("nginx does not listen")

    def client(self) -> http.client.HTTPConnection:
        """Connect."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        self.addCleanup(client.close)
        return client

    def test_protocol(self) -> None:
        """HTTP/2 is spoken, on one connection or more."""
        client = self.client()
        for method in ("GET", "POST", "HEAD", "GET"):
            client.request(method, "/")
            answer = client.getresponse()
            body = b"" if method == "HEAD" else f"HTTP/2.0 {method}\n".encode()
            self.assertEqual((answer.status, answer.read()), (200, body))

    def test_large(self) -> None:
        """A large response is whole, for many at a time."""
        digest = sha256(self.large).hexdigest()
        found: list[str] = []

        def fetch() -> None:
            client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            for _ in range(3):
                client.request("GET", "/files/large")
                found.append(sha256(client.getresponse().read()).hexdigest())
            client.close()

        threads = [threading.Thread(target=fetch) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        self.assertEqual(found, [digest] * 24)

    def test_upload(self) -> None:
        """A large request is whole."""
        client = self.client()
        for number in range(3):
            client.request("PUT", f"/files/{number}", self.large)
            answer = client.getresponse()
            self.assertEqual((answer.status, answer.read()), (201, b""))
            self.assertEqual((self.folder / "files" / str(number)).read_bytes(), self.large)

    def test_early_answer(self) -> None:
        """A request that is answered before it is whole."""
        client = self.client()
        client.request("POST", "/", self.large[:500_000])
        self.assertEqual(client.getresponse().status, 200)


class FewRequestsTests(NginxTests):
    """One that says GOAWAY after three requests."""

    most = 3


class TLSTests(NginxTests):
    """With TLS, by a DestinationRule alone."""

    how = "ssl http2"
    more = "ssl_certificate etc/certs/a.example.crt; ssl_certificate_key etc/certs/a.example.key;"
    protocol = "HTTP"
    rule = UPGRADED

    def prepare(self) -> None:
        """Make certificates."""
        fill(self.folder / "etc" / "certs", ["a.example"])


class AgreedTests(TLSTests):
    """A backend that knows HTTP/1.1 only gets that, by ALPN."""

    how = "ssl"

    def test_protocol(self) -> None:
        """HTTP/1.1 is spoken."""
        client = self.client()
        for _ in range(3):
            client.request("GET", "/")
            self.assertEqual(client.getresponse().read(), b"HTTP/1.1 GET\n")
