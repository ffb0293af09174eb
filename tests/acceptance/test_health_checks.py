"""Probes of real backends: gRPC's own server with its service for health, in the clear and with TLS, and nginx."""

from __future__ import annotations

import threading
from concurrent import futures
from typing import Any, cast

import grpc

from edgegate.demo.certificates import fill
from tests.acceptance.manifests import EVERY_HOST, GATEWAY, filled
from tests.acceptance.processes import AcceptanceTestCase, free_ports, program

SERVICE = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api}
spec:
  hosts: [api.example]
  resolution: STATIC
  ports: [{number: 80, name: $name, targetPort: $backend}]
  workloadSelector: {labels: {app: api}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: api, labels: {app: api}}
spec: {address: 127.0.0.1}
---
apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata: {name: api}
spec:
  metadata: {labels: {app: api}}
  template: {}
  probe: {$probe, periodSeconds: 1, failureThreshold: 1}
---
"""

ROUTE = EVERY_HOST + "  - route: [{destination: {host: api.example}}]\n"

TLS = """\
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: api}
spec:
  host: api.example
  trafficPolicy:
    tls: {mode: SIMPLE, sni: a.example, caCertificates: certs/ca.crt}
"""

SERVING, NOT_SERVING = b"\x08\1", b"\x08\2"

NGINX = """\
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {}
http {
  log_format short "$$server_protocol $$http_user_agent $$request_uri $$status";
  access_log probes.log short;
  server {
    listen 127.0.0.1:$port http2;
    location = /healthz { return 204; }
    location / { return 500; }
  }
}
"""


class Health(grpc.GenericRpcHandler):
    """A server's C{grpc.health.v1.Health}, in bytes."""

    def __init__(self) -> None:
        self.services = {b"\n\4shop": SERVING}
        self.asked: list[dict[str, str | bytes]] = []
        self.remaining: list[float] = []

    def service(self, details: Any) -> Any:
        """Return a method."""
        if details.method != "/grpc.health.v1.Health/Check":
            return None
        self.asked.append(dict(details.invocation_metadata))
        return grpc.unary_unary_rpc_method_handler(self.check)

    def check(self, request: bytes, context: Any) -> bytes:
        """Say how a service is."""
        self.remaining.append(context.time_remaining())
        if request not in self.services:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
        return self.services[request]


class HealthCheckTests(AcceptanceTestCase):
    """A gateway that asks a backend for its health."""

    def setUp(self) -> None:
        super().setUp()
        self.health = Health()
        (self.port,) = free_ports(1)
        self.etc = self.folder / "etc"
        (self.etc / "certs").mkdir(parents=True)

    def server(self, *handlers: grpc.GenericRpcHandler, tls: bool = False) -> tuple[Any, int]:
        """Start a server of gRPC."""
        server = grpc.server(futures.ThreadPoolExecutor(8), handlers=handlers)
        if tls:
            fill(self.etc / "certs", ["a.example"])
            pair = tuple((self.etc / "certs" / f"a.example.{kind}").read_bytes() for kind in ("key", "crt"))
            port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
        else:
            port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self.addCleanup(lambda: cast(threading.Event, server.stop(None)).wait())
        return server, port

    def serve(self, backend: int, probe: str, name: str = "grpc", rule: str = "") -> None:
        """Start the gateway."""
        values = {"http": self.port, "name": name, "backend": backend, "probe": probe}
        (self.etc / "gw.yaml").write_text(filled(GATEWAY + SERVICE + ROUTE + rule, **values))
        self.gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", "--config", "etc", "--admin", "none")
        self.gateway.says("serving ")

    def test_grpc(self) -> None:
        """It hears when a service is not served, is again, and is not known; and when the server leaves."""
        server, backend = self.server(self.health)
        self.serve(backend, f"grpc: {{port: {backend}, service: shop}}")
        said = f"endpoint 127.0.0.1:{backend} is"
        self.gateway.says(f"{said} healthy: it answers")
        self.health.services[b"\n\4shop"] = NOT_SERVING
        self.gateway.says(f"{said} unhealthy: it answers NOT_SERVING")
        self.health.services[b"\n\4shop"] = SERVING
        self.gateway.says(f"{said} healthy", 2)
        del self.health.services[b"\n\4shop"]
        self.gateway.says(f"{said} unhealthy: it answers gRPC status 5")
        self.assertEqual(self.health.asked[0]["user-agent"], "edgegate-probe")
        self.assertTrue(all(0 < left <= 1 for left in self.health.remaining), self.health.remaining)
        self.health.services[b"\n\4shop"] = SERVING
        self.gateway.says(f"{said} healthy", 3)
        cast(threading.Event, server.stop(None)).wait()
        self.gateway.says(f"{said} unhealthy", 3)

    def test_unimplemented(self) -> None:
        """A server of gRPC that has no service for health is not well."""
        _, backend = self.server()
        self.serve(backend, f"grpc: {{port: {backend}}}")
        self.gateway.says(f"endpoint 127.0.0.1:{backend} is unhealthy: it answers gRPC status 12")

    def test_grpc_over_tls(self) -> None:
        """A server that requests reach with TLS is asked with TLS."""
        _, backend = self.server(self.health, tls=True)
        self.serve(backend, f"grpc: {{port: {backend}, service: shop}}", rule=TLS)
        self.gateway.says(f"endpoint 127.0.0.1:{backend} is healthy: it answers")
        self.health.services[b"\n\4shop"] = NOT_SERVING
        self.gateway.says(f"endpoint 127.0.0.1:{backend} is unhealthy: it answers NOT_SERVING")

    def test_http2(self) -> None:
        """A port that speaks HTTP/2 by its name is asked by it: this one knows nothing else."""
        for path, words in (("/healthz", "healthy: it answers"), ("/", "unhealthy: it answers 500")):
            (backend,) = free_ports(1)
            (self.folder / "nginx.conf").write_text(filled(NGINX, port=backend))
            nginx = self.start(program("nginx"), "-p", str(self.folder), "-c", "nginx.conf")
            self.serve(backend, f"httpGet: {{port: {backend}, path: {path}}}", name="http2-api")
            self.gateway.says(f"endpoint 127.0.0.1:{backend} is {words}")
            self.gateway.stop()
            nginx.stop()
            self.assertIn(f"HTTP/2.0 edgegate-probe {path} ", (self.folder / "probes.log").read_text())
