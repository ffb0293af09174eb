"""HTTP/2 through the real gateway, with the clients that others use: curl, nghttp, h2load and httpx."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import ssl
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import httpx

from edgegate.demo.certificates import fill
from tests.acceptance.echo import EchoBackends
from tests.acceptance.manifests import EVERY_HOST, filled
from tests.acceptance.processes import ENVIRONMENT, PATIENCE, AcceptanceTestCase, Running, free_ports, program

FILES = (
    """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  servers:
  - {port: {number: $http, name: http, protocol: HTTP}, hosts: ["*"], bind: 127.0.0.1}
  - {port: {number: $grpc, name: grpc, protocol: GRPC}, hosts: ["*"], bind: 127.0.0.1}
  - port: {number: $https, name: https, protocol: HTTPS}
    hosts: [a.example, b.example]
    bind: 127.0.0.1
    tls: {mode: SIMPLE, serverCertificate: certs/a.example.crt, privateKey: certs/a.example.key}
  - port: {number: $https, name: mutual, protocol: HTTPS}
    hosts: [mutual.example]
    bind: 127.0.0.1
    tls:
      mode: MUTUAL
      serverCertificate: certs/a.example.crt
      privateKey: certs/a.example.key
      caCertificates: certs/ca.crt
---
"""
    + EVERY_HOST
    + """\
  - match: [{uri: {prefix: /direct}}]
    directResponse: {status: 200, body: {string: $word}}
  - match: [{uri: {prefix: /slow}}]
    fault: {delay: {fixedDelay: 0.5s, percentage: {value: 100}}}
    route: &echo [{destination: {host: 127.0.0.1, port: {number: $echo}}}]
  - match: [{uri: {prefix: /large}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $large}}}]
  - route: *echo
"""
)

LARGE = 50_000_000


class HTTP2Tests(AcceptanceTestCase):
    """One gateway for each test."""

    def setUp(self) -> None:
        """Start a backend and the gateway."""
        super().setUp()
        self.backends = EchoBackends()
        self.addCleanup(self.backends.stop)
        self.large = LargeBackend()
        self.addCleanup(self.large.stop)
        names = ("http", "grpc", "https", "admin")
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))
        self.etc = self.folder / "etc"
        self.etc.mkdir()
        fill(self.etc / "certs", ["a.example"])
        self.ports.update(echo=self.backends.open("echo"), large=self.large.port)
        self.write("served")
        options = "--config=etc", f"--admin=127.0.0.1:{self.ports['admin']}", "--access-log=log.json"
        json_log = "--access-log-format=json"
        self.gateway: Running = self.start("twistd", "-n", "--pidfile=", "edgegate", *options, json_log)
        self.gateway.says("serving HTTP")

    def write(self, word: str) -> None:
        """Write the files."""
        (self.etc / "a.yaml").write_text(filled(FILES, word=word, **self.ports))

    def run_client(self, *command: str, timeout: float = PATIENCE) -> str:
        """Run a client to its end; return what it says."""
        done = subprocess.run(
            [program(command[0]), *command[1:]],
            cwd=self.folder,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return done.stdout + done.stderr

    def logged(self, name: str) -> list[object]:
        """End the gateway, and return what its access log says of each request."""
        os.kill(self.gateway.process.pid, signal.SIGTERM)
        self.gateway.process.wait(PATIENCE)
        return [json.loads(line)[name] for line in (self.folder / "log.json").read_text().splitlines()]

    def curl(self, *options: str) -> str:
        """Ask by curl; the answer ends with the version and the status."""
        hosts = ("a.example", "b.example", "mutual.example")
        https = self.ports["https"]
        resolve = [word for host in hosts for word in ("--connect-to", f"{host}:{https}:127.0.0.1:{https}")]
        out = "%{http_version} %{http_code} %{size_download} %{size_upload}"
        return self.run_client("curl", "-sk", "--max-time", "30", *resolve, "-w", f"\n{out}\n", *options)

    # ------------------------------------------------------------------------------------------------------------------

    def test_versions(self) -> None:
        """A client gets the version that it asks for, on every kind of port."""
        https = f"https://a.example:{self.ports['https']}/direct"
        self.assertEqual(self.curl("--http2", https).split()[:3], ["served", "2", "200"])
        self.assertEqual(self.curl("--http1.1", https).split()[:3], ["served", "1.1", "200"])
        self.assertEqual(self.curl("--no-alpn", https).split()[:3], ["served", "1.1", "200"])
        for name in ("http", "grpc"):
            plain = f"http://127.0.0.1:{self.ports[name]}/direct"
            self.assertEqual(self.curl("--http2-prior-knowledge", plain).split()[:3], ["served", "2", "200"])
            self.assertEqual(self.curl("--http2", plain).split()[:3], ["served", "1.1", "200"])
            self.assertEqual(self.curl("--http1.1", plain).split()[:3], ["served", "1.1", "200"])
        self.assertEqual(
            self.logged("protocol"), ["HTTP/2", "HTTP/1.1", "HTTP/1.1", *2 * ["HTTP/2", "HTTP/1.1", "HTTP/1.1"]]
        )

    def test_bodies(self) -> None:
        """Large bodies pass both ways, whole."""
        large = self.folder / "large"
        large.write_bytes(bytes(20_000_000))
        url = f"https://a.example:{self.ports['https']}/large"
        self.assertEqual(self.curl(url, "-o", "got").split(), ["2", "200", str(LARGE), "0"])
        self.assertEqual((self.folder / "got").stat().st_size, LARGE)
        said = self.curl("--data-binary", f"@{large}", "-H", "expect:", url + "/upload").split()
        self.assertEqual(said, ["20000000", "2", "200", "8", "20000000"])

    def test_httpx(self) -> None:
        """A Python client asks a hundred times at once over one connection."""

        async def ask() -> list[httpx.Response]:
            async with httpx.AsyncClient(http2=True, http1=False, timeout=PATIENCE) as client:
                url = f"http://127.0.0.1:{self.ports['http']}/x"
                return await asyncio.gather(*[client.post(f"{url}{each}", content=b"a" * each) for each in range(100)])

        answers = asyncio.run(ask())
        self.assertEqual({(answer.http_version, answer.status_code) for answer in answers}, {("HTTP/2", 200)})
        told = {json.loads(answer.content)["target"] for answer in answers}
        self.assertEqual(told, {f"/x{each}" for each in range(100)})

    def test_trailers(self) -> None:
        """nghttp sends trailers, and the backend sees them."""
        (self.folder / "body").write_bytes(b"abc")
        url = f"http://127.0.0.1:{self.ports['http']}/trailers"
        self.run_client("nghttp", "--data=body", "--trailer=x-sum: 1", "--no-content-length", url)
        self.assertEqual(self.backends.saw("echo")[0].trailers, [("x-sum", "1")])

    def test_misdirected(self) -> None:
        """Row 67: a connection serves all names with the same TLS rules, and others not at all."""
        found = self.asked_inside("a.example", ("a.example", "b.example", "mutual.example"))
        self.assertEqual(found, [200, 200, 421])

    def asked_inside(self, name: str, hosts: tuple[str, ...]) -> list[int]:
        """Connect with an SNI name, and return the statuses of requests for hosts."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

        async def ask() -> list[int]:
            async with httpx.AsyncClient(http2=True, http1=False, verify=context, timeout=PATIENCE) as client:
                url = f"https://127.0.0.1:{self.ports['https']}/direct"
                extensions = {"sni_hostname": name}
                return [
                    (await client.get(url, headers={"host": host}, extensions=extensions)).status_code for host in hosts
                ]

        return asyncio.run(ask())

    # ------------------------------------------------------------------------------------------------------------------

    def load(self, *options: str) -> tuple[int, int, int]:
        """Run h2load; return how many requests were begun, answered well, and answered badly or not at all."""
        said = self.run_client("h2load", *options, timeout=2 * PATIENCE)
        counts = re.search(r"(\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, (\d+) failed", said)
        assert counts is not None, said
        _, started, _, succeeded, _ = map(int, counts.groups())
        return started, succeeded, started - succeeded

    def under_load(self, path: str) -> tuple[threading.Thread, list[tuple[int, int, int]]]:
        """Begin to ask over several connections, ten requests at a time on each."""
        found: list[tuple[int, int, int]] = []
        https = self.ports["https"]
        options = ("-n", "30000", "-c", "4", "-m", "10", f"--connect-to=127.0.0.1:{https}")
        thread = threading.Thread(target=lambda: found.append(self.load(*options, f"https://a.example:{https}{path}")))
        thread.start()
        self.backends.saw("echo", 50)
        return thread, found

    def test_reload(self) -> None:
        """A reload under load loses nothing, and the connections go on under the new files."""
        program("h2load")
        thread, found = self.under_load("/echo")
        self.write("served anew")
        self.gateway.says("reloaded in")
        thread.join()
        self.assertEqual(found, [(30000, 30000, 0)])

    def test_end(self) -> None:
        """
        SIGTERM under load lets every request that was sent have its answer.

        What h2load calls begun it may not have sent: told to go elsewhere, it fails those that it was about to send.
        """
        program("h2load")
        thread, found = self.under_load("/echo")
        os.kill(self.gateway.process.pid, signal.SIGTERM)
        thread.join()
        self.assertEqual(self.gateway.process.wait(PATIENCE), 0)
        ((started, succeeded, lost),) = found
        lines = (self.folder / "log.json").read_text().splitlines()
        taken = Counter(json.loads(line)["response_code"] for line in lines)
        self.assertEqual(taken, {200: succeeded}, found)
        self.assertIn(lost, range(41), "ten on each of four connections")
        self.assertLess(started, 30000)

    def test_slow_readers(self) -> None:
        """Row 52: a hundred large bodies that their client does not read need little memory."""
        before = memory(self.gateway.process.pid)
        client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        client.initiate_connection()
        client.increment_flow_control_window(100_000_000)
        for number in range(1, 200, 2):
            head = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/large")]
            client.send_headers(number, head, end_stream=True)

        async def ask() -> int:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.ports["http"])
            writer.write(client.data_to_send())
            came: Counter[int] = Counter()

            async def comes(enough: Callable[[], bool]) -> None:
                while not enough():
                    for event in client.receive_data(await asyncio.wait_for(reader.read(65536), PATIENCE)):
                        if isinstance(event, h2.events.DataReceived):
                            came[event.stream_id or 0] += len(event.data)

            # all that there is room for, and then more of one: time enough to read more of the others
            await comes(lambda: sum(came.values()) == 100 * 65535)
            client.increment_flow_control_window(2_000_000, 1)
            writer.write(client.data_to_send())
            await comes(lambda: came[1] == 65535 + 2_000_000)
            writer.close()
            return memory(self.gateway.process.pid)

        self.assertLess(asyncio.run(ask()) - before, 60_000)


class LargeBackend:
    """Answers every GET with a large body, and every POST with the size of what came."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

        async def listen() -> int:
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1000)
            return int(server.sockets[0].getsockname()[1])

        self.port = asyncio.run_coroutine_threadsafe(listen(), self._loop).result(PATIENCE)

    def stop(self) -> None:
        """End."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = re.search(rb"content-length: (\d+)", head)
                left = int(length[1]) if length else 0
                size = left
                while left:
                    left -= len(await reader.read(min(left, 65536)))
                if head.startswith(b"POST"):
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%d" % (len(str(size)), size))
                    continue
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % LARGE)
                for _ in range(LARGE // 100_000):
                    writer.write(bytes(100_000))
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


def memory(pid: int) -> int:
    """Return the kibibytes of memory that a process has for itself."""
    found = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1])
