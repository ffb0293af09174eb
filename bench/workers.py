"""
What several processes cost: CPU time of a request with 1, 2 and 4 of them on one core, and the memory that is a
worker's own; of edgegate, and of nginx beside it.

    python bench/workers.py [TWISTD] [--seconds 5] [--rounds 3]

C{TWISTD} is that of the environment whose edgegate is measured, compiled as a rule. Rounds take turns, and the median
counts: on a machine that does other work, too, the share of one process is what to look at.

On one core the processes take turns, each for fewer connections: the kernel wakes them more often, and each time they
find less to do. How often the core changes from one to another is told for each request.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from loads import wrk
from stage import HOST, PROXY_CORE, Stage, cpu_seconds, family, find, free_ports, running

COUNTS = (1, 2, 4)

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - {{port: {{number: {port}, name: http, protocol: HTTP}}, hosts: ["*"]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop}}
spec:
  hosts: [{host}]
  gateways: [gw]
  http:
  - directResponse: {{status: 200, body: {{string: hello}}}}
"""

NGINX = """\
daemon off;
worker_processes {workers};
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  server {{ listen 127.0.0.1:{port}; server_name {host}; return 200 hello; }}
}}
"""

Command = Callable[[Stage, int, int], list[str]]
"""Returns how so many workers are started that listen on a port."""


@dataclass(frozen=True)
class Cost:
    """
    What was measured.

    @ivar cpu: Microseconds of CPU time for a request.
    @ivar turns: How often the core changed to or from one of the processes, for a request.
    @ivar own: MiB that are one worker's own.
    """

    cpu: float
    turns: float
    own: float


def edgegate(twistd: str) -> Command:
    """Return how it is started."""

    def command(stage: Stage, port: int, workers: int) -> list[str]:
        files = stage.write("etc/gateway.yaml", FILES.format(port=port, host=HOST))
        options = [f"--config={files}", "--no-watch", "--admin=none", "--access-log=none", f"--workers={workers}"]
        return [twistd, "-n", "--pidfile=", "edgegate", *options]

    return command


def nginx(stage: Stage, port: int, workers: int) -> list[str]:
    """Return how it is started."""
    text = NGINX.format(folder=stage.folder, port=port, host=HOST, workers=workers)
    return [str(find("nginx")), "-c", stage.write("nginx.conf", text)]


def measure(command: Command, folder: Path, workers: int, seconds: int) -> Cost:
    """Have so many workers answer for some seconds."""
    (port,) = free_ports(1)
    stage = Stage(folder, 0)
    with running(command(stage, port, workers), PROXY_CORE, port, folder / "log") as process:
        load = wrk(connections=100)
        load(stage, port, 1)
        cpu, turns = cpu_seconds(process.pid), switches(process.pid)
        done = load(stage, port, seconds).done
        cpu, turns = cpu_seconds(process.pid) - cpu, switches(process.pid) - turns
        own = max(private(pid) for pid in family(process.pid)[-workers:])
    return Cost(cpu / done * 1e6, turns / done, own)


def switches(pid: int) -> int:
    """Return how often a process and its descendants have left the core, by themselves or not."""
    lines = [line for each in family(pid) for line in Path(f"/proc/{each}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if "_ctxt_switches:" in line)


def private(pid: int) -> float:
    """Return the MiB of a process that no other has."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def main() -> None:
    """Measure, and print a line for each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n\n", maxsplit=1)[0])
    parser.add_argument("twistd", nargs="?", default=str(Path(sys.executable).parent / "twistd"))
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    told = parser.parse_args()
    commands: dict[str, Command] = {"edgegate": edgegate(told.twistd)}
    if find("nginx"):
        commands["nginx"] = nginx
    found: dict[tuple[str, int], list[Cost]] = {(name, count): [] for name in commands for count in COUNTS}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(told.rounds):
            for (name, count), rows in found.items():
                rows.append(measure(commands[name], Path(folder), count, told.seconds))
    for (name, count), rows in found.items():
        cpu, one = (median(row.cpu for row in of) for of in (rows, found[name, 1]))
        turns, own = median(row.turns for row in rows), median(row.own for row in rows)
        print(
            f"{name}, {count} workers: {cpu:.1f} us of CPU a request ({cpu / one:.2f} of one), {turns:.3f} changes of "
            f"the core, {own:.1f} MiB of a worker's own"
        )


if __name__ == "__main__":
    main()
