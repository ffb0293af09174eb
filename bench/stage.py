"""What a proxy is prepared for, and the processes of a comparison: started on a core, watched, and ended."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from edgegate.demo.certificates import fill

HOST = "bench.example.com"
GRPC = "/bench.Shop/Get"
MESSAGE = b"\0\0\0\0\x10\x0a\x0eHello, fedora!"
"""
A method of gRPC, and one message: not compressed, of 16 bytes, one field of text. It is what is asked and what is
answered.
"""

LOAD_CORE, PROXY_CORE = "0", "1"
TICKS = os.sysconf("SC_CLK_TCK")
DESCRIPTORS = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
"""What each process may have."""

PATIENCE = 120.0
"""Seconds that a program may take to listen; some take long over 10,000 virtual hosts."""

KINDS = ("http", "https", "mtls", "tcp", "grpc", "h2")
"""
The ports of a proxy: in the clear, over TLS, over TLS with a client's certificate, and TCP; HTTP/2 in the clear and
over TLS, both with a backend of HTTP/2.
"""


@dataclass(frozen=True)
class Stage:
    """
    What a proxy is to be prepared for.

    @ivar backend: The backend's port on 127.0.0.1.
    @ivar echo: The port of the WebSocket backend, for what is below C{/ws}.
    @ivar h2c: The port where the backend speaks HTTP/2 in the clear, and nothing else.
    @ivar program: The proxy's program.
    @ivar ports: Where the proxy is to listen, by L{KINDS}.
    @ivar log: The file that gets an access log, if any does.
    @ivar hosts: How many virtual hosts there are besides L{HOST}, see L{many}.
    @ivar admin: The port of the admin listener; 0: there is none, and nothing is counted for metrics where they can be
        left out.
    """

    folder: Path
    backend: int
    echo: int = 0
    h2c: int = 0
    program: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)
    log: Path | None = None
    hosts: int = 0
    admin: int = 0

    @property
    def certificate(self) -> tuple[Path, Path]:
        """The files of a certificate and its key."""
        fill(self.folder / "certs", [HOST], ["client"])
        return self.folder / "certs" / f"{HOST}.crt", self.folder / "certs" / f"{HOST}.key"

    @property
    def authority(self) -> Path:
        """The file of the authority that clients' certificates are of."""
        return self.folder / "certs" / "ca.crt"

    @property
    def many(self) -> list[str]:
        """The names of the other virtual hosts."""
        return [f"shop-{number}.example.com" for number in range(self.hosts)]

    def write(self, name: str, text: str) -> str:
        """Write a file of the proxy's configuration and return its path."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return str(path)


def find(name: str) -> str | None:
    """Return the path of a program, also where only root's path has it, or where a peer was installed."""
    folders = [os.environ["PATH"], "/usr/sbin", os.environ.get("PEERS_BIN", ".peers/bin")]
    return shutil.which(name, path=os.pathsep.join(folders))


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nothing listens on."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(probe.getsockname()[1]) for probe in probes]


@contextmanager
def running(command: list[str], core: str, port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """
    Run a program on one core, from the time that it listens on a port to the end of the block.

    Go's programs get one thread for each core, as do the others.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "-c", core, *command],
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            cwd=log.parent,
            env={**os.environ, "GOMAXPROCS": "1", "XDG_DATA_HOME": str(log.parent)},
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{command[0]} did not start:\n{log.read_text(errors='replace')}") from None
                time.sleep(0.01)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def family(pid: int) -> list[int]:
    """Return a process and its descendants."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
        children.setdefault(parent, []).append(int(path.parent.name))
    found = [pid]
    for member in found:
        found.extend(children.get(member, ()))
    return found


def cpu_seconds(pid: int) -> float:
    """Return the CPU time, user and system, that a process and its descendants have spent."""
    spent = 0
    for member in family(pid):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        spent += int(fields[11]) + int(fields[12])
    return spent / TICKS


def resident(pid: int, field: str = "VmRSS") -> float:
    """Return the MiB that a process and its descendants have in memory; C{VmHWM}: the most that they ever had."""
    total = 0
    for member in family(pid):
        try:
            lines = Path(f"/proc/{member}/status").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith(field))
    return total / 1024
