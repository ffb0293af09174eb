"""
What hostile HTTP/2 clients cost: the gateway's memory while thousands of them are connected, and a good client's p99.

    python bench/hostile.py --connections 5000 .venv-bench/bin/twistd

C{ulimit -n} has to be more than four times as many: a gateway takes connections up to half of it. Each kind of client
meets a gateway of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from string import Template

from loads import context
from stage import DESCRIPTORS, HOST, LOAD_CORE, PROXY_CORE, Stage, free_ports, resident, running

from edgegate.http.h2.frames import (
    CONTINUATION,
    END_HEADERS,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    PREFACE,
    PRIORITY,
    SETTINGS_ACK,
    data_start,
    frame,
    header_frames,
    ping_frame,
    reset_frame,
    settings_frame,
    window_update_frame,
)
from edgegate.http.h2.hpack import block_of, integer

LARGE = 256 * 1024
"""Bytes of the answer that nobody reads."""

STREAMS = 100

HOLD = 8
"""Seconds for which all of them stay: nothing that they wait for is overdue by then."""

ADDRESSES = 100
"""Of the hostile clients: an attack has many, and the good client another."""

PATIENCE = 60.0

START = PREFACE + settings_frame([]) + SETTINGS_ACK


def request(path: str, method: str = "GET", host: str = HOST) -> bytes:
    """Return the block of a request."""
    fields = [(b":method", method.encode()), (b":scheme", b"https"), (b":authority", host.encode())]
    return block_of([*fields, (b":path", path.encode())])


def asks(block: bytes, ends: bool = True, body: bytes = b"") -> bytes:
    """Return as many requests as a connection may have under way."""
    data = [data_start(len(body), False) + number.to_bytes(4, "big") + body for number in range(1, 2 * STREAMS, 2)]
    heads = [header_frames(number, block, ends) for number in range(1, 2 * STREAMS, 2)]
    return b"".join(head + (piece if body else b"") for head, piece in zip(heads, data, strict=True))


def tables() -> bytes:
    """Return requests that fill the table of the connection, and the memories of what its blocks mean."""
    added = b"".join(
        b"\x40" + integer(9, 0, 7) + b"x-fill-%02d" % at + integer(27, 0, 7) + b"y" * 27 for at in range(40)
    )
    blocks = [request(f"/{at}" + "z" * 440) for at in range(32)]
    return b"".join(
        header_frames(2 * at + 1, (added if not at else b"") + block, True) for at, block in enumerate(blocks)
    )


ZERO = settings_frame([(INITIAL_WINDOW_SIZE, 0)])

KINDS: dict[str, tuple[bytes, bytes]] = {
    # what each says at first, and again every second
    "opened": (b"", b""),
    "idle": (START, b""),
    "readers": (START + ZERO + asks(request("/large")), b""),
    "readers-local": (START + ZERO + asks(request("/nowhere", host="nobody.example")), b""),
    "negative": (START + asks(request("/large")) + ZERO, b""),
    "blocks": (
        START + frame(HEADERS, 0, 1, b"x" * 8000) + frame(CONTINUATION, END_HEADERS, 1, b"x" * 8000)[:-1],
        b"",
    ),
    "frames": (START + frame(HEADERS, END_HEADERS, 1, b"x" * 16384)[:-1], b""),
    "uploads": (START + asks(request("/sink", "POST"), False, b"x" * 10_000), b""),
    "tables": (START + tables(), b""),
    "floods": (
        START + b"".join(frame(PRIORITY, 0, 2 * at + 1, bytes(5)) for at in range(1, 90)) + settings_frame([]) * 90,
        ping_frame(bytes(8)),
    ),
    "updates": (START + window_update_frame(0, 1) * 180, window_update_frame(0, 1)),
    "pipelined": (b"GET / HTTP/1.1\r\nHost: nobody.example\r\n\r\n" * 1500, b""),
}

HTTP1 = "pipelined"

YIELDS = ["nice", "-n", "10", "taskset", "-c", LOAD_CORE]
"""How what is not measured runs on the core of the good client and its backend: when these have nothing to do."""


def resets(second: int) -> bytes:
    """Return a request that is reset at once, in each second another."""
    number = 2 * second + 1
    return header_frames(number, request("/"), True) + reset_frame(number, 8)


class Clients:
    """The hostile clients: all connections of one kind."""

    def __init__(self, port: int, settings: ssl.SSLContext | None) -> None:
        self.port, self.settings = port, settings
        self.sockets: list[socket.socket] = []

    def open(self, count: int, rate: int, says: bytes) -> int:
        """Connect, so many a second, each saying the same as far as it goes at once; return how many could say it."""
        began, said = time.monotonic(), 0
        for number in range(count):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            source = f"127.0.1.{1 + number % ADDRESSES}"
            sock = socket.create_connection(("127.0.0.1", self.port), PATIENCE, (source, 0))
            if self.settings is not None:
                sock = self.settings.wrap_socket(sock, server_hostname=HOST)
            sock.setblocking(False)
            self.sockets.append(sock)
            said += not says or sock.send(says) == len(says)
        return said

    def say(self, data: bytes) -> None:
        """Have all say the same; those that were ended, or are not read, don't."""
        for sock in self.sockets:
            with contextlib.suppress(OSError):
                sock.send(data)


def attack(port: int, folder: Path, kind: str, count: int, rate: int, clear: bool) -> None:
    """Be all clients of a kind, and tell how many of them could say everything; the end of the input ends them."""
    settings = None
    if not clear:
        settings = context(folder)
        settings.set_alpn_protocols(["http/1.1" if kind == HTTP1 else "h2"])
    clients = Clients(port, settings)
    first, again = KINDS.get(kind, (START, b""))
    said = clients.open(count, rate, first)
    for second in range(HOLD):
        began = time.monotonic()
        data = resets(second) if kind == "resets" else again
        if data:
            clients.say(data)
        time.sleep(max(0.0, began + 1 - time.monotonic()))
    print(said, flush=True)
    sys.stdin.readline()


class Backend:
    """Answers /large with much, never reads what goes to /sink, and answers all else with little."""

    def __init__(self, on_core: list[str]) -> None:
        """@param on_core: Prefix of its command."""
        self.process = subprocess.Popen(
            [*on_core, sys.executable, __file__, "backend"], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())


def serve() -> None:
    """Be the backend."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if b" /sink" in head:
                    writer.transport.pause_reading()  # type: ignore[attr-defined]
                    await asyncio.sleep(3600)
                body = b"x" * LARGE if b" /large" in head else b"ok"
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    async def forever() -> None:
        server = await asyncio.start_server(one, "127.0.0.1", 0, backlog=1000)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(forever())


def good(stage: Stage, port: int, seconds: int, clear: bool) -> tuple[int, float, float]:
    """Ask 100 times a second, on one connection; return the answers, the milliseconds of p99 and the most."""
    times = stage.folder / "h2load.log"
    times.unlink(missing_ok=True)
    url = f"{'http' if clear else 'https'}://{HOST}:{port}/"
    command = ["h2load", "-t1", "-c1", "-m10", "--rps=100", f"-D{seconds}", f"--log-file={times}"]
    ran = subprocess.run(
        ["taskset", "-c", LOAD_CORE, *command, f"--connect-to=127.0.0.1:{port}", url],
        capture_output=True,
        text=True,
        timeout=seconds + 60,
        check=False,
    )
    done = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", ran.stdout)
    took = sorted(int(line.split()[2]) for line in times.read_text().splitlines())
    if not done or not took or int(done[2]) or int(done[3]):
        print(f"the good client was not served:\n{ran.stdout}{ran.stderr}", file=sys.stderr)
        return 0, 0.0, 0.0
    return int(done[1]), took[len(took) * 99 // 100] / 1000, took[-1] / 1000


FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  servers:
  - {port: {number: $http, name: http, protocol: HTTP}, hosts: ["*"], bind: 127.0.0.1}
  - port: {number: $https, name: https, protocol: HTTPS}
    hosts: ["*"]
    bind: 127.0.0.1
    tls: {mode: SIMPLE, serverCertificate: $certificate, privateKey: $key}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: all}
spec:
  hosts: [bench.example.com]
  gateways: [gw]
  http:
  - match: [{uri: {exact: /}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $backend}}}]
  - route: [{destination: {host: 127.0.0.1, port: {number: $other}}}]
"""


def one(given: argparse.Namespace, kind: str, backend: int, other: int) -> dict[str, object]:
    """Measure one kind."""
    with tempfile.TemporaryDirectory(prefix="edgegate-bench-") as name:
        http, https = free_ports(2)
        stage = Stage(Path(name), backend)
        certificate, key = stage.certificate
        values = {
            "http": http,
            "https": https,
            "backend": backend,
            "other": other,
            "certificate": certificate,
            "key": key,
        }
        stage.write("etc/a.yaml", Template(FILES).substitute(values))
        options = ["--config", f"{name}/etc", "--admin=none", "--access-log=none", "--no-watch"]
        log = Path(name) / "log"
        port = http if given.clear else https
        count, rate = given.connections, given.rate
        with running([given.twistd, "-n", "--pidfile=", "edgegate", *options], PROXY_CORE, port, log) as gateway:
            empty = resident(gateway.pid)
            command = [sys.executable, __file__, "attack", str(port), name, kind, str(count), str(rate)]
            with subprocess.Popen(
                [*YIELDS, *command, str(int(given.clear))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            ) as client:
                assert client.stdin is not None and client.stdout is not None
                asked, p99, most = good(stage, port, count // rate + HOLD, given.clear)
                said = int(client.stdout.readline())
                held = resident(gateway.pid)
                client.stdin.close()
            said_log = log.read_text(errors="replace")
            if "Traceback" in said_log:
                print(said_log, file=sys.stderr)
            return {
                "kind": kind,
                "said": said,
                "empty": round(empty),
                "held": round(held),
                "most": round(resident(gateway.pid, "VmHWM")),
                "answers": asked,
                "p99": round(p99, 1),
                "slowest": round(most, 1),
            }


def main() -> None:
    """Measure."""
    if sys.argv[1] == "backend":
        serve()
        return
    if sys.argv[1] == "attack":
        port, folder, kind, count, rate, clear = sys.argv[2:]
        attack(int(port), Path(folder), kind, int(count), int(rate), clear == "1")
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("twistd")
    parser.add_argument("--connections", type=int, default=5000)
    parser.add_argument("--rate", type=int, default=500, help="of them in a second")
    parser.add_argument("--clear", action="store_true", help="without TLS")
    parser.add_argument("--kind", action="append", choices=[*KINDS, "resets"])
    given = parser.parse_args()
    if given.connections * 4 > DESCRIPTORS:
        raise SystemExit(f"ulimit -n is {DESCRIPTORS}")
    backend, other = Backend(["taskset", "-c", LOAD_CORE]), Backend(YIELDS)
    try:
        for kind in given.kind or [*KINDS, "resets"]:
            print(
                json.dumps(one(given, kind, backend.port, other.port)),
                flush=True,
            )
    finally:
        backend.process.kill()
        other.process.kill()


if __name__ == "__main__":
    main()
