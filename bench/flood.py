"""
What a well-behaved client sees while others ask for too much: how long its requests take, on connections old and new.

The gateway has one core, all clients the other. Each flood comes from other
addresses than the well-behaved client's: from one, or from many.
"""

from __future__ import annotations

import argparse
import random
import resource
import select
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stage import HOST, LOAD_CORE, PROXY_CORE, Stage, cpu_seconds, running

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - {{port: {{number: {http}, name: http, protocol: HTTP}}, hosts: ["*"]}}
  - port: {{number: {https}, name: https, protocol: HTTPS}}
    hosts: ["{host}"]
    tls: {{mode: SIMPLE, serverCertificate: {certificate}, privateKey: {key}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: web}}
spec:
  hosts: ["*"]
  gateways: [gw]
  http:
  - directResponse: {{status: 200, body: {{string: "ok"}}}}
"""
REQUEST = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
PAUSE = 0.01
"""Seconds between two requests of the well-behaved client."""


@dataclass(frozen=True)
class Flood:
    """
    What is asked for, and of whom.

    @ivar count: Connections at one time.
    @ivar addresses: From how many addresses.
    @ivar descriptors: Those of the gateway.
    """

    count: int
    addresses: int
    descriptors: int = 20_000
    tls: bool = False
    options: tuple[str, ...] = ()


FLOODS = {
    "nothing": Flood(0, 1),
    "idle": Flood(9500, 200, 10_000),
    "heads": Flood(5000, 200),
    "heads-few": Flood(5000, 200, 1024),
    "one": Flood(2000, 1),
    "one-few": Flood(2000, 1, 1024),
    "descriptors": Flood(1000, 50, 300, options=("--max-connections=5000",)),
    "hellos": Flood(200, 50, tls=True),
    "silent": Flood(3000, 50, tls=True),
}
REOPENED = ("heads", "hellos", "silent")
"""The floods whose connections are opened anew when they end; idle ones have no need to."""


class Attacker:
    """A connection that does no good."""

    def __init__(self, kind: str, port: int, address: str, hello: bytes) -> None:
        self.kind = kind
        self.port = port
        self.address = address
        self.hello = hello
        self.open()

    def open(self) -> None:
        """Connect."""
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.bind((self.address, 0))
        self.socket.connect_ex(("127.0.0.1", self.port))
        self.said = False

    def speak(self) -> None:
        """The connection is there: say the first words."""
        self.said = True
        words = {"hellos": self.hello, "heads": REQUEST[:-2] + b"x-", "heads-few": REQUEST[:-2] + b"x-", "silent": b""}
        self.send(words.get(self.kind, REQUEST))

    def drip(self) -> None:
        """Say a little more of what is never whole."""
        if self.kind.startswith("heads") and self.said:
            self.send(b"a")

    def send(self, data: bytes) -> None:
        """Send, and don't mind if that fails."""
        try:
            self.socket.send(data)
        except OSError:
            pass

    def heard(self) -> bool:
        """Read; return whether to begin anew."""
        try:
            return not self.socket.recv(65536) or self.kind == "hellos"
        except BlockingIOError:
            return False
        except OSError:
            return True


def attack(kind: str, port: int, seconds: float) -> None:
    """Be all attackers of a flood for some time."""
    flood = FLOODS[kind]
    hello = client_hello()
    poll = select.epoll()
    known: dict[int, Attacker] = {}

    def watch(each: Attacker) -> None:
        known[each.socket.fileno()] = each
        poll.register(each.socket.fileno(), select.EPOLLOUT)

    until = time.monotonic() + seconds
    waiting = [f"127.0.1.{number % flood.addresses + 1}" for number in range(flood.count)]
    second = time.monotonic()
    opened = 0
    while time.monotonic() < until:
        for address in waiting[:50]:
            watch(Attacker(kind, port, address, hello))
            opened += 1
        del waiting[:50]
        for fd, event in poll.poll(0.01, 256):
            each = known[fd]
            if not each.said and not event & (select.EPOLLERR | select.EPOLLHUP):
                each.speak()
                poll.modify(fd, select.EPOLLIN)
            elif each.heard():
                poll.unregister(fd)
                del known[fd]
                each.socket.close()
                if kind in REOPENED:
                    each.open()
                    watch(each)
                    opened += 1
        if time.monotonic() - second >= 1:
            second = time.monotonic()
            for each in list(known.values()):
                each.drip()
    print(opened)


def client_hello() -> bytes:
    """Return the first words of a client of TLS, which make a server sign, and cost nothing to say again."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    client = context.wrap_bio(incoming, outgoing, server_hostname=HOST)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def connect(port: int, settings: ssl.SSLContext | None) -> socket.socket:
    """Open a well-behaved connection."""
    sock = socket.create_connection(("127.0.0.1", port), 20)
    return sock if settings is None else settings.wrap_socket(sock, server_hostname=HOST)


def ask(sock: socket.socket) -> None:
    """Ask once."""
    sock.sendall(REQUEST)
    if not sock.recv(65536).startswith(b"HTTP/1.1 200 "):
        raise ConnectionError("no good answer")


def behave(port: int, settings: ssl.SSLContext | None, seconds: float) -> tuple[list[float], list[float], int]:
    """Ask on a kept connection and on new ones in turn; return the milliseconds that each took, and how many failed."""
    kept, fresh, failed = [], [], 0
    standing = [connect(port, settings)]
    until = time.monotonic() + seconds

    def timed(took: list[float], work: Callable[[], None]) -> None:
        began = time.monotonic()
        work()
        took.append((time.monotonic() - began) * 1000)

    def anew() -> None:
        sock = connect(port, settings)
        try:
            ask(sock)
        finally:
            sock.close()

    def renew(standing: list[socket.socket]) -> None:
        standing[0] = connect(port, settings)
        ask(standing[0])

    while time.monotonic() < until:
        try:
            timed(kept, lambda: ask(standing[0]))
        except OSError:
            # it lay idle for longest: a client that keeps connections asks on a new one
            standing[0].close()
            timed(fresh, lambda: renew(standing))
        try:
            timed(fresh, anew)
        except OSError:
            failed += 1
        time.sleep(PAUSE)
    return kept, fresh, failed


def percentile(took: list[float], share: float) -> float:
    """Return what a share of all took at most."""
    return sorted(took)[min(int(len(took) * share), len(took) - 1)] if took else float("nan")


def ports() -> list[int]:
    """Return two free ports that no outgoing connection has taken: those of attackers are many."""
    found = []
    for port in random.sample(range(12_000, 30_000), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
        found.append(port)
    return found[:2]


@contextmanager
def gateway(stage: Stage, twistd: str, flood: Flood) -> Iterator[tuple[int, int, int]]:
    """Run a gateway; yield its process and its ports."""
    http, https = ports()
    certificate, key = stage.certificate
    stage.write("etc/web.yaml", FILES.format(http=http, https=https, host=HOST, certificate=certificate, key=key))
    command = ["prlimit", f"--nofile={flood.descriptors}", twistd, "-n", "--pidfile=", "edgegate"]
    command += [f"--config={stage.folder / 'etc'}", "--admin=none", "--access-log=none", *flood.options]
    with running(command, PROXY_CORE, http, stage.folder / "log") as process:
        yield process.pid, http, https


def measure(kind: str, twistd: str, seconds: float) -> None:
    """Print what the well-behaved client sees of one flood."""
    flood = FLOODS[kind]
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), 0)
        with gateway(stage, twistd, flood) as (pid, http, https):
            port, settings = (
                (https, ssl.create_default_context(cafile=str(stage.authority))) if flood.tls else (http, None)
            )
            command = ["taskset", "-c", LOAD_CORE, "nice", sys.executable, __file__, "--attack", kind, str(port)]
            before = cpu_seconds(pid)
            with subprocess.Popen([*command, str(seconds + 4)], stdout=subprocess.PIPE, text=True) as attackers:
                time.sleep(2)
                kept, fresh, failed = behave(port, settings, seconds)
                said = attackers.communicate()[0].strip()
            spent = cpu_seconds(pid) - before
        figures = [
            (len(each), percentile(each, 0.5), percentile(each, 0.99), max(each, default=0)) for each in (kept, fresh)
        ]
        cells = "".join(f" {count:6} {half:8.1f} {most:8.1f} {all_:8.1f}" for count, half, most, all_ in figures)
        print(f"{kind:12} {said:>7}{cells} {failed:6} {spent / (seconds + 4):5.0%}", flush=True)


def main() -> None:
    """Measure the floods that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("floods", nargs="*", default=list(FLOODS), help=", ".join(FLOODS))
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--twistd", default=str(Path(sys.executable).parent / "twistd"))
    parser.add_argument("--attack", nargs=3, metavar=("FLOOD", "PORT", "SECONDS"), help=argparse.SUPPRESS)
    found = parser.parse_args()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    if found.attack:
        kind, port, seconds = found.attack
        attack(kind, int(port), float(seconds))
        return
    print(f"{'flood':12} {'opened':>7} {'kept':>6} {'p50 ms':>8} {'p99':>8} {'most':>8}", end="")
    print(f" {'new':>6} {'p50 ms':>8} {'p99':>8} {'most':>8} {'failed':>6} {'CPU':>5}")
    for kind in found.floods:
        measure(kind, found.twistd, found.seconds)


if __name__ == "__main__":
    main()
