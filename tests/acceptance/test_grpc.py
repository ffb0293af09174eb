"""gRPC from end to end: its own client, the gateway, its own server, HTTP/2 all the way."""

from __future__ import annotations

import os
import threading
from concurrent import futures
from typing import Any, cast

import grpc

from tests.acceptance.manifests import GATEWAY, filled
from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, free_ports
from tests.acceptance.test_http2_backends import ROUTE, SERVICE, Methods

Channel = Any
"""grpcio has no annotations."""


class GRPCTests(AcceptanceTestCase):
    """Calls through the gateway, by a channel of grpcio."""

    def setUp(self) -> None:
        super().setUp()
        self.methods = Methods()
        server = grpc.server(futures.ThreadPoolExecutor(32), handlers=[self.methods])
        backend = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self.addCleanup(lambda: cast(threading.Event, server.stop(None)).wait())
        (self.port,) = free_ports(1)
        (self.folder / "etc").mkdir()
        text = filled(GATEWAY + SERVICE + ROUTE, http=self.port, name="api", protocol="GRPC", backend=backend)
        (self.folder / "etc" / "gw.yaml").write_text(text)
        self.gateway = self.start(
            "twistd", "-n", "--pidfile=", "edgegate", "--config", "etc", "--admin", "none", "--access-log", "access.log"
        )
        self.gateway.says("serving ")
        self.channel = self.open()

    def open(self) -> Channel:
        """Return a channel, which connects with the first call."""
        channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")
        self.addCleanup(channel.close)
        return channel

    def fails(self, method: str, timeout: float = PATIENCE) -> tuple[grpc.StatusCode, str]:
        """Call what fails; return its status and message."""
        call = self.channel.unary_unary(method)
        error = self.assertRaises(grpc.RpcError, call, b"x", timeout=timeout)
        return error.code(), error.details()

    def test_unary(self) -> None:
        """A message comes back with the server's trailers, a large one too."""
        echo = self.channel.unary_unary("/test/Echo")
        answer, call = echo.with_call(b"hi", timeout=PATIENCE)
        self.assertEqual((answer, dict(call.trailing_metadata())["sum"]), (b"hi", "7"))
        large = os.urandom(3 << 20)
        self.assertTrue(echo(large, timeout=PATIENCE) == large)

    def test_statuses(self) -> None:
        """The server's own statuses arrive as they are."""
        self.assertEqual(self.fails("/test/Fail"), (grpc.StatusCode.NOT_FOUND, "nothing here"))
        self.assertEqual(self.fails("/test/Unknown")[0], grpc.StatusCode.UNIMPLEMENTED)

    def test_deadline(self) -> None:
        """A client's deadline ends the call at both ends."""
        self.assertEqual(self.fails("/test/Wait", timeout=0.5)[0], grpc.StatusCode.DEADLINE_EXCEEDED)
        self.assertTrue(self.methods.cancelled.wait(PATIENCE))

    def test_streams(self) -> None:
        """Messages go both ways while their streams last, many streams at a time."""
        both = self.channel.stream_stream("/test/Both")
        wanted = [message for number in range(50) for message in (b"%d" % number,) * 2]
        with futures.ThreadPoolExecutor(10) as threads:
            calls = [
                threads.submit(lambda: list(both(iter([b"%d" % number for number in range(50)]), timeout=PATIENCE)))
                for _ in range(10)
            ]
            self.assertEqual([call.result() for call in calls], [wanted] * 10)

    def test_many_calls(self) -> None:
        """A channel's calls share a connection, and each gets its own answer."""
        echo = self.channel.unary_unary("/test/Echo")
        calls = [echo.future(b"%d" % number, timeout=PATIENCE) for number in range(500)]
        self.assertEqual([call.result() for call in calls], [b"%d" % number for number in range(500)])

    def test_reload(self) -> None:
        """A reload in the middle of a stream leaves it alone, and the next call is routed by the new files."""
        queued: list[bytes] = [b"before"]
        ready, answered = threading.Semaphore(1), []

        def messages() -> Any:
            while ready.acquire(timeout=PATIENCE) and queued:
                yield queued.pop(0)

        stream = self.channel.stream_stream("/test/Both")(messages(), timeout=PATIENCE)
        answered += [next(stream), next(stream)]
        path = self.folder / "etc" / "gw.yaml"
        path.write_text(path.read_text().replace("- route:", "- name: renamed\n    route:"))
        self.gateway.says("reloaded")
        queued.append(b"after")
        ready.release()
        answered += [next(stream), next(stream)]
        ready.release()
        self.assertEqual(list(stream), [])
        self.assertEqual(answered, [b"before", b"before", b"after", b"after"])
        self.assertEqual(self.channel.unary_unary("/test/Echo")(b"on", timeout=PATIENCE), b"on")

    def test_no_route(self) -> None:
        """What the gateway answers itself is a status of gRPC."""
        path = self.folder / "etc" / "gw.yaml"
        path.write_text(path.read_text().replace("- route:", "- match: [{uri: {prefix: /test.}}]\n    route:"))
        self.gateway.says("reloaded")
        self.assertEqual(self.fails("/test/Echo")[0], grpc.StatusCode.UNIMPLEMENTED)
