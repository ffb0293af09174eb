"""Files, backends and clients of which it is known what a gateway is to count."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import cast

import grpc

from tests.acceptance.manifests import filled
from tests.acceptance.processes import PATIENCE, free_ports
from tests.acceptance.test_http2_backends import Methods
from tests.acceptance.traffic import Traffic

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  servers:
  - {port: {number: $http, name: http, protocol: HTTP}, hosts: ["*"]}
  - {port: {number: $tcp, name: tcp, protocol: TCP}, hosts: ["*"]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: ["*"]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /old}}]
    redirect: {uri: /new}
  - match: [{uri: {prefix: /said}}]
    directResponse: {status: 418, body: {string: "no coffee"}}
  - match: [{uri: {prefix: /gone}}]
    route: [{destination: {host: gone.internal, port: {number: 80}}}]
  - match: [{uri: {prefix: /test}}]
    route: [{destination: {host: api.internal, port: {number: 80}}}]
  - match: [{uri: {prefix: /web}}]
    route: [{destination: {host: web.shop.svc.cluster.local, port: {number: 80}}}]
  tcp:
  - match: [{port: $tcp}]
    route: [{destination: {host: web.shop.svc.cluster.local, port: {number: 80}}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web, namespace: shop}
spec:
  hosts: [web.shop.svc.cluster.local]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: $backend}]
  workloadSelector: {labels: {app: web}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: web-1, namespace: shop}
spec: {address: 127.0.0.1, labels: {app: web, version: v1}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: gone}
spec:
  hosts: [gone.internal]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: $gone}]
  endpoints: [{address: 127.0.0.1}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api}
spec:
  hosts: [api.internal]
  resolution: STATIC
  ports: [{number: 80, name: grpc, protocol: GRPC, targetPort: $api}]
  endpoints: [{address: 127.0.0.1}]
"""

WEB = "web.shop.svc.cluster.local"
CLUSTER = f"outbound|80||{WEB}"


class KnownTraffic:
    """
    Backends, which live until L{stop}, and clients.

    @ivar files: What the gateway is to serve.
    @ivar http: Its port for HTTP, and C{tcp} that for TCP.
    """

    def __init__(self) -> None:
        self.http, self.tcp, gone = free_ports(3)
        self._backends = Traffic()
        self._server = grpc.server(ThreadPoolExecutor(4), handlers=[Methods()])
        api = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        backend = self._backends.backend(b"hello")
        self.files = filled(FILES, http=self.http, tcp=self.tcp, backend=backend, gone=gone, api=api)

    def stop(self) -> None:
        """End the backends."""
        cast(threading.Event, self._server.stop(None)).wait()
        self._backends.stop()

    def get(self, path: str, method: str = "GET", body: bytes | None = None) -> int:
        """Ask on a connection of its own; return the status."""
        connection = HTTPConnection("127.0.0.1", self.http, timeout=PATIENCE)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            response.read()
            return response.status
        finally:
            connection.close()

    def relay(self) -> int:
        """Have a request relayed; return how many bytes came back."""
        with socket.create_connection(("127.0.0.1", self.tcp), PATIENCE) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            return len(client.recv(65536))

    def call(self, method: str, stream: int = 0) -> None:
        """Call the gRPC service, with so many messages where it is a stream."""
        with grpc.insecure_channel(f"127.0.0.1:{self.http}") as channel:
            try:
                if stream:
                    messages = iter([b"%d" % number for number in range(stream)])
                    list(channel.stream_stream(method)(messages, timeout=PATIENCE))
                else:
                    channel.unary_unary(method)(b"x", timeout=PATIENCE)
            except grpc.RpcError:
                pass

    def some_of_each(self) -> dict[tuple[str, str, str], int]:
        """Make traffic; return how many requests there were by service, code and status of gRPC."""
        expected = [(path, status) for path, status in (("/web", 200), ("/old", 301), ("/said", 418), ("/none", 404))]
        services = {"/web": WEB}
        counts: Counter[tuple[str, str, str]] = Counter()
        for number, (path, status) in enumerate(expected, 2):
            for _ in range(number):
                assert self.get(path) == status, path
                counts[services.get(path, "unknown"), str(status), ""] += 1
        assert self.get("/gone") == 503
        counts["gone.internal", "503", ""] += 1
        assert self.get("/web", "POST", b"x" * 3000) == 200
        counts[WEB, "200", ""] += 1
        for method, status, stream in (("/test/Echo", "0", 0), ("/test/Fail", "5", 0), ("/test/Both", "0", 5)):
            self.call(method, stream)
            counts["api.internal", "200", status] += 1
        self.relay()
        return dict(counts)
