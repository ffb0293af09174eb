"""The clients: wrk where it can do the work, h2load for HTTP/2, else a small one in asyncio. All end in time."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stage import HOST, LOAD_CORE, Stage

OPENSSL = """\
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = tls
[tls]
MinProtocol = TLSv1.3
Ciphersuites = TLS_AES_128_GCM_SHA256
"""
"""All clients offer one cipher suite: some proxies would take their own favourite, some that of the client."""

UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass(frozen=True)
class Said:
    """
    What a client tells after its time.

    @ivar done: How many units of work; all of them were answered well.
    @ivar p99: Milliseconds that 99 of 100 took at most.
    """

    done: int
    p99: float


class Unanswered(Exception):
    """Work was not done, or not as it should be; the message tells what the client said."""


Load = Callable[[Stage, int, int], Said]
"""Puts load on a port of 127.0.0.1 for some seconds."""


def wrk(path: str = "/", *, tls: bool = False, connections: int = 64, close: bool = False, script: str = "") -> Load:
    """
    Return a load of wrk.

    @param close: A new connection for each request.
    @param script: Lua.
    """

    def load(stage: Stage, port: int, seconds: int) -> Said:
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-H", f"Host: {HOST}"]
        if close:
            command += ["-H", "Connection: close"]
        if script:
            command += ["-s", stage.write("wrk.lua", script)]
        url = f"http{'s' if tls else ''}://127.0.0.1:{port}{path}"
        said = _run(stage, [*command, url], seconds)
        done = re.search(r"(\d+) requests in", said)
        p99 = re.search(r"\n\s+99%\s+([\d.]+)([a-z]+)", said)
        # wrk counts what it cut off at the end of its time among the socket errors, as reads
        broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
        bad = "Non-2xx" in said or (broken and sum(int(broken[part]) for part in ((1, 3) if close else (1, 2, 3))))
        if not done or not int(done[1]) or not p99 or bad:
            raise Unanswered(f"{url} is not answered as it should be:\n{said}")
        return Said(int(done[1]), float(p99[1]) * UNITS[p99[2]])

    return load


def h2load(
    path: str = "/",
    *,
    connections: int,
    streams: int,
    tls: bool = True,
    body: bytes = b"",
    fields: tuple[str, ...] = (),
    answer: int = 0,
) -> Load:
    """
    Return a load of h2load: HTTP/2, in the clear with the preface alone.

    @param streams: Requests that are under way on each connection.
    @param body: What each request sends; without it they are GETs.
    @param fields: Header fields, each as C{"name: value"}.
    @param answer: Bytes of the body that each is answered with: what fails in gRPC has the status 200, but no body.
    """
    scheme, protocol = ("https", "h2") if tls else ("http", "h2c")

    def load(stage: Stage, port: int, seconds: int) -> Said:
        times = stage.folder / "h2load.log"
        times.unlink(missing_ok=True)
        command = ["h2load", "-t1", f"-c{connections}", f"-m{streams}", f"-D{seconds}", f"--log-file={times}"]
        if body:
            sent = stage.folder / "h2load.body"
            sent.write_bytes(body)
            command.append(f"--data={sent}")
        command += [f"--header={field}" for field in fields]
        said = _run(stage, [*command, f"--connect-to=127.0.0.1:{port}", f"{scheme}://{HOST}:{port}{path}"], seconds)
        done = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", said)
        bodies = re.search(r"\((\d+)\) data", said)
        if not done or not bodies or int(bodies[1]) < int(done[1]) * answer:
            raise Unanswered(f"HTTP/2 on port {port} is not answered in full:\n{said}")
        if not int(done[1]) or int(done[2]) or f"Application protocol: {protocol}\n" not in said:
            raise Unanswered(f"HTTP/2 on port {port} is not answered as it should be:\n{said}")
        took = sorted(int(line.split()[2]) for line in times.read_text().splitlines())
        return Said(int(done[1]), took[len(took) * 99 // 100] * UNITS["us"])

    return load


def upload(size: int) -> str:
    """Return the script that sends bodies of a size."""
    return f'wrk.method = "POST"\nwrk.body = string.rep("x", {size})\n'


MANY = """\
local number = 0
request = function()
  number = (number + 7919) % 10000
  return "GET / HTTP/1.1\\r\\nHost: shop-" .. number .. ".example.com\\r\\n\\r\\n"
end
"""
"""Asks each of 10,000 virtual hosts in turn, none after its neighbour."""


def own(work: str, connections: int) -> Load:
    """Return a load of the client below."""

    def load(stage: Stage, port: int, seconds: int) -> Said:
        command = [sys.executable, __file__, work, str(port), str(seconds), str(connections), str(stage.folder)]
        said = _run(stage, command, seconds)
        try:
            return Said(**json.loads(said))
        except ValueError:
            raise Unanswered(f"{work} on port {port} is not answered as it should be:\n{said}") from None

    return load


def _run(stage: Stage, command: list[str], seconds: int) -> str:
    ran = subprocess.run(
        ["taskset", "-c", LOAD_CORE, *command],
        env={**os.environ, "OPENSSL_CONF": stage.write("openssl.cnf", OPENSSL)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds + 60,
        check=False,
    )
    return ran.stdout


def context(folder: Path, certificate: bool = False) -> ssl.SSLContext:
    """Return a client's settings, of TLS 1.3 as a browser speaks it; with its certificate where one is asked for."""
    found = ssl.create_default_context(cafile=str(folder / "certs" / "ca.crt"))
    if certificate:
        found.load_cert_chain(folder / "certs" / "client.crt", folder / "certs" / "client.key")
    return found


REQUEST = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


async def _mutual(port: int, folder: Path, over: Callable[[], bool], took: Callable[[float], None]) -> None:
    """Keep one connection with a client's certificate and ask again and again."""
    clock = asyncio.get_running_loop().time
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context(folder, True), server_hostname=HOST)
    while not over():
        began = clock()
        writer.write(REQUEST)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise SystemExit(head.decode())
        length = re.search(rb"content-length: (\d+)", head.lower())
        assert length is not None, head
        await reader.readexactly(int(length[1]))
        took(clock() - began)
    writer.close()


async def _websocket(port: int, _folder: Path, over: Callable[[], bool], took: Callable[[float], None]) -> None:
    """Keep one WebSocket and have 100 bytes echoed again and again."""
    from websockets.asyncio.client import connect  # noqa: PLC0415 (an extra of one scenario)

    clock = asyncio.get_running_loop().time
    async with connect(f"ws://{HOST}:{port}/ws", host="127.0.0.1", compression=None, proxy=None) as connection:
        while not over():
            began = clock()
            await connection.send(b"x" * 100)
            if await connection.recv() != b"x" * 100:
                raise SystemExit("another echo")
            took(clock() - began)


def _resume(port: int, folder: Path, over: Callable[[], bool], took: Callable[[float], None]) -> None:
    """Open one connection after the other for a request each, all with the session of the one before."""
    settings = context(folder)
    session: ssl.SSLSession | None = None
    while not over():
        began = time.monotonic()
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            settings.wrap_socket(plain, server_hostname=HOST, session=session) as secure,
        ):
            secure.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            secure.sendall(REQUEST)
            if not secure.recv(65536).startswith(b"HTTP/1.1 200 "):
                raise SystemExit("no good answer")
            if session is not None and not secure.session_reused:
                raise SystemExit("not resumed")
            session = secure.session
        took(time.monotonic() - began)


async def _echo(port: int) -> None:
    """Be the WebSocket backend."""
    from websockets.asyncio.server import serve  # noqa: PLC0415

    async def echo(connection: object) -> None:
        async for message in connection:  # type: ignore[attr-defined]
            await connection.send(message)  # type: ignore[attr-defined]

    async with serve(echo, "127.0.0.1", port, compression=None):
        await asyncio.get_running_loop().create_future()


def main() -> None:
    """Do one client's work, and print what came of it."""
    work, port = sys.argv[1], int(sys.argv[2])
    if work == "echo":
        asyncio.run(_echo(port))
        return
    seconds, connections, folder = float(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5])
    if work == "mixed":
        import mixed_http2  # noqa: PLC0415 (so is hpack)

        prepared = mixed_http2.prepared(connections)

    deadline = time.monotonic() + seconds
    times: list[float] = []

    def over() -> bool:
        return time.monotonic() >= deadline

    async def together() -> None:
        if work == "mixed":
            await mixed_http2.mixed(port, context(folder), prepared, over, times.append)
        else:
            one = {"mutual": _mutual, "websocket": _websocket}[work]
            await asyncio.gather(*(one(port, folder, over, times.append) for _ in range(connections)))

    if work == "resume":
        _resume(port, folder, over, times.append)
    else:
        asyncio.run(together())
    times.sort()
    print(json.dumps({"done": len(times), "p99": times[len(times) * 99 // 100] * 1000}))


if __name__ == "__main__":
    main()
