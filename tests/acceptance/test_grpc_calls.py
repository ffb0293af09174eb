"""What clients of gRPC count on, by grpcio: retries, deadlines, metadata, large messages, how calls end."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent import futures
from typing import Any, cast

import grpc

from tests.acceptance.manifests import EVERY_HOST, GATEWAY, filled
from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, free_ports

SERVICE = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: $name}
spec:
  hosts: [$name.example]
  resolution: STATIC
  ports: [{number: 80, name: grpc}]
  endpoints: [{address: 127.0.0.1, ports: {grpc: $port}}]
---
"""

WITHOUT_ENDPOINTS = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: none}
spec:
  hosts: [none.example]
  resolution: STATIC
  ports: [{number: 80, name: grpc}]
---
"""

RULE = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: one}
spec:
  host: one.example
  trafficPolicy: {connectionPool: {http: {http2MaxRequests: 1}}}
---
"""

WORDS = {
    "cancelled": grpc.StatusCode.CANCELLED,
    "deadline-exceeded": grpc.StatusCode.DEADLINE_EXCEEDED,
    "internal": grpc.StatusCode.INTERNAL,
    "resource-exhausted": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "unavailable": grpc.StatusCode.UNAVAILABLE,
}
"""What C{retryOn} says, and the status that it is for."""

ROUTES = EVERY_HOST + "".join(
    f"""\
  - match: [{{uri: {{prefix: /{word}/}}}}]
    retries: {{attempts: 2, retryOn: {word}, backoff: 1ms}}
    route: [{{destination: {{host: api.example}}}}]
"""
    for word in WORDS
)
ROUTES += """\
  - match: [{uri: {prefix: /none/}}]
    route: [{destination: {host: none.example}}]
  - match: [{uri: {prefix: /dead/}}]
    route: [{destination: {host: dead.example}}]
  - match: [{uri: {prefix: /slow/}}]
    timeout: 0.3s
    retries: {attempts: 0}
    route: [{destination: {host: api.example}}]
  - match: [{uri: {prefix: /patient/}}]
    timeout: 30s
    route: [{destination: {host: api.example}}]
  - match: [{uri: {prefix: /one/}}]
    route: [{destination: {host: one.example}}]
  - match: [{uri: {prefix: /fault/}}]
    fault: {abort: {grpcStatus: RESOURCE_EXHAUSTED, percentage: {value: 100}}}
    route: [{destination: {host: api.example}}]
  - match: [{uri: {prefix: /api/}}]
    route: [{destination: {host: api.example}}]
"""

LARGE = 24 << 20
"""Bytes, more than all windows together."""

OPTIONS = [("grpc.max_receive_message_length", LARGE + 1024), ("grpc.max_metadata_size", 48 * 1024)]


class Methods(grpc.GenericRpcHandler):
    """Methods by the last part of their path, in bytes."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.metadata: list[tuple[str, str | bytes]] = []
        self.remaining = 0.0
        self.waiting, self.ended = threading.Semaphore(0), threading.Semaphore(0)
        self.over = threading.Event()

    def service(self, details: Any) -> Any:
        """Return a method."""
        self.asked[details.method] += 1
        self.metadata = [tuple(each) for each in details.invocation_metadata]
        unary = grpc.unary_unary_rpc_method_handler
        word, name = details.method[1:].split("/")
        methods = {
            "Echo": unary(self.echo),
            "Third": unary(lambda _, context: self.third(details.method, WORDS[word], context)),
            "Wrong": unary(lambda _, context: context.abort(grpc.StatusCode.INVALID_ARGUMENT, "wrong")),
            "Wait": unary(self.wait),
            "Count": grpc.unary_stream_rpc_method_handler(self.count),
            "Sum": grpc.stream_unary_rpc_method_handler(self.sum),
            "Both": grpc.stream_stream_rpc_method_handler(self.both),
            "Break": grpc.unary_stream_rpc_method_handler(self.break_off),
        }
        return methods.get(name)

    def echo(self, request: bytes, context: Any) -> bytes:
        """Say the same, the metadata too."""
        context.send_initial_metadata([each for each in self.metadata if each[0].startswith("echo-")])
        context.set_trailing_metadata((("sum", "7"), ("raw-bin", bytes(range(256)))))
        self.remaining = context.time_remaining() or 0.0
        return request

    def third(self, method: str, code: grpc.StatusCode, context: Any) -> bytes:
        """Answer the third time."""
        if self.asked[method] < 3:
            context.abort(code, "not yet")
        return b"at last"

    def wait(self, request: bytes, context: Any) -> bytes:
        """Answer when everything is over, if nobody gives up before."""
        over = threading.Event()
        context.add_callback(over.set)
        self.waiting.release()
        while not (over.wait(0.05) or self.over.is_set()):
            pass
        self.ended.release()
        return b""

    def count(self, request: bytes, context: Any) -> Iterator[bytes]:
        """Count without an end, until nobody listens."""
        context.add_callback(self.ended.release)
        number = 0
        while context.is_active():
            yield b"%d" % number
            number += 1

    def sum(self, requests: Iterator[bytes], context: Any) -> bytes:
        """Add all."""
        return b"%d" % sum(map(int, requests))

    def both(self, requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        """Say each again."""
        yield from requests

    def break_off(self, request: bytes, context: Any) -> Iterator[bytes]:
        """Fail in the middle."""
        yield b"one"
        context.abort(grpc.StatusCode.DATA_LOSS, "no more")


class GRPCCallTests(AcceptanceTestCase):
    """A gateway between a channel and a server of grpcio."""

    def setUp(self) -> None:
        super().setUp()
        self.methods = Methods()
        self.addCleanup(self.methods.over.set)
        self.port, dead, self.backend = free_ports(3)
        self.server = self.serve()
        (self.folder / "etc").mkdir()
        services = {"api": self.backend, "one": self.backend, "dead": dead}
        text = "".join(filled(SERVICE, name=name, port=port) for name, port in services.items())
        self.files = self.folder / "etc" / "gw.yaml"
        self.files.write_text(filled(GATEWAY, http=self.port) + text + WITHOUT_ENDPOINTS + RULE + ROUTES)
        self.gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", "--config", "etc", "--admin", "none")
        self.gateway.says("serving ")
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}", options=OPTIONS)
        self.addCleanup(self.channel.close)

    def serve(self) -> Any:
        """Start the server."""
        server = grpc.server(futures.ThreadPoolExecutor(32), handlers=[self.methods], options=OPTIONS)
        server.add_insecure_port(f"127.0.0.1:{self.backend}")
        server.start()
        self.addCleanup(lambda: cast(threading.Event, server.stop(None)).wait())
        return server

    def call(self, method: str, request: bytes = b"x", timeout: float | None = PATIENCE, **how: Any) -> bytes:
        """Call a method of one message each way."""
        return cast(bytes, self.channel.unary_unary(method)(request, timeout=timeout, **how))

    def status(self, method: str, **how: Any) -> grpc.StatusCode:
        """Call what fails; return its status."""
        return self.assertRaises(grpc.RpcError, self.call, method, **how).code()

    def test_retries(self) -> None:
        """Each word of C{retryOn} that is gRPC's has its status tried again, and no other status."""
        for word in WORDS:
            self.assertEqual(self.call(f"/{word}/Third"), b"at last", word)
            self.assertEqual(self.methods.asked[f"/{word}/Third"], 3)
            self.assertEqual(self.status(f"/{word}/Wrong"), grpc.StatusCode.INVALID_ARGUMENT)
            self.assertEqual(self.methods.asked[f"/{word}/Wrong"], 1)

    def test_gateway_errors(self) -> None:
        """What the gateway answers itself are statuses of gRPC, whatever went wrong."""
        for method, code in {
            "/nowhere/Echo": grpc.StatusCode.UNIMPLEMENTED,
            "/none/Echo": grpc.StatusCode.UNAVAILABLE,
            "/dead/Echo": grpc.StatusCode.UNAVAILABLE,
            "/slow/Wait": grpc.StatusCode.UNAVAILABLE,
            "/fault/Echo": grpc.StatusCode.RESOURCE_EXHAUSTED,
        }.items():
            self.assertEqual(self.status(method), code, method)
        first = self.channel.unary_unary("/one/Wait").future(b"x", timeout=PATIENCE)
        # the first that waits is that of the route with a timeout
        for _ in range(2):
            self.assertTrue(self.methods.waiting.acquire(timeout=PATIENCE))
        self.assertEqual(self.status("/one/Echo"), grpc.StatusCode.UNAVAILABLE)
        self.methods.over.set()
        self.assertEqual(first.result(), b"")
        self.assertEqual(self.call("/one/Echo"), b"x")

    def test_deadlines(self) -> None:
        """The client's deadline reaches the server, and ends the call at both ends where the route's is longer."""
        self.call("/patient/Echo", timeout=20)
        self.assertTrue(0 < self.methods.remaining <= 20, self.methods.remaining)
        self.assertEqual(self.status("/patient/Wait", timeout=0.5), grpc.StatusCode.DEADLINE_EXCEEDED)
        self.assertTrue(self.methods.ended.acquire(timeout=PATIENCE))
        # and the route's where that is shorter
        self.assertEqual(self.status("/slow/Wait", timeout=PATIENCE), grpc.StatusCode.UNAVAILABLE)
        self.assertTrue(self.methods.ended.acquire(timeout=PATIENCE))

    def test_metadata(self) -> None:
        """Bytes, many values of one name and large ones arrive as they are, both ways."""
        given = [
            ("echo-raw-bin", bytes(range(256))),
            *(("echo-many", str(number)) for number in range(20)),
            ("echo-large", "x" * 7_000),
            ("echo-empty", ""),
        ]
        _, call = self.channel.unary_unary("/api/Echo").with_call(b"x", timeout=PATIENCE, metadata=given)
        self.assertEqual([tuple(each) for each in self.methods.metadata if each[0].startswith("echo-")], given)
        self.assertEqual([tuple(each) for each in call.initial_metadata() if each[0].startswith("echo-")], given)
        self.assertEqual(dict(call.trailing_metadata()), {"sum": "7", "raw-bin": bytes(range(256))})

    def test_large(self) -> None:
        """A message that is larger than all windows, and compressed ones; too large a one is the server's to refuse."""
        large = os.urandom(LARGE)
        self.assertTrue(self.call("/api/Echo", large) == large)
        for compression in (grpc.Compression.Gzip, grpc.Compression.Deflate):
            repeated = b"message " * 100_000
            self.assertTrue(self.call("/api/Echo", repeated, compression=compression) == repeated)
        self.assertEqual(self.status("/api/Echo", request=large + bytes(2048)), grpc.StatusCode.RESOURCE_EXHAUSTED)

    def test_streams(self) -> None:
        """Streams of either side; one that the server breaks off keeps what came before."""
        numbers = [b"%d" % number for number in range(1000)]
        self.assertEqual(self.channel.stream_unary("/api/Sum")(iter(numbers), timeout=PATIENCE), b"499500")
        self.assertEqual(list(self.channel.stream_stream("/api/Both")(iter(numbers), timeout=PATIENCE)), numbers)
        stream = self.channel.unary_stream("/api/Break")(b"x", timeout=PATIENCE)
        self.assertEqual(next(stream), b"one")
        error = self.assertRaises(grpc.RpcError, lambda: next(stream))
        self.assertEqual((error.code(), error.details()), (grpc.StatusCode.DATA_LOSS, "no more"))

    def test_cancelled(self) -> None:
        """A client that has enough of a stream ends it at the server, and no other call of its connection."""
        waits = self.channel.unary_unary("/api/Wait").future(b"x", timeout=PATIENCE)
        self.assertTrue(self.methods.waiting.acquire(timeout=PATIENCE))
        stream = self.channel.unary_stream("/api/Count")(b"x", timeout=PATIENCE)
        self.assertEqual([next(stream) for _ in range(100)], [b"%d" % number for number in range(100)])
        stream.cancel()
        self.assertTrue(self.methods.ended.acquire(timeout=PATIENCE))
        self.assertFalse(waits.done())
        self.methods.over.set()
        self.assertEqual(waits.result(), b"")

    def test_many(self) -> None:
        """Streams by the hundred, with a reload and a backend that starts anew in their middle: each has its status."""
        found: Counter[str] = Counter()

        def ask(number: int) -> None:
            said = [b"%d" % each for each in range(number % 5)]
            try:
                answer = list(self.channel.stream_stream("/api/Both")(iter(said), timeout=PATIENCE))
                found["right" if answer == said else "wrong"] += 1
            except grpc.RpcError as error:
                found[error.code().name] += 1

        count = int(os.environ.get("EDGEGATE_GRPC_STREAMS", "600"))
        with futures.ThreadPoolExecutor(16) as threads:
            calls = [threads.submit(ask, number) for number in range(count)]
            calls[count // 4].result()
            self.files.write_text(self.files.read_text().replace("timeout: 30s", "timeout: 29s"))
            self.gateway.says("reloaded")
            calls[count // 2].result()
            # it ends what it has begun, and refuses the rest by GOAWAY
            cast(threading.Event, self.server.stop(PATIENCE)).wait()
            self.serve()
        self.assertEqual(set(found) - {"right", "UNAVAILABLE"}, set(), found)
        self.assertEqual(sum(found.values()), count)
        self.assertGreater(found["right"], count // 2, found)
        self.assertEqual(self.call("/api/Echo"), b"x")
