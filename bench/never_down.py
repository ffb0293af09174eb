"""
What clients notice while everything about a gateway of several processes changes: nothing, if it is as it should be.

Under connections that are kept and new ones, of HTTP, HTTPS and HTTP/2, files are reloaded, certificates rotated,
workers killed at any time, also in the middle of a reload, the program is upgraded, and at the end the gateway is
drained. A request is lost that was sent, or would have been, and had no whole answer of status 200. Excused are those
on connections of a worker that was killed; each is known by its port.

    python bench/never_down.py --reloads 100 --rotations 20 --kills 10
    python bench/never_down.py --reloads 0 --rotations 0 --kills 0 --upgrades 30
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import signal
import socket
import ssl
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from hpack import Decoder, Encoder
from stage import HOST, family

from edgegate.demo.certificates import fill

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - {{port: {{number: {http}, name: http, protocol: HTTP}}, hosts: ["*"]}}
  - port: {{number: {https}, name: https, protocol: HTTPS}}
    hosts: ["*"]
    tls: {{mode: SIMPLE, serverCertificate: certs/{host}.crt, privateKey: certs/{host}.key}}
{more}---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop}}
spec:
  hosts: ["*"]
  gateways: [gw]
  http:
  - match: [{{uri: {{prefix: /{number}/}}}}]
    directResponse: {{status: 418}}
  - route: [{{destination: {{host: 127.0.0.1, port: {{number: {backend}}}}}}}]
"""
MORE = '  - {{port: {{number: {extra}, name: extra, protocol: HTTP}}, hosts: ["*"]}}\n'

PATIENCE = 30.0
"""Seconds that an answer or a reload may take."""

PAUSE = 0.2
"""Seconds between two requests of a connection that is kept."""

SETTLED = 10
"""Reloads after which memory is to grow no more."""

KINDS = ("http", "https", "h2")


@dataclass
class Found:
    """
    What clients have met.

    @ivar answered: Whole answers, by the kind of client.
    @ivar lost: What went wrong, and the client's port.
    @ivar killed: Ports of connections to workers that were killed.
    """

    answered: Counter[str] = field(default_factory=Counter)
    lost: list[tuple[str, int]] = field(default_factory=list)
    killed: set[int] = field(default_factory=set)

    def faults(self) -> list[str]:
        """Return what went wrong and is not excused."""
        return [what for what, port in self.lost if port not in self.killed]


class Clients:
    """Connections, and what they meet."""

    def __init__(self, ports: dict[str, int]) -> None:
        """
        @param ports: By L{KINDS}.
        """
        self.found = Found()
        self.ending = False
        self._ports = ports
        self.lag = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    def keep(self, kind: str) -> None:
        """Keep a connection, or its successor, and ask on it again and again."""
        self._begin(self._kept(kind))

    async def come(self, rate: float) -> None:
        """Open so many connections a second, for one request each, until there is an end."""
        number, began = 0, time.monotonic()
        while not self.ending:
            self._begin(self._connection(KINDS[number % len(KINDS)], lambda: True))
            number += 1
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))

    async def watch(self) -> None:
        """Take note of the longest time that these clients themselves were held up."""
        while not self.ending:
            before = time.monotonic()
            await asyncio.sleep(0.1)
            self.lag = max(self.lag, time.monotonic() - before - 0.1)

    async def end(self) -> None:
        """Wait until each has had its last answer."""
        self.ending = True
        await asyncio.wait(self._tasks, timeout=PATIENCE)

    def _begin(self, work: Awaitable[None]) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _lost(self, kind: str, port: int, what: str) -> None:
        now = datetime.now(timezone.utc).time()
        self.found.lost.append((f"{now} {kind} from port {port}: {what}", port))

    async def _kept(self, kind: str) -> None:
        while not self.ending:
            await self._connection(kind, lambda: self.ending)
            await asyncio.sleep(PAUSE)

    async def _connection(self, kind: str, last: Callable[[], bool]) -> None:
        """Open one, and ask until it is closed in good order, or the request before was the last."""
        sock = socket.socket()
        sock.setblocking(False)
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        try:
            reader, writer = await asyncio.wait_for(_opened(sock, kind, self._ports[kind]), PATIENCE)
        except (OSError, asyncio.TimeoutError) as error:
            sock.close()
            if not self.ending:
                self._lost(kind, port, f"connect: {error!r}")
            return
        ask = _Http2(reader, writer).ask if kind == "h2" else _Http1(reader, writer).ask
        try:
            while True:
                going_on = await asyncio.wait_for(ask(), PATIENCE)
                self.found.answered[kind] += 1
                if not going_on or last():
                    return
                await asyncio.sleep(PAUSE * random.uniform(0.5, 1.5))
                if reader.at_eof():
                    return
        except (OSError, EOFError, ValueError, asyncio.TimeoutError) as error:
            self._lost(kind, port, repr(error))
        finally:
            writer.close()


async def _opened(sock: socket.socket, kind: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    return await asyncio.open_connection(sock=sock, **_tls(kind))


def _context(protocol: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    return context


CONTEXTS = {"https": _context("http/1.1"), "h2": _context("h2")}


def _tls(kind: str) -> dict[str, object]:
    return {} if kind == "http" else {"ssl": CONTEXTS[kind], "server_hostname": HOST}


class _Http1:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self) -> bool:
        """Ask; return whether the connection goes on."""
        self._writer.write(b"GET / HTTP/1.1\r\nhost: %b\r\n\r\n" % HOST.encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        await self._reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        if not head.startswith(b"http/1.1 200 "):
            raise ValueError(head)
        return b"connection: close" not in head


class _Http2:
    """
    As much of HTTP/2 as these requests need (RFC 9113).

    L{h2.connection} takes the first GOAWAY for the end, and not as section 6.8 has it for the announcement of one.
    """

    _DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY = 0, 1, 3, 4, 6, 7
    _END_STREAM = _ACK = 1

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._encoder, self._decoder = Encoder(), Decoder()
        self._leaving = False
        self._number = -1
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self._frame(self._SETTINGS, 0, 0))

    async def ask(self) -> bool:
        """Ask; return whether the connection goes on. What is not processed, as GOAWAY says, was not asked."""
        self._number += 2
        fields = [(":method", "GET"), (":scheme", "https"), (":authority", HOST), (":path", "/")]
        self._writer.write(self._frame(self._HEADERS, 0x5, self._number, self._encoder.encode(fields)))
        while True:
            try:
                head = await self._reader.readexactly(9)
            except EOFError:
                if self._leaving:
                    return False
                raise
            stream = int.from_bytes(head[5:], "big")
            body = await self._reader.readexactly(int.from_bytes(head[:3], "big"))
            if self._take(head[3], head[4], stream, body):
                return False
            if head[3] in (self._DATA, self._HEADERS) and head[4] & self._END_STREAM and stream == self._number:
                return not self._leaving

    def _take(self, kind: int, flags: int, stream: int, body: bytes) -> bool:
        """Take a frame; return whether it says that the request is not processed."""
        if kind == self._HEADERS:
            status = dict(self._decoder.decode(body))[":status"]
            if status != "200":
                raise ValueError(status)
        elif kind in (self._SETTINGS, self._PING) and not flags & self._ACK:
            self._writer.write(self._frame(kind, self._ACK, 0, body if kind == self._PING else b""))
        elif kind == self._RST_STREAM:
            raise ValueError(f"stream {stream} is reset: {body.hex()}")
        elif kind == self._GOAWAY:
            self._leaving = True
            if any(body[4:8]):
                raise ValueError(f"GOAWAY {body.hex()}")
            return int.from_bytes(body[:4], "big") < self._number
        return False

    def _frame(self, kind: int, flags: int, stream: int, body: bytes = b"") -> bytes:
        return len(body).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + body


class Gateway:
    """The gateway and its files."""

    def __init__(self, folder: Path, workers: int, backends: tuple[int, int], more: list[str]) -> None:
        self._folder = folder
        self._workers = workers
        self._backends = backends
        self._more = more
        self._lines: list[str] = []
        self._news = asyncio.Condition()
        self._reading: asyncio.Task[None]
        self._number = 0
        http, https, self._extra = _free_ports(3)
        self.ports = {"http": http, "https": https, "h2": https}
        self.process: asyncio.subprocess.Process
        self.pid = 0

    async def start(self) -> None:
        """Start it, and wait until it serves."""
        self.rotate()
        self.write()
        command = [sys.executable, "-m", "twisted", "-n", "--pidfile=", "edgegate", f"--config={self._folder}"]
        command = [str(Path(sys.executable).parent / "twistd"), *command[3:]]
        options = ["--no-watch", "--admin=none", f"--workers={self._workers}", *self._more]
        self.process = await asyncio.create_subprocess_exec(
            *command, *options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=self._folder
        )
        self.pid = self.process.pid
        self._reading = asyncio.create_task(self._read())
        await self.says("serving ", 1)

    async def says(self, text: str, count: int) -> None:
        """Wait until that many lines of its log have a text in them."""
        async with self._news:
            try:
                enough = self._news.wait_for(lambda: self.said(text) >= count)
                await asyncio.wait_for(enough, PATIENCE)
            except asyncio.TimeoutError:
                raise SystemExit(f"the gateway did not say {text!r}:\n{''.join(self._lines[-40:])}") from None

    def said(self, text: str) -> int:
        """Return how many lines of its log have a text in them."""
        return sum(text in line for line in self._lines)

    @property
    def log(self) -> str:
        """What it has said."""
        return "".join(self._lines)

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            async with self._news:
                self._lines.append(line.decode(errors="replace"))
                self._news.notify_all()

    def write(self) -> None:
        """Write the files of another backend, with a port more each third time."""
        self._number += 1
        more = MORE.format(extra=self._extra) if self._number % 3 == 0 else ""
        backend = self._backends[self._number % 2]
        text = FILES.format(more=more, host=HOST, backend=backend, number=self._number, **self.ports)
        (self._folder / "gateway.yaml").write_text(text)

    def rotate(self) -> None:
        """Have another certificate and key."""
        certs = self._folder / "certs"
        for name in (f"{HOST}.crt", f"{HOST}.key"):
            (certs / name).unlink(missing_ok=True)
        fill(certs, [HOST], [])

    async def reload(self, count: int) -> None:
        """Reload, and wait for it."""
        os.kill(self.pid, signal.SIGHUP)
        await self.says("reloaded in", count)

    async def upgrade(self, count: int) -> None:
        """Have a new process in the place of the one that serves, and wait for it."""
        os.kill(self.pid, signal.SIGUSR2)
        await self.says("upgraded: pid", count)
        self.pid = int(re.findall(r"upgraded: pid (\d+)", self.log)[-1])

    def workers(self) -> list[int]:
        """Return the processes that serve, of whatever files."""
        return [pid for pid in family(self.pid) if _name(pid) == "edgegate worker"]

    def kill_one(self, found: Found) -> None:
        """Kill a worker, and take note of who was connected to it."""
        victim = random.choice(self.workers())
        try:
            # it accepts nothing from here on
            os.kill(victim, signal.SIGSTOP)
            found.killed.update(_clients(victim, set(self.ports.values())))
            os.kill(victim, signal.SIGKILL)
        except (ProcessLookupError, FileNotFoundError):
            pass  # it has ended by itself

    def size(self) -> float:
        """Return the MiB that all processes have together: what they share is counted once."""
        return sum(_proportional(pid) for pid in family(self.pid)) / 1024

    def census(self) -> dict[str, int]:
        """Return the processes by their names, and the descriptors of each kind."""
        found: Counter[str] = Counter()
        for pid in family(self.pid):
            name = _name(pid) or "supervisor"
            found[name] += 1
            try:
                found[f"{name}'s descriptors"] += len(list(Path(f"/proc/{pid}/fd").iterdir()))
                found["zombies"] += Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
            except OSError:
                pass
        return dict(found)

    async def drain(self) -> int:
        """End it as systemd would; return the status of the first process, whether it was upgraded or not."""
        os.kill(self.pid, signal.SIGTERM)
        # until no process is left that could say something
        await asyncio.wait_for(self._reading, 2 * PATIENCE)
        return await self.process.wait()


def _free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on, below those that the kernel gives to connections."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(11_000, 31_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            found.append(port)
    return found


def _name(pid: int) -> str:
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
    return name if name.startswith("edgegate") else ""


def _proportional(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))


def _clients(pid: int, ports: set[int]) -> set[int]:
    """Return the ports of the clients of a process's connections."""
    inodes = {str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()}
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            row = line.split()
            if f"socket:[{row[9]}]" in inodes and int(row[1].rpartition(":")[2], 16) in ports:
                found.add(int(row[2].rpartition(":")[2], 16))
    return found


async def _backend(body: bytes) -> int:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1000)
    return int(server.sockets[0].getsockname()[1])


async def changes(gateway: Gateway, clients: Clients, told: argparse.Namespace) -> list[float]:
    """Reload, rotate, kill and upgrade, as often as was told; return the MiB of all processes after each reload."""
    sizes = []
    kills = {told.reloads * (each + 1) // (told.kills + 1): each for each in range(told.kills)}
    for number in range(1, told.reloads + 1):
        if told.rotations and number % max(1, told.reloads // told.rotations) == 0:
            await asyncio.to_thread(gateway.rotate)
        gateway.write()
        reload = asyncio.create_task(gateway.reload(number))
        if number in kills:
            # some before the new workers are there, some after
            await asyncio.sleep(random.uniform(0, 0.4))
            gateway.kill_one(clients.found)
        await reload
        await asyncio.sleep(told.pause)
        sizes.append(round(await asyncio.to_thread(gateway.size), 1))
    for number in range(1, told.upgrades + 1):
        await gateway.upgrade(number)
        # what is left of the old process ends
        await asyncio.sleep(told.pause + 1.0)
    return sizes


async def measure(told: argparse.Namespace, folder: Path) -> bool:
    """Do all of it, print what came of it, and return whether it is as it should be."""
    gateway = Gateway(folder, told.workers, (await _backend(b"A"), await _backend(b"B")), told.more)
    await gateway.start()
    clients = Clients(gateway.ports)
    before = gateway.census()
    for number in range(told.keep):
        clients.keep(KINDS[number % len(KINDS)])
    coming = asyncio.gather(clients.come(told.rate), clients.watch())
    sizes = await changes(gateway, clients, told)
    await asyncio.sleep(1.0)
    busy = gateway.census()
    ended = asyncio.create_task(gateway.drain())
    await asyncio.sleep(0)
    await asyncio.gather(clients.end(), coming)
    status = await ended
    if told.log:
        await asyncio.to_thread(Path(told.log).write_text, gateway.log)
    left = [pid for pid in _everybody() if _where(pid) == folder]
    found = clients.found
    print("answered:", dict(found.answered))
    print("lost on workers that were killed:", len(found.lost) - len(found.faults()))
    print("lost:", len(found.faults()), *found.faults()[:10], sep="\n  ")
    print("MiB after each reload:", *sizes)
    print(f"these clients were held up for {clients.lag:.1f} s at most")
    print("before:", before, "\nafter the last reload:", busy, "\nleft over:", left, "\nstatus:", status)
    flat = len(sizes) <= SETTLED or max(sizes[-SETTLED:]) < max(sizes[:SETTLED]) * 1.1
    return not found.faults() and flat and not left and not busy.get("zombies")


def _everybody() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and int(each.name) != os.getpid()]


def _where(pid: int) -> Path | None:
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=int, default=200, help="connections that are kept")
    parser.add_argument("--rate", type=float, default=50, help="new connections a second")
    parser.add_argument("--reloads", type=int, default=100)
    parser.add_argument("--rotations", type=int, default=20)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--upgrades", type=int, default=0)
    parser.add_argument("--pause", type=float, default=0.3, help="seconds after a reload or an upgrade")
    parser.add_argument("--log", help="file for what the gateway says")
    parser.add_argument("more", nargs="*", help="more options of the gateway, after --")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        good = asyncio.run(measure(told, Path(folder).resolve()))
    sys.exit(not good)


if __name__ == "__main__":
    main()
