"""
What several processes cost: CPU time of a request with 1, 2 and 4 of them, and the memory that is a worker's own.

    python bench/workers.py [TWISTD] [--seconds 5] [--rounds 3]

C{TWISTD} is that of the environment whose edgegate is measured, compiled as a rule. Rounds take turns, and the median
counts: on a machine that does other work, too, the share of one process is what to look at.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

from loads import wrk
from stage import HOST, PROXY_CORE, Stage, cpu_seconds, family, free_ports, running

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


def measure(twistd: str, folder: Path, workers: int, seconds: int) -> tuple[float, float]:
    """Return the CPU time of a request in microseconds, and the MiB that are one worker's own."""
    (port,) = free_ports(1)
    stage = Stage(folder, 0)
    files = stage.write("etc/gateway.yaml", FILES.format(port=port, host=HOST))
    options = [f"--config={files}", "--no-watch", "--admin=none", "--access-log=none", f"--workers={workers}"]
    command = [twistd, "-n", "--pidfile=", "edgegate", *options]
    with running(command, PROXY_CORE, port, folder / "log") as process:
        load = wrk(connections=100)
        load(stage, port, 1)
        before = cpu_seconds(process.pid)
        done = load(stage, port, seconds).done
        spent = cpu_seconds(process.pid) - before
        serving = family(process.pid)[-workers:]
        own = max(private(pid) for pid in serving)
    return spent / done * 1e6, own


def private(pid: int) -> float:
    """Return the MiB of a process that no other has."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def main() -> None:
    """Measure, and print a line for each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n", maxsplit=1)[0])
    parser.add_argument("twistd", nargs="?", default=str(Path(sys.executable).parent / "twistd"))
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    told = parser.parse_args()
    found: dict[int, list[tuple[float, float]]] = {count: [] for count in COUNTS}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(told.rounds):
            for count in COUNTS:
                found[count].append(measure(told.twistd, Path(folder), count, told.seconds))
    one = median(cpu for cpu, _ in found[1])
    for count, rows in found.items():
        cpu, own = median(cpu for cpu, _ in rows), median(own for _, own in rows)
        print(
            f"{count} workers: {cpu:.1f} us of CPU a request ({cpu / one:.2f} of one), {own:.1f} MiB of a worker's own"
        )


if __name__ == "__main__":
    main()
