"""
Tell in which functions of edgegate the time of a request goes.

    .venv/bin/pip install py-spy && .venv/bin/python bench/functions.py [--write docs]

py-spy looks at a gateway under load a thousand times a second and sees Python's functions, so it is asked of the
package uncompiled; shares, not times, carry over to the compiled one. Looking at a process may need root.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pages
import peers
from compare import backends
from scenarios import SCENARIOS
from stage import KINDS, PROXY_CORE, find, free_ports, running

SHOWN = 15


def shares(raw: str) -> list[tuple[str, float, float]]:
    """
    Return functions, with the parts of the time that were spent in them and in all that they call.

    @param raw: A line for each stack: frames from the outermost on, split by semicolons, and how often it was seen.
    """
    own: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    total = 0
    for line in raw.splitlines():
        stack, _, seen = line.rpartition(" ")
        frames = [re.sub(r":\d+\)$", ")", frame.strip()) for frame in stack.split(";")]
        total += int(seen)
        own[frames[-1]] += int(seen)
        for frame in set(frames):
            whole[frame] += int(seen)
    return [(name, seen / total, whole[name] / total) for name, seen in own.most_common(SHOWN)]


def seen(name: str, seconds: int) -> str:
    """Put one scenario's load on edgegate, and return what py-spy saw."""
    scenario = SCENARIOS[name]
    with tempfile.TemporaryDirectory(prefix="edgegate-bench-") as text, backends(Path(text)) as stage:
        ports = dict(zip(KINDS, free_ports(len(KINDS)), strict=True))
        mine = replace(stage, program=str(Path(sys.executable).with_name("twistd")), ports=ports)
        command, _ = peers.edgegate(mine)
        raw = stage.folder / "raw"
        with running(command, PROXY_CORE, ports["http"], stage.folder / "edgegate.log") as process:
            look = [str(Path(sys.executable).with_name("py-spy")), "record", "-r", "1000", "-f", "raw", "-F"]
            watching = subprocess.Popen(
                [*look, "-d", str(seconds), "-o", str(raw), "-p", str(process.pid)], stdout=subprocess.DEVNULL
            )
            scenario.load(mine, ports[scenario.port], seconds + 1)
            if watching.wait(60):
                raise SystemExit("py-spy did not get to see the process")
        return raw.read_text()


def main() -> None:
    """Look and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-s", "--scenario", default="http1", choices=SCENARIOS)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--write", type=Path, metavar="DOCS", help="write the table into performance.md in this folder")
    options = parser.parse_args()
    if not find("wrk") or not find("nginx"):
        raise SystemExit("missing: wrk or nginx")
    found = shares(seen(options.scenario, options.seconds))
    rows = [(f"`{name}`", f"{own:.1%}", f"{whole:.1%}") for name, own, whole in found]
    lines = pages.table(("function", "in itself", "with all it calls"), rows)
    print("\n".join(lines))
    if options.write:
        said = f"`bench/functions.py {' '.join(sys.argv[1:])}`, {datetime.now(timezone.utc):%Y-%m-%d}:"
        pages.replace(options.write / pages.PAGE, "functions", "\n".join([said, "", *lines]))


if __name__ == "__main__":
    main()
