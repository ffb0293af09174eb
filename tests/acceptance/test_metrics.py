"""What a gateway counts, against traffic whose numbers are known: by the names and labels that boards ask for."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from tests.acceptance.known_traffic import CLUSTER, WEB, KnownTraffic
from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, Running, free_ports
from tests.acceptance.scraping import Scrape
from tests.acceptance.test_workers import processes, title

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


class MetricsTestCase(AcceptanceTestCase):
    """Tests of a gateway that is asked for this and that."""

    workers = 1
    options: ClassVar[Sequence[str]] = ()

    def setUp(self) -> None:
        super().setUp()
        self.admin, self.metrics = free_ports(2)
        self.traffic = KnownTraffic()
        self.addCleanup(self.traffic.stop)
        (self.folder / "etc").mkdir()
        (self.folder / "etc" / "gw.yaml").write_text(self.traffic.files)
        self.gateway = self.serve()

    def serve(self) -> Running:
        """Start the gateway."""
        options = ["--config", "etc", "--admin", f"127.0.0.1:{self.admin}", "--workers", str(self.workers)]
        options += ["--metrics-listen", f"127.0.0.1:{self.metrics}", *self.options]
        logged = ["--access-log", "-", "--access-log-format", "json", "--no-watch"]
        gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", *options, *logged)
        gateway.says("serving TCP")
        return gateway

    def scraped(self, requests: int, relays: int = 1) -> Scrape:
        """Return what is counted once that many requests and relays have ended, as the access log tells."""
        self.gateway.says('"response_code"', requests + relays)
        found = Scrape(self.admin)
        ended = found.sum("istio_requests_total"), found.sum("istio_tcp_connections_closed_total")
        self.assertEqual(ended, (requests, relays))
        return found

    def not_fallen(self, before: Scrape, after: Scrape) -> None:
        """No counter is less than it was."""
        now = after.counters()
        for key, value in before.counters().items():
            self.assertGreaterEqual(now.get(key, -1.0), value, key)


class OptionsTests(MetricsTestCase):
    """One that is told how to call things, and to tell no more than one cluster apart."""

    options = ("--metrics-tags=istio", "--metrics-hosts=1", "--metrics-workload=edge")

    def test_options(self) -> None:
        """Envoy's metrics have the labels of Istio's gateways, and all clusters but one are counted as other."""
        counts = self.traffic.some_of_each()
        scrape = self.scraped(sum(counts.values()))
        self.assertEqual({each["source_workload"] for each in scrape.of("istio_requests_total")}, {"edge"})
        services = {each["destination_service"] for each in scrape.of("istio_requests_total")}
        self.assertEqual(len(services - {"unknown", "other"}), 1)
        self.assertLessEqual({"unknown", "other"}, services)
        (told_apart,) = services - {"unknown", "other"}
        own = sum(number for (service, _, _), number in counts.items() if service == told_apart)
        rest = sum(number for (service, _, _), number in counts.items() if service not in (told_apart, "unknown"))
        for service, number in ((told_apart, own), ("other", rest)):
            self.assertEqual(scrape.sum("istio_requests_total", destination_service=service), number, service)
        classes = {"cluster_name", "response_code_class"}
        clusters = {labels["cluster_name"] for _, labels, _ in scrape.samples if classes <= set(labels)}
        self.assertLessEqual({f"outbound|80||{told_apart}", "other"}, clusters)
        self.assertLessEqual(clusters, {f"outbound|80||{told_apart}", "other", "unknown"})
        self.assertIn('response_code_class="2xx"', scrape.text)
        self.assertFalse(
            [labels for _, labels, _ in scrape.samples if any(name.startswith("envoy_") for name in labels)]
        )


class MetricsTests(MetricsTestCase):
    """A gateway with the defaults."""

    def test_counts(self) -> None:
        """Every request is counted once, by whom it was for and what came of it, as the access log has it."""
        counts = self.traffic.some_of_each()
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
        lines = [json.loads(line) for line in self.gateway.lines if line.startswith("{")]
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

    def test_envoy(self) -> None:
        """What Envoy counts of clusters and ports is there, and agrees."""
        counts = self.traffic.some_of_each()
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
        self.traffic.get("/web")
        before = self.scraped(1, 0)
        files = self.folder / "etc" / "gw.yaml"
        files.write_text(files.read_text().replace("no coffee", "no tea"))
        reloaded = self.ask("edgegate", "reload", "--admin", f"127.0.0.1:{self.admin}")
        self.assertEqual(reloaded.returncode, 0, reloaded.stdout + reloaded.stderr)
        self.traffic.get("/web")
        after = self.scraped(2, 0)
        self.not_fallen(before, after)
        self.assertEqual(after.sum("istio_requests_total", destination_service=WEB), 2)
        self.assertEqual(after.sum("edgegate_reloads_total", outcome="installed"), 2)

    def test_telemetry(self) -> None:
        """Files give a metric other labels, and leave one out, from a reload on; the sums stay."""
        self.traffic.get("/web")
        self.scraped(1, 0)
        (self.folder / "etc" / "telemetry.yaml").write_text(TELEMETRY)
        reloaded = self.ask("edgegate", "reload", "--admin", f"127.0.0.1:{self.admin}")
        self.assertIn("metrics added (telemetry.yaml:7)", reloaded.stdout)
        for path, method in (("/web", "GET"), ("/web", "POST"), ("/said", "GET"), ("/none", "GET")):
            self.traffic.get(path, method)
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
        with socket.create_connection(("127.0.0.1", self.traffic.tcp), PATIENCE) as client:
            for number in range(1, 3):
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                client.recv(65536)
                scrape = Scrape(self.admin)
                self.assertEqual(scrape.sum("istio_tcp_received_bytes_total"), number * 27)
                self.assertEqual(
                    scrape.sum("envoy_tcp_downstream_cx_rx_bytes_total", envoy_tcp_prefix=CLUSTER), number * 27
                )
            self.assertEqual(scrape.sum("istio_tcp_connections_opened_total"), 1)
            self.assertEqual(scrape.sum("istio_tcp_connections_closed_total"), 0)
            self.assertEqual(scrape.sum("envoy_tcp_downstream_cx_total", envoy_tcp_prefix=CLUSTER), 1)
            self.assertEqual(scrape.sum("envoy_cluster_upstream_cx_active", envoy_cluster_name=CLUSTER), 1)


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
            self.traffic.get("/web")
        before = self.scraped(20, 0)
        workers = [pid for pid in self.pids() if title(pid) == "edgegate worker"]
        self.assertEqual(len(workers), 2)
        for number, worker in enumerate(workers, 1):
            os.kill(worker, signal.SIGKILL)
            self.gateway.says("is gone", number)
            self.not_fallen(before, Scrape(self.admin))
        self.gateway.says("serves again", 2)
        self.assertEqual(Scrape(self.admin).sum("envoy_server_concurrency"), 2)
        self.assertEqual(self.traffic.get("/web"), 200)
        self.not_fallen(before, self.scraped(21, 0))

    def pids(self) -> list[int]:
        """Return all processes of the gateway."""
        found = [self.gateway.process.pid]
        for each in found:
            found += processes(each)
        return found
