"""What the kernel is asked for on the hot path, counted by strace on the real gateway."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from unittest import skipIf, skipUnless

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import StreamEnded

from edgegate.net.pipe import SPLICES
from edgegate.net.transport import READ_SIZE
from tests.acceptance.manifests import GATEWAY, filled
from tests.acceptance.processes import PATIENCE, READY, AcceptanceTestCase, Running, free_ports, program

FILES = (
    GATEWAY
    + """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: ["web.example"]
  gateways: [gw]
  http:
  - route: [{destination: {host: backend.internal, port: {number: 80}}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: backend}
spec:
  hosts: [backend.internal]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: $target}]
  endpoints: [{address: 127.0.0.1}]
"""
)

GET = b"GET / HTTP/1.1\r\nHost: web.example\r\n\r\n"
FIELDS = [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"web.example"), (b":path", b"/")]
REQUESTS, CONNECTIONS = 200, 50
SMALL, LARGE = b"x" * 100, 10 << 20

_CALL = re.compile(r"^(\w+)\(.*\) += (-?\d+)", re.MULTILINE)
_WAITS = {"epoll_wait", "epoll_pwait"}
_MEMORY = {"brk", "mmap", "munmap", "mremap", "madvise"}
"""What the allocator asks for now and then."""


def untraceable() -> str:
    """Return why the kernel's calls can't be counted, empty where they can: containers often forbid it."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    command = ["strace", "-o", "/dev/null", "true"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    said = ran.stderr.strip().partition("\n")[0]
    return "" if ran.returncode == 0 else f"strace may not look at processes here: {said}"


UNTRACEABLE = untraceable()


class Backend:
    """
    Answers each request on any connection with a body.

    @ivar port: Where it listens.
    """

    def __init__(self, body: bytes) -> None:
        self._answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        held = b""
        with connection:
            while data := connection.recv(65536):
                held += data
                while b"\r\n\r\n" in held:
                    held = held.partition(b"\r\n\r\n")[2]
                    connection.sendall(self._answer)

    def close(self) -> None:
        """Take no more connections."""
        self._server.close()


@skipIf(UNTRACEABLE, UNTRACEABLE)
class CallsTests(AcceptanceTestCase):
    """System calls of a gateway that is busy with one client."""

    def serve(self, body: bytes) -> None:
        """Start the gateway before a backend, and connect to it."""
        backend = Backend(body)
        self.addCleanup(backend.close)
        (port,) = free_ports(1)
        (self.folder / "gw.yaml").write_text(filled(FILES, http=port, target=backend.port))
        options = ["--config", "gw.yaml", "--access-log=none", "--admin=none", "--no-watch"]
        self.gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", *options)
        self.gateway.says(READY)
        self.client = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.addCleanup(self.client.close)

    def ask(self, size: int) -> None:
        """Ask once on the client's only connection, and read the answer with a body of so many bytes."""
        self.client.sendall(GET)
        held = b""
        while b"\r\n\r\n" not in held:
            data = self.client.recv(READ_SIZE)
            self.assertTrue(data, "the gateway has closed the connection")
            held += data
        left = size - len(held.partition(b"\r\n\r\n")[2])
        while left:
            left -= len(self.client.recv(min(left, READ_SIZE)))

    def rest(self) -> None:
        """Wait until the gateway waits: the client may have its answer before the gateway's last call has returned."""
        stat = Path(f"/proc/{self.gateway.process.pid}/stat")
        deadline = time.monotonic() + PATIENCE
        while stat.read_text().rpartition(")")[2].split()[0] != "S":
            self.assertLess(time.monotonic(), deadline, "the gateway does not come to rest")
            os.sched_yield()

    def traced(self, work: Callable[[], None]) -> list[tuple[str, int]]:
        """Return the calls that the gateway's reactor makes meanwhile, with their results, in their order."""
        pid = str(self.gateway.process.pid)
        tracer = Running([program("strace"), "-p", pid, "-s", "0", "-o", "calls"], self.folder)
        tracer.says("attached")
        try:
            work()
            self.rest()
        finally:
            tracer.stop()
        return [(name, int(result)) for name, result in _CALL.findall((self.folder / "calls").read_text())]

    def test_small(self) -> None:
        """A request on kept connections costs one receive and one send on each side, and nothing but waiting beside."""
        self.serve(SMALL)
        for _ in range(5):
            self.ask(len(SMALL))
        made = self.traced(lambda: [self.ask(len(SMALL)) for _ in range(REQUESTS)] and None)
        counts = Counter(name for name, _ in made if name not in _MEMORY)
        waits = sum(counts.pop(name, 0) for name in _WAITS)
        self.assertEqual(counts, {"recvfrom": 2 * REQUESTS, "sendto": 2 * REQUESTS})
        # the reactor's and the poller's, for the request and for the answer; a tick of the clock now and then
        self.assertLessEqual(waits, 4 * REQUESTS + REQUESTS // 4)

    def test_http2(self) -> None:
        """So does one over HTTP/2."""
        self.serve(SMALL)
        layer = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        layer.initiate_connection()

        def ask() -> None:
            layer.send_headers(layer.get_next_available_stream_id(), FIELDS, end_stream=True)
            self.client.sendall(layer.data_to_send())
            while not any(isinstance(each, StreamEnded) for each in layer.receive_data(self.client.recv(READ_SIZE))):
                pass

        for _ in range(5):
            ask()
        made = self.traced(lambda: [ask() for _ in range(REQUESTS)] and None)
        counts = Counter(name for name, _ in made if name not in _MEMORY | _WAITS)
        self.assertEqual(counts, {"recvfrom": 2 * REQUESTS, "sendto": 2 * REQUESTS})

    def test_connection(self) -> None:
        """A connection of one request is watched by one call more, and closed by one; the kernel forgets it by that."""
        self.serve(SMALL)
        self.ask(len(SMALL))

        def connect() -> None:
            for _ in range(CONNECTIONS):
                with socket.create_connection(self.client.getpeername(), PATIENCE) as client:
                    client.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
                    while client.recv(READ_SIZE):
                        pass

        connect()
        counts = Counter(name for name, _ in self.traced(connect) if name not in _MEMORY | _WAITS)
        self.assertEqual(
            counts,
            {
                "accept4": 2 * CONNECTIONS,  # the second finds that there is no other
                "getsockname": 2 * CONNECTIONS,  # Python's own, and which of all addresses it is
                "ioctl": CONNECTIONS,
                "epoll_ctl": CONNECTIONS,
                "recvfrom": 2 * CONNECTIONS,
                "sendto": 2 * CONNECTIONS,
                "close": CONNECTIONS,
            },
        )

    @skipUnless(SPLICES, "there is no os.splice here")
    def test_large(self) -> None:
        """Of a large body in the clear only what came with its head passes through this process."""
        self.serve(b"x" * LARGE)
        self.ask(LARGE)
        made = self.traced(lambda: self.ask(LARGE))
        received = [result for name, result in made if name in ("recvfrom", "read") and result > 0]
        spliced = [result for name, result in made if name == "splice" and result > 0]
        self.assertEqual(len(received), 2, received)
        self.assertLessEqual(received[1], READ_SIZE)
        self.assertGreaterEqual(sum(spliced), 2 * (LARGE - READ_SIZE))
