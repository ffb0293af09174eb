"""Access logs that go to a collector, as clients, the collector and metrics see them."""

from __future__ import annotations

import re
import signal
import subprocess

from tests.acceptance.collector import Collector
from tests.acceptance.echo import EchoBackends
from tests.acceptance.manifests import EVERY_HOST, GATEWAY, filled
from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, Running, free_ports, program

ROUTES = (
    EVERY_HOST
    + """\
  - {name: direct, match: [{uri: {prefix: /direct}}], directResponse: {status: 418}}
  - {name: web, route: [{destination: {host: 127.0.0.1, port: {number: $backend}}}]}
"""
)

MESH = """\
---
apiVersion: mesh.istio.io/v1alpha1
kind: MeshConfig
metadata: {name: mesh}
spec:
  extensionProviders:
  - name: otel
    envoyOtelAls:
      service: collector.internal
      port: 4318
      logFormat:
        text: "%REQ(:METHOD)% %REQ(:PATH)%"
        labels: {code: "%RESPONSE_CODE%", flags: "%RESPONSE_FLAGS%", none: "%REQ(x-none)%"}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: collector, namespace: istio-system}
spec:
  hosts: [collector.internal]
  resolution: STATIC
  ports: [{number: 4318, name: http, protocol: HTTP, targetPort: $collector}]
  endpoints: [{address: 127.0.0.1}]
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: logs, namespace: istio-system}
spec:
  accessLogging:
  - providers: [{name: otel}]
    filter: {expression: "response.code >= 400"}
"""


class CollectedLogsTests(AcceptanceTestCase):
    """Lines as records of OpenTelemetry's."""

    def setUp(self) -> None:
        """Have a backend and a collector."""
        super().setUp()
        self.collector = Collector()
        self.addCleanup(self.collector.stop)
        backends = EchoBackends()
        self.addCleanup(backends.stop)
        self.http, self.admin = free_ports(2)
        self.ports = {"http": self.http, "backend": backends.open("one"), "collector": self.collector.port}
        (self.folder / "etc").mkdir()
        self.write(GATEWAY + ROUTES)

    def write(self, text: str) -> None:
        """Write the files."""
        (self.folder / "etc" / "gw.yaml").write_text(filled(text, **self.ports))

    def gateway(self, *options: str) -> Running:
        """Start the gateway."""
        command = ("twistd", "-n", "--pidfile=", "edgegate", "--config=etc", f"--admin=127.0.0.1:{self.admin}")
        gateway = self.start(*command, "--no-watch", *options)
        gateway.says("serving ")
        return gateway

    def curl(self, target: str, *options: str, port: int = 0) -> str:
        """Ask, and return what comes."""
        url = f"http://127.0.0.1:{port or self.http}{target}"
        command = [program("curl"), "-sS", *options, url]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE).stdout

    def test_option(self) -> None:
        """A line is in the trace of its request; a collector that refuses, or is gone, costs lines and nothing else."""
        url = f"http://127.0.0.1:{self.collector.port}"
        gateway = self.gateway(f"--access-log=otlp:{url}", f"--trace-otlp={url}", "--trace-sampling=100")
        self.curl("/a?b=c", "-A", "tester")
        (record,) = self.collector.wait_for_records(1)
        server, _ = self.collector.wait_for(2)
        self.assertEqual((record.trace_id, record.span_id, record.sampled), (server.trace_id, server.span_id, True))
        self.assertRegex(record.text, r'^\[20\S+Z\] "GET /a\?b=c HTTP/1\.1" 200 - via_upstream .* "tester" .* web$')
        self.assertEqual(record.resource["service.name"], "istio-ingressgateway.istio-system")
        self.assertEqual(record.resource["log_name"], "otel_envoy_accesslog")
        self.assertTrue(abs(record.began - server.started) < 10**9)
        self.collector.status = 503
        self.curl("/direct")
        gateway.says("the access log can't be sent to")
        self.collector.stop()
        for _ in range(5):
            self.assertEqual(self.curl("/direct", "-o", "/dev/null", "-w", "%{http_code}"), "418")
        text = self.curl("/metrics", port=self.admin)
        lost = re.search(r"^edgegate_access_log_dropped_total (\d+)", text, re.MULTILINE)
        assert lost is not None
        # those of afterwards may have been tried, too, where the machine is slow
        self.assertGreaterEqual(int(lost[1]), 1)
        self.assertEqual(gateway.stop(), 0)
        self.assertEqual(gateway.output.count("the access log can't be sent to"), 1)

    def test_files(self) -> None:
        """Telemetry chooses a collector of MeshConfig; each worker sends its own, also when a reload ends it."""
        self.write(GATEWAY + ROUTES + MESH)
        gateway = self.gateway("--workers=2")
        gateway.says("2 workers serve")
        for number in range(20):
            self.curl(f"/direct/{number}")
        self.curl("/")
        self.write(GATEWAY + ROUTES)
        gateway.process.send_signal(signal.SIGHUP)
        gateway.says("reloaded in")
        records = self.collector.wait_for_records(20)
        self.curl("/direct/later")
        self.assertEqual(gateway.stop(), 0)
        self.assertEqual([each.text for each in records], [f"GET /direct/{number}" for number in range(20)])
        self.assertEqual([each.said for each in records], [{"code": "418", "flags": "-", "none": "-"}] * 20)
        self.assertEqual([each.trace_id for each in records], [""] * 20)
        self.assertEqual(len(self.collector.records), 20)
        self.assertIn("GET /direct/later", gateway.output)
