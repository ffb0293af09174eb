"""How long edgegate takes to start and to reload, by the number of virtual hosts (C{many_hosts.py} writes them)."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import many_hosts
from figures import Growth
from stage import PATIENCE, PROXY_CORE, free_ports, resident, running

RELOADED = "reloaded in"
"""The word of the log line that tells of one."""


def measure(twistd: str, counts: Iterable[int]) -> list[Growth]:
    """Start edgegate with each number of virtual hosts, change one file, and have it reload."""
    return [_one(twistd, count) for count in counts]


def _one(twistd: str, count: int) -> Growth:
    with tempfile.TemporaryDirectory(prefix="edgegate-bench-") as name:
        folder = Path(name)
        port, target = free_ports(2)
        many_hosts.write(folder / "etc", count, port=port, target=target)
        log = folder / "log"
        options = ["--config", str(folder / "etc"), "--admin=none", "--access-log=none", "--no-watch"]
        began = time.monotonic()
        with running([twistd, "-n", "--pidfile=", "edgegate", *options], PROXY_CORE, port, log) as process:
            start = time.monotonic() - began
            held = resident(process.pid)
            (folder / "etc" / "one-more.yaml").write_text(many_hosts.service(count))
            began = time.monotonic()
            process.send_signal(signal.SIGHUP)
            _wait(log)
            reload = time.monotonic() - began
            return Growth(
                count, round(start, 2), round(reload, 2), round(held, 1), round(resident(process.pid, "VmHWM"), 1)
            )


def _wait(log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not any(RELOADED in line for line in log.read_text(errors="replace").splitlines()):
        if time.monotonic() > deadline:
            raise SystemExit(f"no reload:\n{log.read_text(errors='replace')}")
        time.sleep(0.005)
