"""
What a client notices while a gateway of one process reads many files again: requests one after the other meanwhile.

    python bench/reload_pings.py --services 10000

The first reload finds every file changed, the second one file, the third every file again. Of each it tells how long it
took, the gateway's own CPU time, how long requests took in milliseconds, and the gateway's memory then in MiB.
"""

from __future__ import annotations

import argparse
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from many_hosts import documents

PING = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ping, namespace: edge}
spec:
  hosts: [ping.example]
  gateways: [edge/gw]
  http: [{directResponse: {status: 200}}]
"""
REQUEST = b"GET / HTTP/1.1\r\nHost: ping.example\r\n\r\n"
PATIENCE = 120.0
"""Seconds that a start or a reload may take."""

AFTER = 3.0
"""Seconds after a reload that count as well: what was served before is let go then."""

_TICKS = 100


class Gateway:
    """A gateway, and one connection to it."""

    def __init__(self, folder: Path, log: Path, port: int) -> None:
        self._log = log
        words = "--pidfile= edgegate --no-watch --access-log=none --admin=none --config"
        twistd = "from twisted.scripts.twistd import run; run()"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", twistd, "-n", *words.split(), str(folder)], stdout=output, stderr=output
            )
        self.wait_for("serving HTTP", 1)
        self._sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def said(self, what: str) -> int:
        """Return how often it has said something."""
        return self._log.read_text().count(what)

    def wait_for(self, what: str, count: int) -> None:
        """Wait until it says something."""
        end = time.monotonic() + PATIENCE
        while self.said(what) < count:
            if time.monotonic() > end or self.process.poll() is not None:
                raise SystemExit(self._log.read_text())
            time.sleep(0.1)

    def ask(self) -> float:
        """Return the seconds that a request takes."""
        begin = time.perf_counter()
        self._sock.sendall(REQUEST)
        if not self._sock.recv(65536).startswith(b"HTTP/1.1 200 "):
            raise SystemExit("a request was lost")
        return time.perf_counter() - begin

    def cpu(self) -> float:
        """Return the seconds that it has computed."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory(self) -> tuple[int, int]:
        """Return its memory now, and the most that it has had, in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        now, most = (int(re.findall(rf"{name}:\s+(\d+)", status)[0]) // 1024 for name in ("VmRSS", "VmHWM"))
        return now, most


def measure(what: str, gateway: Gateway, over: Callable[[], bool]) -> None:
    """Ask until it is over, and tell how long that took."""
    cpu, took, looked = gateway.cpu(), [], 0.0
    while True:
        took.append(gateway.ask())
        time.sleep(0.002)
        if time.monotonic() - looked > 0.2:
            looked = time.monotonic()
            if over():
                break
    took.sort()
    shown = ", ".join(f"p{share:g} {took[int(len(took) * share / 100)] * 1e3:.2f}" for share in (50, 99, 99.9))
    late = sum(each > 0.02 for each in took)
    now, most = gateway.memory()
    print(f"{what}: CPU {gateway.cpu() - cpu:.2f} s; {len(took)} requests: {shown}, max {took[-1] * 1e3:.1f} ms, "
          f"{late} over 20 ms; {now} MiB, at most {most}", flush=True)  # fmt: skip


def main() -> None:
    """Measure three reloads."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, default=10_000)
    options = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "etc"
        folder.mkdir()
        for number, text in enumerate((*documents(options.services, port), PING)):
            (folder / f"{number:06}.yaml").write_text(text)
        gateway = Gateway(folder, Path(made) / "log", port)
        try:
            begin = time.monotonic()
            measure("nothing", gateway, lambda: time.monotonic() > begin + AFTER)
            files = sorted(folder.iterdir())
            for number, (what, changed) in enumerate((("all", files), ("one", files[-2:-1]), ("all again", files)), 1):
                reload(gateway, what, changed, number)
        finally:
            gateway.process.terminate()
            gateway.process.wait(PATIENCE)


def reload(gateway: Gateway, what: str, changed: list[Path], number: int) -> None:
    """Change files, and measure the reload."""
    for path in changed:
        path.write_text(path.read_text().replace("timeout: ", f"timeout: {number}"))
    since, ended = time.monotonic(), [0.0]

    def over() -> bool:
        if not ended[0] and gateway.said("reloaded in ") >= number:
            ended[0] = time.monotonic()
        elif time.monotonic() > since + PATIENCE:
            raise SystemExit("it was not reloaded")
        return bool(ended[0]) and time.monotonic() > ended[0] + AFTER

    gateway.process.send_signal(signal.SIGHUP)
    measure(f"{what} changed, {len(changed)} files", gateway, over)
    print(f"  {ended[0] - since:.1f} s")


if __name__ == "__main__":
    main()
