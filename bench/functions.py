"""
Tell in which functions of edgegate the time of each scenario goes.

    .venv/bin/pip install py-spy && .venv/bin/python bench/functions.py [--scenario NAME ...] [--write docs]

py-spy looks at a gateway under load a thousand times a second and sees Python's functions, so it is asked of the
package uncompiled; shares, not times, carry over to the compiled one. Looking at a process may need root.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

import pages
from compare import set_up
from scenarios import SCENARIOS
from stage import find

PAGE = "profiles.md"

SHOWN = 10

WAITS = {"Condition.wait (threading.py)", "LogFile._run (edgegate/observe/log_file.py)"}
"""In which threads are that have nothing to do."""


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
        if frames[-1] in WAITS:
            continue
        total += int(seen)
        own[frames[-1]] += int(seen)
        for frame in set(frames):
            whole[frame] += int(seen)
    return [(name, seen / total, whole[name] / total) for name, seen in own.most_common(SHOWN)]


def seen(name: str, seconds: int) -> str:
    """Put one scenario's load on edgegate, and return what py-spy saw."""
    scenario = SCENARIOS[name]
    program = str(Path(sys.executable).with_name("twistd"))
    with set_up(scenario.setting, {"edgegate": program}) as (stage, proxies):
        proxy = proxies["edgegate"]
        port = proxy.stage.ports[scenario.port]
        raw = stage.folder / "raw"
        scenario.load(proxy.stage, port, 1)
        look = [str(Path(sys.executable).with_name("py-spy")), "record", "-r", "1000", "-f", "raw", "-F"]
        watching = subprocess.Popen(
            [*look, "-d", str(seconds), "-o", str(raw), "-p", str(proxy.pid)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        scenario.load(proxy.stage, port, seconds + 1)
        if watching.wait(60):
            raise SystemExit("py-spy did not get to see the process: it may need root")
        return raw.read_text()


def main() -> None:
    """Look and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-s", "--scenario", action="append", choices=SCENARIOS, help="default: all")
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--write", type=Path, metavar="DOCS", help=f"write the tables into {PAGE} in this folder")
    options = parser.parse_args()
    if not find("wrk") or not find("nginx"):
        raise SystemExit("missing: wrk or nginx")
    said = [f"`bench/functions.py {' '.join(sys.argv[1:])}`, {datetime.now(timezone.utc):%Y-%m-%d}:"]
    for name in options.scenario or SCENARIOS:
        found = shares(seen(name, options.seconds))
        rows = [(f"`{function}`", f"{own:.1%}", f"{whole:.1%}") for function, own, whole in found]
        lines = ["", f"## {SCENARIOS[name].what}", "", f"`{name}`:", ""]
        lines += pages.table(("function", "in itself", "with all it calls"), rows)
        print("\n".join(lines), flush=True)
        said += lines
    if options.write:
        pages.replace(options.write / PAGE, "functions", "\n".join(said))


if __name__ == "__main__":
    main()
