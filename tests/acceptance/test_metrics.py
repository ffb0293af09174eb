"""What a gateway counts, against traffic whose numbers are known: by the names and labels that boards ask for."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any, cast
from unittest import skipUnless
from urllib.parse import urlencode

import grpc

from tests.acceptance.istio_boards import ENVOY, QUERIES
from tests.acceptance.manifests import filled
from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, Running, free_ports
from tests.acceptance.scraping import Scrape
from tests.acceptance.test_http2_backends import Methods
from tests.acceptance.test_workers import processes, title
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

TELEMETRY = """\
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: metrics, namespace: istio-system}
spec:
  metrics:
  - overrides:
    - match: {metric: REQUEST_COUNT}
      tagOverrides:
        response_code: {operation: REMOVE}
        request_method: {value: request.method}
        team: {value: "'edge'"}
    - match: {metric: RESPONSE_SIZE}
      disabled: true
"""

WEB = "web.shop.svc.cluster.local"
CLUSTER = f"outbound|80||{WEB}"
STILL = 0.2
"""Seconds between two looks."""


class MetricsTests(AcceptanceTestCase):
    """A gateway that is asked for this and that."""

    workers = 1

    def setUp(self) -> None:
        super().setUp()
        self.http, self.tcp, self.admin, self.metrics, gone = free_ports(5)
        self.traffic = Traffic()
        self.addCleanup(self.traffic.stop)
        server = grpc.server(ThreadPoolExecutor(4), handlers=[Methods()])
        api = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self.addCleanup(lambda: cast(threading.Event, server.stop(None)).wait())
        backend = self.traffic.backend(b"hello")
        ports = {"http": self.http, "tcp": self.tcp, "backend": backend, "gone": gone, "api": api}
        (self.folder / "etc").mkdir()
        (self.folder / "etc" / "gw.yaml").write_text(filled(FILES, **ports))
        self.gateway = self.serve()

    def serve(self) -> Running:
        """Start the gateway."""
        options = ["--config", "etc", "--admin", f"127.0.0.1:{self.admin}", "--workers", str(self.workers)]
        options += ["--metrics-listen", f"127.0.0.1:{self.metrics}"]
        logged = ["--access-log", "access.log", "--access-log-format", "json", "--no-watch"]
        gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", *options, *logged)
        gateway.says("serving TCP")
        return gateway

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

    def relay(self, port: int) -> int:
        """Have a request relayed; return how many bytes came back."""
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
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
                self.assertEqual(self.get(path), status)
                counts[services.get(path, "unknown"), str(status), ""] += 1
        self.assertEqual(self.get("/gone"), 503)
        counts["gone.internal", "503", ""] += 1
        self.assertEqual(self.get("/web", "POST", b"x" * 3000), 200)
        counts[WEB, "200", ""] += 1
        for method, status, stream in (("/test/Echo", "0", 0), ("/test/Fail", "5", 0), ("/test/Both", "0", 5)):
            self.call(method, stream)
            counts["api.internal", "200", status] += 1
        self.relay(self.tcp)
        return dict(counts)

    def scraped(self, requests: int, relays: int = 1) -> Scrape:
        """Return what is counted once that many requests and relays have ended."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = Scrape(self.admin)
            ended = found.sum("istio_requests_total"), found.sum("istio_tcp_connections_closed_total")
            if ended >= (requests, relays) or time.monotonic() > deadline:
                self.assertEqual(ended, (requests, relays))
                return found
            time.sleep(STILL)

    def test_counts(self) -> None:
        """Every request is counted once, by whom it was for and what came of it, as the access log has it."""
        counts = self.some_of_each()
        scrape = self.scraped(sum(counts.values()))
        labels = ("destination_service", "response_code", "grpc_response_status")
        found = {
            tuple(each[name] for name in labels): value
            for name, each, value in scrape.samples
            if name == "istio_requests_total"
        }
        self.assertEqual(found, counts)
        web = {"destination_service": WEB, "destination_workload": "web-1", "destination_version": "v1"}
        self.assertEqual(scrape.sum("istio_requests_total", destination_service_name="web", **web), 3)
        self.assertEqual(scrape.sum("istio_response_bytes_sum", **web), 3 * len("hello"))
        self.assertEqual(scrape.sum("istio_request_duration_milliseconds_bucket", le="+Inf", **web), 3)
        self.assertEqual(scrape.sum("istio_requests_total", request_protocol="grpc"), 3)
        self.assertEqual(scrape.sum("istio_requests_total", response_flags="NR"), 5)
        self.assertEqual(scrape.sum("istio_request_messages_total"), 7)
        self.assertEqual(scrape.sum("istio_response_messages_total"), 1 + 10)
        self.assertEqual(scrape.sum("istio_tcp_received_bytes_total", **web), len(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
        self.assertGreater(scrape.sum("istio_tcp_sent_bytes_total", **web), len("hello"))
        self.gateway.stop()
        lines = [json.loads(line) for line in (self.folder / "access.log").read_text().splitlines()]
        # a backend may answer before a body has come
        for name, field in (("request", "bytes_received"), ("response", "bytes_sent")):
            logged_bytes = sum(line[field] for line in lines if line["method"])
            self.assertEqual(scrape.sum(f"istio_{name}_bytes_sum"), logged_bytes)
        logged = Counter(str(line["response_code"]) for line in lines if line["method"])
        counted: Counter[str] = Counter()
        for (_, code, _), count in counts.items():
            counted[code] += count
        self.assertEqual(logged, counted)
        self.assertEqual(sum(not line["method"] for line in lines), 1)

    def test_boards(self) -> None:
        """Each query of Istio's boards that concerns a gateway finds its series, with its labels; so do Envoy's."""
        counts = self.some_of_each()
        scrape = self.scraped(sum(counts.values()))
        for name, queries in QUERIES.items():
            series = scrape.of(name)
            self.assertTrue(series, name)
            for labels in queries:
                for each in series:
                    self.assertLessEqual(set(labels), set(each), f"{name} by {labels}")
        for name in ENVOY:
            self.assertTrue(any(each.startswith(name) for each, _, _ in scrape.samples) or name in ELSEWHERE, name)
        self.assertEqual({each["reporter"] for each in scrape.of("istio_requests_total")}, {"source"})
        self.assertEqual(scrape.of("istio_build")[0]["component"], "proxy")

    def test_envoy(self) -> None:
        """What Envoy counts of clusters and ports is there, and agrees."""
        counts = self.some_of_each()
        scrape = self.scraped(sum(counts.values()))
        self.assertEqual(scrape.sum("envoy_cluster_upstream_rq_total", envoy_cluster_name=CLUSTER), 3)
        rq_xx = {"envoy_cluster_name": CLUSTER, "envoy_response_code_class": "2"}
        self.assertEqual(scrape.sum("envoy_cluster_upstream_rq_xx", **rq_xx), 3)
        self.assertEqual(scrape.sum("envoy_cluster_membership_healthy", envoy_cluster_name=CLUSTER), 1)
        gone = {"envoy_cluster_name": "outbound|80||gone.internal"}
        self.assertEqual(scrape.sum("envoy_cluster_upstream_cx_connect_fail", **gone), 3)
        self.assertEqual(scrape.sum("envoy_cluster_upstream_rq_retry", **gone), 2)
        self.assertEqual(scrape.sum("envoy_http_downstream_rq_total"), sum(counts.values()))
        self.assertEqual(scrape.sum("envoy_http_no_route"), 5)
        self.assertEqual(scrape.sum("envoy_server_live"), 1)
        self.assertEqual(scrape.sum("envoy_server_concurrency"), self.workers)
        self.assertEqual(scrape.sum("edgegate_last_reload_successful"), 1)

    def test_reload(self) -> None:
        """No counter falls by a reload, and what a request on new files does is added to it."""
        self.get("/web")
        before = self.scraped(1, 0)
        files = self.folder / "etc" / "gw.yaml"
        files.write_text(files.read_text().replace("no coffee", "no tea"))
        reloaded = self.ask("edgegate", "reload", "--admin", f"127.0.0.1:{self.admin}")
        self.assertEqual(reloaded.returncode, 0, reloaded.stdout + reloaded.stderr)
        self.get("/web")
        after = self.scraped(2, 0)
        self.not_fallen(before, after)
        self.assertEqual(after.sum("istio_requests_total", destination_service=WEB), 2)
        self.assertEqual(after.sum("edgegate_reloads_total", outcome="installed"), 2)

    def test_telemetry(self) -> None:
        """Files give a metric other labels, and leave one out, from a reload on; the sums stay."""
        self.get("/web")
        self.scraped(1, 0)
        (self.folder / "etc" / "telemetry.yaml").write_text(TELEMETRY)
        reloaded = self.ask("edgegate", "reload", "--admin", f"127.0.0.1:{self.admin}")
        self.assertIn("metrics added (telemetry.yaml:7)", reloaded.stdout)
        for path, method in (("/web", "GET"), ("/web", "POST"), ("/said", "GET"), ("/none", "GET")):
            self.get(path, method)
        found = self.scraped(5, 0)
        name = "istio_requests_total"
        self.assertEqual(found.sum(name, destination_service=WEB, request_method="POST", team="edge"), 1)
        self.assertEqual(found.sum(name, destination_service=WEB, request_method="unknown"), 1)
        self.assertEqual(found.sum(name, destination_service="unknown", request_method="GET"), 2)
        self.assertFalse(any("response_code" in labels for labels in found.of(name)))
        self.assertEqual(found.of("istio_response_bytes_count"), [])
        duration = "istio_request_duration_milliseconds_count"
        self.assertEqual(found.sum(duration, destination_service=WEB, response_code="200"), 3)
        self.assertEqual(len(found.of(duration)), 3)

    def test_long_relay(self) -> None:
        """What a relay carries is counted while it lasts."""
        with socket.create_connection(("127.0.0.1", self.tcp), PATIENCE) as client:
            for number in range(1, 3):
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                client.recv(65536)
                scrape = Scrape(self.admin)
                self.assertEqual(scrape.sum("istio_tcp_received_bytes_total"), number * 27)
            self.assertEqual(scrape.sum("istio_tcp_connections_opened_total"), 1)
            self.assertEqual(scrape.sum("istio_tcp_connections_closed_total"), 0)
            self.assertEqual(scrape.sum("envoy_cluster_upstream_cx_active", envoy_cluster_name=CLUSTER), 1)

    def not_fallen(self, before: Scrape, after: Scrape) -> None:
        """No counter is less than it was."""
        now = after.counters()
        for key, value in before.counters().items():
            self.assertGreaterEqual(now.get(key, -1.0), value, key)


ELSEWHERE = (
    # one for each certificate of each listener; the days until the first ends are in envoy_server_*
    "envoy_listener_ssl_certificate_expiration_unix_time_seconds",
    # of relays Istio's own are counted
    "envoy_tcp_downstream_cx_rx_bytes_total",
    "envoy_tcp_downstream_cx_total",
    "envoy_tcp_downstream_cx_tx_bytes_total",
)
"""Names that edgegate has not."""


class WorkersMetricsTests(MetricsTests):
    """The same of two workers."""

    workers = 2

    def serve(self) -> Running:
        """Start the gateway, with both its workers."""
        gateway = super().serve()
        gateway.says("2 workers serve")
        return gateway

    def test_killed(self) -> None:
        """Of a worker that is killed what it has counted stays."""
        for _ in range(20):
            self.get("/web")
        before = self.scraped(20, 0)
        workers = [pid for pid in self.pids() if title(pid) == "edgegate worker"]
        self.assertEqual(len(workers), 2)
        for number, worker in enumerate(workers, 1):
            os.kill(worker, signal.SIGKILL)
            self.gateway.says("is gone", number)
            self.not_fallen(before, Scrape(self.admin))
        deadline = time.monotonic() + PATIENCE
        while Scrape(self.admin).sum("envoy_server_concurrency") < 2:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(STILL)
        self.assertEqual(self.get("/web"), 200)
        self.not_fallen(before, self.scraped(21, 0))

    def pids(self) -> list[int]:
        """Return all processes of the gateway."""
        found = [self.gateway.process.pid]
        for each in found:
            found += processes(each)
        return found

    @skipUnless(shutil.which("prometheus"), "prometheus is not installed")
    def test_prometheus(self) -> None:
        """A real Prometheus scrapes two workers under load, and its sums are what the clients have counted."""
        (port,) = free_ports(1)
        job = {"job_name": "edge", "static_configs": [{"targets": [f"localhost:{self.metrics}"]}]}
        config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [{**job, "metrics_path": "/stats/prometheus"}]}
        (self.folder / "prometheus.yml").write_text(json.dumps(config))
        options = ["--config.file=prometheus.yml", f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.path=data"]
        prometheus = self.start("prometheus", *options)
        prometheus.says("Server is ready")
        self.prometheus = port
        # it looks for what there is to scrape some seconds after its start
        self.until("max(up)", 1)
        until = time.monotonic() + 5
        counts: Counter[int] = Counter()

        def load(path: str) -> None:
            while time.monotonic() < until:
                counts[self.get(path)] += 1

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(load, ("/web", "/web", "/none", "/said")))
        total = sum(counts.values())
        self.assertGreater(total, 100)
        self.until("sum(istio_requests_total)", total)
        for status, count in counts.items():
            self.assertEqual(self.query(f'sum(istio_requests_total{{response_code="{status}"}})'), count)
        buckets = 'sum(istio_request_duration_milliseconds_bucket{le="+Inf",reporter=~"source|waypoint"})'
        self.assertEqual(self.query(buckets), total)
        self.assertEqual(self.query("sum(envoy_http_downstream_rq_total)"), total)
        self.assertEqual(self.query("min(up)"), 1)
        self.assertGreater(self.query("max(count_over_time(istio_build[1m]))"), 3)

    def until(self, text: str, value: float) -> None:
        """Wait until Prometheus makes this of a query."""
        deadline = time.monotonic() + PATIENCE
        while (found := self.query(text)) != value:
            self.assertLess(time.monotonic(), deadline, f"{text} is {found}, not {value}")
            time.sleep(STILL)

    def query(self, text: str) -> float:
        """Return what Prometheus makes of a query; -1: nothing."""
        connection = HTTPConnection("127.0.0.1", self.prometheus, timeout=PATIENCE)
        connection.request("GET", "/api/v1/query?" + urlencode({"query": text}))
        found: Any = json.loads(connection.getresponse().read())
        connection.close()
        self.assertEqual(found["status"], "success", found)
        result = found["data"]["result"]
        return float(result[0]["value"][1]) if result else -1.0
