"""Traces from end to end: clients, the gateway, backends that tell what they got, and a collector."""

from __future__ import annotations

import secrets
import signal
import ssl
import subprocess
import threading
from collections.abc import Sequence
from concurrent import futures
from typing import Any, cast
from urllib.request import Request, urlopen

import grpc
import websockets.sync.client
import websockets.sync.server
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from websockets.sync.server import ServerConnection

from edgegate.demo.certificates import fill
from tests.acceptance.collector import Collector, Seen
from tests.acceptance.echo import EchoBackends
from tests.acceptance.manifests import GATEWAY, filled, static_service
from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, Running, free_ports, program
from tests.acceptance.served import Answer, Client
from tests.acceptance.test_http2_backends import Methods

FILES = (
    GATEWAY
    + static_service("web", "web.example", "one")
    + static_service("both", "both.example", "one", "two")
    + static_service("api", "api.example", "api", protocol="GRPC")
    + """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: ["*"]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /retry}}]
    retries: {attempts: 3, retryOn: "5xx", backoff: 1ms}
    route: [{destination: {host: both.example}}]
  - match: [{uri: {prefix: /test/}}]
    route: [{destination: {host: api.example}}]
  - match: [{uri: {exact: /socket}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $socket}}}]
  - match: [{uri: {exact: /direct}}]
    directResponse: {status: 200}
  - route: [{destination: {host: web.example}}]
"""
)


DECLARED = """\
---
apiVersion: mesh.istio.io/v1alpha1
kind: MeshConfig
metadata: {name: mesh}
spec:
  extensionProviders:
  - {name: otel, opentelemetry: {service: localhost, port: $collector, http: {path: /v1/traces}}}
  - {name: zipkin, zipkin: {service: spans.example, port: 9411}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: spans}
spec:
  hosts: [spans.example]
  resolution: STATIC
  ports: [{number: 9411, name: http}]
  endpoints: [{address: 127.0.0.1, ports: {http: $collector}}]
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: traces, namespace: istio-system}
spec:
  tracing:
  - providers: [{name: $provider}]
    randomSamplingPercentage: $sampling
    customTags: {tenant: {header: {name: X-Tenant, defaultValue: none}}, round: {literal: {value: "$round"}}}
"""


def exemplars(port: int) -> set[str]:
    """Return the traces that the metrics of a gateway show, as OpenMetrics has them."""
    asked = Request(f"http://127.0.0.1:{port}/metrics", headers={"accept": "application/openmetrics-text"})
    with urlopen(asked, timeout=PATIENCE) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        samples = [sample for family in families for sample in family.samples]
    return {sample.exemplar.labels["trace_id"] for sample in samples if sample.exemplar is not None}


def new_trace() -> tuple[str, str]:
    """Return the ids of a trace and of the client's span in it."""
    return secrets.token_hex(16), secrets.token_hex(8)


class TracingTestCase(AcceptanceTestCase):
    """A gateway with backends and a collector."""

    def setUp(self) -> None:
        """Start the backends and the collector."""
        super().setUp()
        self.collector = self.collect()
        self.backends = EchoBackends()
        self.addCleanup(self.backends.stop)
        self.methods = Methods()
        server = grpc.server(futures.ThreadPoolExecutor(8), handlers=[self.methods])
        api = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self.addCleanup(lambda: cast(threading.Event, server.stop(None)).wait())
        self.port, self.socket_port = free_ports(2)
        (self.folder / "etc").mkdir()
        self.ports = {
            "http": self.port,
            "collector": self.collector.port,
            "one": self.backends.open("one"),
            "two": self.backends.open("two"),
            "api": api,
            "socket": self.socket_port,
        }
        (self.folder / "etc" / "gw.yaml").write_text(filled(FILES, **self.ports))

    def collect(self, tls: ssl.SSLContext | None = None) -> Collector:
        """Start a collector."""
        collector = Collector(tls)
        self.addCleanup(collector.stop)
        return collector

    def serve(self, *options: str, before: Sequence[str] = ()) -> Running:
        """
        Start the gateway.

        @param before: What stands before its command.
        """
        gateway = self.start(
            *before,
            "twistd",
            "-n",
            "--pidfile=",
            "edgegate",
            "--config=etc",
            "--admin=none",
            "--access-log=access.log",
            *options,
        )
        gateway.says("serving ")
        return gateway

    def serve_traced(self, *options: str) -> Running:
        """Start the gateway, which traces all requests by OTLP."""
        return self.serve(f"--trace-otlp=http://127.0.0.1:{self.collector.port}", "--trace-sampling=100", *options)

    def ask(self, target: str, *headers: tuple[str, str]) -> Answer:
        """Ask once."""
        client = Client(self.port)
        self.addCleanup(client.close)
        return client.ask("GET", target, "shop.example", headers)

    def is_one_trace(self, spans: Sequence[Seen], parent: str) -> None:
        """Check that spans are one request's and its tries', below its client's."""
        server, *tries = spans
        self.assertEqual((server.kind, server.parent_id), ("SERVER", parent))
        self.assertEqual([(each.kind, each.parent_id) for each in tries], [("CLIENT", server.span_id)] * len(tries))
        for each in tries:
            self.assertTrue(server.started <= each.started <= each.ended <= server.ended)


class OTLPTests(TracingTestCase):
    """OpenTelemetry's protocol."""

    def test_http1(self) -> None:
        """The client's span, the gateway's two, and what the backend gets are one trace."""
        self.serve_traced("--trace-service=edge")
        trace_id, parent = new_trace()
        state = ("tracestate", "vendor=1")
        answer = self.ask("/a?b=c", ("traceparent", f"00-{trace_id}-{parent}-01"), state)
        spans = self.collector.wait_for(2, trace_id)
        self.is_one_trace(spans, parent)
        server, client = spans
        self.assertEqual(answer.told("traceparent"), [f"00-{trace_id}-{client.span_id}-01"])
        self.assertEqual(answer.told("tracestate"), ["vendor=1"])
        self.assertEqual((server.name, server.service), ("web.example:80/*", "edge"))
        self.assertEqual(client.name, "router outbound|80||web.example; egress")
        self.assertEqual(server.tags["http.url"], "http://shop.example/a?b=c")
        self.assertEqual([server.tags["guid:x-request-id"]], answer.told("x-request-id"))
        self.assertTrue(answer.told("x-request-id")[0][14] == "9")

    def test_retries(self) -> None:
        """Each try is a span; its backend knows of it, and only the last one is none of an error."""
        self.serve_traced()
        trace_id, parent = new_trace()
        given = ("traceparent", f"00-{trace_id}-{parent}-01")
        self.assertEqual(self.ask("/retry", given, ("x-do", "fail=1"), ("x-key", trace_id)).status, 200)
        server, *tries = spans = self.collector.wait_for(4, trace_id)
        self.is_one_trace(spans, parent)
        self.assertEqual([each.error for each in spans], [False, True, True, False])
        self.assertEqual([each.tags.get("retry.count") for each in tries], [None, "1", "2"])
        self.assertEqual(server.name, "both.example:80/retry*")
        got = {seen.values("traceparent")[0] for name in ("one", "two") for seen in self.backends.seen[name]}
        self.assertEqual(got, {f"00-{trace_id}-{each.span_id}-01" for each in tries})

    def test_http2(self) -> None:
        """A client of HTTP/2 (curl) is in its trace as well."""
        self.serve_traced()
        trace_id, parent = new_trace()
        command = [program("curl"), "-sS", "--http2-prior-knowledge", "-H", f"traceparent: 00-{trace_id}-{parent}-01"]
        url = f"http://127.0.0.1:{self.port}/a"
        shown = subprocess.run([*command, url], check=True, capture_output=True, timeout=PATIENCE)
        server, client = spans = self.collector.wait_for(2, trace_id)
        self.is_one_trace(spans, parent)
        self.assertEqual([each.tags["http.protocol"] for each in spans], ["HTTP/2", "HTTP/1.1"])
        self.assertIn(f"00-{trace_id}-{client.span_id}-01".encode(), shown.stdout)
        self.assertEqual(server.tags["http.url"], url)

    def test_grpc(self) -> None:
        """Calls of gRPC, HTTP/2 all the way: the server knows of its span, and spans know the call's status."""
        self.serve_traced()
        channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")
        self.addCleanup(channel.close)
        for method, status in (("/test/Echo", "0"), ("/test/Fail", "5")):
            trace_id, parent = new_trace()
            metadata = (("traceparent", f"00-{trace_id}-{parent}-01"),)
            call = channel.unary_unary(method)
            try:
                call(b"hi", metadata=metadata, timeout=PATIENCE)
            except grpc.RpcError as error:
                self.assertEqual(cast(Any, error).code(), grpc.StatusCode.NOT_FOUND)
            server, client = spans = self.collector.wait_for(2, trace_id)
            self.is_one_trace(spans, parent)
            self.assertEqual(self.methods.metadata["traceparent"], f"00-{trace_id}-{client.span_id}-01")
            self.assertEqual((server.tags["grpc.status_code"], server.tags["grpc.path"]), (status, method))
            self.assertEqual(client.tags["http.protocol"], "HTTP/2")
            self.assertFalse(server.error)

    def test_websocket(self) -> None:
        """A WebSocket is a span until it closes, and its backend is told with the handshake."""
        seen: list[str] = []

        def echo(connection: ServerConnection) -> None:
            assert connection.request is not None
            seen.append(connection.request.headers["traceparent"])
            connection.send(connection.recv())

        server = websockets.sync.server.serve(echo, "127.0.0.1", self.socket_port)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        self.serve_traced()
        trace_id, parent = new_trace()
        headers = {"traceparent": f"00-{trace_id}-{parent}-01"}
        with websockets.sync.client.connect(f"ws://127.0.0.1:{self.port}/socket", additional_headers=headers) as socket:
            socket.send("hello")
            self.assertEqual(socket.recv(PATIENCE), "hello")
            self.assertEqual(self.collector.spans, [])
        spans = self.collector.wait_for(2, trace_id)
        self.is_one_trace(spans, parent)
        self.assertEqual([each.tags["http.status_code"] for each in spans], ["101", "101"])
        self.assertEqual(seen, [f"00-{trace_id}-{spans[1].span_id}-01"])

    def test_local(self) -> None:
        """What the gateway answers itself is a span without tries."""
        self.serve_traced()
        self.ask("/direct")
        (span,) = self.collector.wait_for(1)
        self.assertEqual((span.kind, span.name, span.parent_id), ("SERVER", f"shop:{self.port}/direct", ""))

    def test_sampling(self) -> None:
        """Of what comes undecided a share is traced, and backends are told what was decided."""
        gateway = self.serve(f"--trace-otlp=http://127.0.0.1:{self.collector.port}", "--trace-sampling=20")
        client = Client(self.port)
        self.addCleanup(client.close)
        flags = {}
        for _ in range(300):
            told = client.ask("GET", "/", "shop.example").told("traceparent")[0]
            flags[told.split("-")[1]] = told.endswith("-01")
        self.assertTrue(20 < sum(flags.values()) < 120, sum(flags.values()))
        gateway.stop()
        traced = {trace for trace, sampled in flags.items() if sampled}
        self.assertEqual({span.trace_id for span in self.collector.spans}, traced)

    def test_end(self) -> None:
        """The end of the gateway sends what has not been sent."""
        gateway = self.serve_traced()
        self.ask("/")
        self.assertEqual(gateway.stop(), 0)
        self.assertEqual(len(self.collector.spans), 2)

    def test_workers(self) -> None:
        """Each worker sends its own spans, also at the end."""
        (metrics,) = free_ports(1)
        gateway = self.serve_traced("--workers=2", f"--metrics-listen=127.0.0.1:{metrics}")
        gateway.says("2 workers serve")
        asked = 0
        while len({span.process for span in self.collector.spans}) < 2:
            # one that is given no time by the system takes no connection
            self.assertLess(asked, 4000, "one worker serves all connections")
            self.ask_anew(40)
            asked += 40
            self.collector.wait_for(2 * asked)
        self.ask_anew(40)
        kept = exemplars(metrics)
        self.assertEqual(gateway.stop(), 0)
        self.assertEqual(len(self.collector.spans), 2 * (asked + 40))
        self.assertTrue(kept and kept <= {span.trace_id for span in self.collector.spans}, kept)
        self.assertEqual(len({span.process for span in self.collector.spans}), 2)

    def ask_anew(self, count: int) -> None:
        """Ask on so many connections that are open at one time."""
        clients = [Client(self.port) for _ in range(count)]
        for client in clients:
            self.addCleanup(client.close)
            self.assertEqual(client.ask("GET", "/", "shop.example").status, 200)
        for client in clients:
            client.close()

    def test_collector_fails(self) -> None:
        """A collector that refuses, and then is gone, costs no request anything; it is said once."""
        gateway = self.serve_traced()
        self.collector.status = 503
        self.assertEqual(self.ask("/").status, 200)
        self.collector.wait_for_answers(503)
        gateway.says("traces can't be sent to")
        self.collector.stop()
        for _ in range(20):
            self.assertEqual(self.ask("/").status, 200)
        self.assertEqual(gateway.stop(), 0)
        self.assertEqual(gateway.output.count("traces can't be sent to"), 1)

    def test_https(self) -> None:
        """A collector with TLS is verified: one of unknown authorities gets nothing, one of known ones all."""
        fill(self.folder / "certs", ["localhost"])
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.folder / "certs" / "localhost.crt", self.folder / "certs" / "localhost.key")
        collector = self.collect(context)
        url = f"--trace-otlp=https://localhost:{collector.port}"
        stranger = self.serve(url, "--trace-sampling=100")
        self.ask("/")
        stranger.says("traces can't be sent to")
        stranger.stop()
        self.assertEqual(collector.spans, [])
        self.serve(url, "--trace-sampling=100", before=("env", f"SSL_CERT_FILE={self.folder / 'certs' / 'ca.crt'}"))
        self.ask("/")
        self.assertEqual(len(collector.wait_for(2)), 2)


class ZipkinTests(TracingTestCase):
    """Zipkin's JSON and headers."""

    def test_zipkin(self) -> None:
        """B3 of one header becomes B3 of several for the backend, in one trace."""
        self.serve(f"--trace-zipkin=http://127.0.0.1:{self.collector.port}")
        trace_id, parent = new_trace()
        answer = self.ask("/", ("b3", f"{trace_id}-{parent}-1"))
        server, client = spans = self.collector.wait_for(2, trace_id)
        self.is_one_trace(spans, parent)
        told = [answer.told(f"x-b3-{name}") for name in ("traceid", "spanid", "parentspanid", "sampled")]
        self.assertEqual(told, [[trace_id], [client.span_id], [server.span_id], ["1"]])
        self.assertEqual((answer.told("b3"), answer.told("traceparent")), ([], []))
        self.assertEqual(server.service, "istio-ingressgateway.istio-system")


class DeclaredTests(TracingTestCase):
    """Traces that the files ask for."""

    reloads = 0

    def declare(self, gateway: Running | None = None, **said: object) -> None:
        """Write the files, and have them be taken over."""
        (self.folder / "etc" / "traces.yaml").write_text(filled(DECLARED, **self.ports, **said))
        if gateway is not None:
            gateway.process.send_signal(signal.SIGHUP)
            self.reloads += 1
            gateway.says("reloaded in", self.reloads)

    def test_telemetry(self) -> None:
        """Telemetry traces; a reload changes its share, its tags and where spans go, and loses none."""
        self.declare(provider="otel", sampling=100, round="one")
        gateway = self.serve("--no-watch")
        self.ask("/", ("x-tenant", "a"))
        self.declare(gateway, provider="otel", sampling=100, round="two")
        self.ask("/")
        spans = self.collector.wait_for(4)
        told = [(span.tags["round"], span.tags["tenant"]) for span in spans if span.kind == "SERVER"]
        self.assertEqual(told, [("one", "a"), ("two", "none")])
        self.declare(gateway, provider="otel", sampling=0, round="three")
        self.assertTrue(self.ask("/").told("traceparent")[0].endswith("-00"))
        trace_id, parent = new_trace()
        self.ask("/", ("traceparent", f"00-{trace_id}-{parent}-01"))
        # what waits for the collector before is sent to it
        self.declare(gateway, provider="zipkin", sampling=100, round="four")
        answer = self.ask("/")
        self.assertEqual((answer.told("traceparent"), len(answer.told("x-b3-traceid"))), ([], 1))
        self.assertEqual([span.tags["round"] for span in self.collector.wait_for(2, trace_id)], ["three"] * 2)
        self.assertEqual(gateway.stop(), 0)
        (server, _) = self.collector.wait_for(2, answer.told("x-b3-traceid")[0])
        self.assertEqual((server.process, server.tags["round"]), ("", "four"))
        self.assertEqual(len(self.collector.spans), 8)
        shown = AcceptanceTestCase.ask(self, "edgegate", "proxy-config", "telemetry", "--config=etc").stdout
        self.assertRegex(
            shown, r"traces +zipkin +http://127\.0\.0\.1:\d+/api/v2/spans +sampling 100 %.*traces\.yaml:2\d"
        )

    def test_option_wins(self) -> None:
        """Each option that is given wins over the files; the rest is as they say, in workers as well."""
        other = self.collect()
        self.declare(provider="zipkin", sampling=0, round="one")
        gateway = self.serve(
            "--no-watch",
            "--workers=2",
            f"--trace-otlp=http://127.0.0.1:{other.port}",
            "--trace-sampling=100",
            "--trace-service=edge",
        )
        gateway.says("2 workers serve")
        self.ask("/")
        self.declare(gateway, provider="zipkin", sampling=0, round="two")
        self.ask("/")
        self.assertEqual(gateway.stop(), 0)
        servers = [span for span in other.wait_for(4) if span.kind == "SERVER"]
        self.assertEqual([(span.tags["round"], span.service) for span in servers], [("one", "edge"), ("two", "edge")])
        self.assertEqual(self.collector.spans, [])


class OffTests(TracingTestCase):
    """Nobody traces."""

    def test_passes(self) -> None:
        """What a client says of its trace goes on as it is, and no request gets one."""
        self.serve()
        trace_id, parent = new_trace()
        given = f"00-{trace_id}-{parent}-01"
        self.assertEqual(self.ask("/", ("traceparent", given)).told("traceparent"), [given])
        self.assertEqual(self.ask("/").told("traceparent"), [])
