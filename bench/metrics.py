"""
What metrics cost: to count a request, and to write a page for many hosts.

    python bench/metrics.py [--hosts 10000] [--codes 1]

Both are measured in CPU time of this process, without any network, compiled where edgegate is.
"""

from __future__ import annotations

import argparse
import gzip
import socket
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from time import perf_counter, process_time
from typing import Any, cast

from twisted.internet import reactor as installed

from edgegate.http.request_metrics import RequestMetrics
from edgegate.observe.events import Ended
from edgegate.observe.metrics.families import REQUESTS
from edgegate.observe.metrics.gauges import Gauges
from edgegate.observe.metrics.measured import Measured
from edgegate.observe.metrics.meters import NO_DESTINATION, Meters
from edgegate.observe.metrics.options import MetricsOptions
from edgegate.server.data_plane import DataPlane
from edgegate.sources.loading import Configuration
from edgegate.sources.named import source_named
from edgegate.version import described

ROUNDS = 5

REQUESTS_KEPT = 100

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - {{port: {{number: {http}, name: http, protocol: HTTP}}, hosts: ["*"], bind: 127.0.0.1}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: web}}
spec:
  hosts: ["*"]
  gateways: [gw]
  http:
  - match: [{{uri: {{exact: /}}}}]
    route: [{{destination: {{host: 127.0.0.1, port: {{number: {backend}}}}}}}]
"""

reactor = cast(Any, installed)


class Captured:
    """An observer that keeps the requests that it is told of, until there are enough."""

    def __init__(self, count: int) -> None:
        self.ended: list[Ended] = []
        self._count = count

    def request_ended(self, exchange: Ended) -> None:
        """Keep it."""
        self.ended.append(exchange)
        if len(self.ended) == self._count:
            reactor.stop()


def backend() -> int:
    """Answer each connection once; return the port."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            connection, _ = server.accept()
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
            connection.close()

    Thread(target=serve, daemon=True).start()
    return int(server.getsockname()[1])


def captured() -> tuple[Meters, list[Ended]]:
    """Return requests of a real gateway, one in five of which has found no route."""
    http = socket.create_server(("127.0.0.1", 0))
    port = int(http.getsockname()[1])
    http.close()
    with TemporaryDirectory() as folder:
        (Path(folder) / "gw.yaml").write_text(FILES.format(http=port, backend=backend()))
        loaded = Configuration(source_named(folder)).load()
    assert loaded.snapshot is not None, [str(each) for each in loaded.problems]
    found = Captured(REQUESTS_KEPT)
    plane = DataPlane(cast(Any, reactor), [found])
    plane.install(loaded.snapshot, plane.contexts(loaded.snapshot), loaded.endpoints)

    def ask() -> None:
        for number in range(REQUESTS_KEPT):
            connection = HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/none" if number % 5 == 0 else "/")
            connection.getresponse().read()
            connection.close()

    reactor.callWhenRunning(Thread(target=ask, daemon=True).start)
    reactor.run()
    plane.stop()
    return plane.meters, found.ended


def counting(count: int = 200_000) -> float:
    """Return the least nanoseconds that a request took to count, of several rounds."""
    meters, ended = captured()
    told = RequestMetrics(meters).request_ended
    best = float("inf")
    for _ in range(ROUNDS):
        began = process_time()
        for _ in range(count // len(ended)):
            for each in ended:
                told(each)
        best = min(best, process_time() - began)
    return best / count * 1e9


def filled(hosts: int, codes: int) -> Measured:
    """Return the metrics of so many hosts, each with so many codes."""
    meters = Meters(hosts)
    for number in range(hosts):
        host = f"service-{number}.namespace-{number % 50}.svc.cluster.local"
        meter = meters.meter(
            f"outbound|80||{host}", (f"workload-{number}", *NO_DESTINATION[1:5], host, *NO_DESTINATION[6:])
        )
        for code in range(200, 200 + codes):
            series = meter.requests(code, "-", None)
            for place in range(len(series.numbers)):
                series.numbers[place] = (number * 7919 + place) % 100_000
            meters.touch(REQUESTS, series)
    return Measured(meters, Gauges(), MetricsOptions())


def main() -> None:
    """Measure, and say what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--codes", type=int, default=1)
    options = parser.parse_args()
    print(f"{described()}: {counting():.0f} ns to count a request")
    measured = filled(options.hosts, options.codes)
    for _ in range(2):
        began, last = process_time(), perf_counter()
        size, longest = 0, 0.0
        for piece in measured.text():
            size += len(piece.encode())
            now = perf_counter()
            longest, last = max(longest, now - last), now
        spent = process_time() - began
    print(
        f"{size / 1e6:.0f} MB for {options.hosts} hosts in {spent:.2f} s of CPU, {longest * 1000:.1f} ms for one piece"
    )
    began, packed = process_time(), 0
    for piece in measured.text():
        packed += len(gzip.compress(piece.encode(), 1))
    print(f"compressed: {packed / 1e6:.0f} MB in {process_time() - began:.2f} s")


if __name__ == "__main__":
    main()
