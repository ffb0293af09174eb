"""The figures as text for a terminal, and as tables and a plot in the documentation."""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from figures import Figure, Figures, Growth, Idle
from peers import UNABLE
from scenarios import IDLE, SCENARIOS

PAGE, PLOT = "performance.md", "performance.svg"
SELF = "edgegate"


def text(name: str, figures: dict[str, Figure]) -> str:
    """Return one scenario's figures, and how edgegate's relate to each."""
    lines = [f"\n{name}: microseconds of CPU per {SCENARIOS[name].unit}"]
    for peer, figure in sorted(figures.items(), key=lambda item: item[1].cpu):
        ratio = "" if peer == SELF else f"   {SELF}/{peer} {ratio_of(figures, peer)}"
        lines.append(f"  {peer:10}{figure.cpu:10.1f}   p99 {figure.p99:8.2f} ms {figure.resident:7.0f} MiB{ratio}")
    return "\n".join(lines)


def ratio_of(figures: dict[str, Figure], peer: str) -> str:
    """Return edgegate's CPU time as a part of a peer's; below 1 edgegate spends less."""
    return f"{figures[SELF].cpu / figures[peer].cpu:.2f}" if SELF in figures and figures[peer].cpu else "-"


def idle_text(name: str, found: dict[str, Idle]) -> str:
    """Return what an idle connection takes."""
    lines = [f"\n{name}: KiB of memory for each of {_connections(found)} idle TLS connections"]
    return "\n".join([*lines, *(f"  {name:10}{idle.each:10.1f}" for name, idle in _by_size(found))])


def growth_text(found: Iterable[Growth]) -> str:
    """Return what many virtual hosts take."""
    lines = ["\ngrowth: virtual hosts, seconds to start and to reload, MiB after the start and at most"]
    lines += [f"  {g.hosts:8}{g.start:8.2f}{g.reload:8.2f}{g.resident:8.0f}{g.most:8.0f}" for g in found]
    return "\n".join(lines)


def _connections(found: dict[str, Idle]) -> int:
    return max((idle.connections for idle in found.values()), default=0)


def _by_size(found: dict[str, Idle]) -> list[tuple[str, Idle]]:
    return sorted(found.items(), key=lambda item: item[1].each)


def write(docs: Path, found: Figures) -> None:
    """Put tables in the place of those of the page, between its marks, and draw the plot."""
    work = {name: found.work[name] for name in SCENARIOS if name in found.work}
    runs = list(dict.fromkeys(found.runs.values()))
    if len(runs) == 1:
        head = [f"Measured on {runs[0].date} with `{runs[0].command}`, on {runs[0].machine}:"]
    else:
        head = [
            "Each table was measured in one of these runs:",
            "",
            *(f"- {run.date}: `{run.command}`, on {run.machine}" for run in runs),
            "",
            "What was measured:",
        ]
    head += ["", *(f"- {name}: {said}" for name, said in found.versions.items())]
    plot = [f"![CPU time for each unit of work, as a part of the most]({PLOT})"] if work else []
    replace(docs / PAGE, "figures", "\n".join([*head, "", *plot, "", *_tables(work, found)]))
    source = f"{runs[0].command}, {runs[0].date}" if len(runs) == 1 else f"bench/compare.py, {_days(found)}"
    (docs / PLOT).write_text(svg(work, source))


def _days(found: Figures) -> str:
    return ", ".join(sorted({run.date for run in found.runs.values()}))


def replace(page: Path, mark: str, new: str) -> None:
    """
    Put a text between two marks of a page.

    @raise ValueError: The page has no such marks.
    """
    begin, end = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
    before, found, rest = page.read_text().partition(begin)
    _, found_too, after = rest.partition(end)
    if not found or not found_too:
        raise ValueError(f"{page} has no {begin} ... {end}")
    page.write_text(f"{before}{begin}\n\n{new.strip()}\n\n{end}{after}")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table in Markdown; all columns but the first are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def _tables(work: dict[str, dict[str, Figure]], found: Figures) -> list[str]:
    lines: list[str] = []
    for name, figures in work.items():
        scenario = SCENARIOS[name]
        lines += [f"### {scenario.what}", "", f"`{name}`, for each {scenario.unit}:", ""]
        rows = [
            (peer, f"{figure.cpu:.1f}", ratio_of(figures, peer), f"{figure.p99:.2f}", f"{figure.resident:.0f}")
            for peer, figure in sorted(figures.items(), key=lambda item: item[1].cpu)
        ]
        lines += [*table(("", "µs of CPU", "edgegate to it", "p99 in ms", "MiB"), rows), ""]
        lines += [
            f"{peer} is not in it: {why}.\n"
            for (peer, port), why in UNABLE.items()
            if port == scenario.port and peer in found.versions and peer not in figures
        ]
    for name, (title, _) in IDLE.items():
        if found.idle.get(name):
            idle = found.idle[name]
            lines += [f"### {title}", "", f"`{name}`, memory for each of {_connections(idle)}:", ""]
            lines += [*table(("", "KiB"), ((peer, f"{one.each:.1f}") for peer, one in _by_size(idle))), ""]
    if found.growth:
        lines += ["### Starting and reloading", "", "`growth`, edgegate alone; each virtual host has ten routes:", ""]
        heads = ("virtual hosts", "start in s", "reload in s", "MiB", "at most")
        rows = [
            (f"{g.hosts:,}", f"{g.start:.2f}", f"{g.reload:.2f}", f"{g.resident:.0f}", f"{g.most:.0f}")
            for g in found.growth
        ]
        lines += [*table(heads, rows), ""]
    return lines


def version(name: str, path: str) -> str:
    """Return what a program says of its version."""
    options = {
        SELF: ["edgegate", "--version"],
        "nginx": ["-v"],
        "haproxy": ["-v"],
        "caddy": ["version"],
        "traefik": ["version"],
    }
    ran = subprocess.run(
        [path, *options.get(name, ["--version"])], capture_output=True, text=True, timeout=30, check=False
    )
    said = ran.stdout + ran.stderr
    number = re.search(r"(?<![\w.])v?(\d+\.\d+\.\d+[\w.+~-]*)", said)
    found = number[1] if number else said.strip().partition("\n")[0]
    if name == SELF:
        return f"{found}{', compiled' if '(compiled)' in said else ', uncompiled'}, Python {platform.python_version()}"
    return found


def machine() -> str:
    """Return what processor and system this machine has."""
    model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return f"{model[1] if model else platform.machine()}, Linux {platform.release().partition('-')[0]}"


_WIDTH, _LABEL, _BAR, _GAP = 760, 110, 16, 34


def svg(work: dict[str, dict[str, Figure]], source: str) -> str:
    """
    Draw a group of bars for each scenario, each as long as its part of the group's longest.

    @param source: What the plot is of, said below it.
    """
    parts: list[str] = []
    top = 10
    for name, figures in work.items():
        most = max(figure.cpu for figure in figures.values()) or 1.0
        parts.append(f'<text x="0" y="{top + 14}" font-weight="bold">{escape(SCENARIOS[name].what)}</text>')
        top += 22
        for peer, figure in sorted(figures.items(), key=lambda item: item[1].cpu):
            length = (_WIDTH - _LABEL - 110) * figure.cpu / most
            colour = "#2f6fde" if peer == SELF else "#a9b1bd"
            parts += [
                f'<text x="{_LABEL - 8}" y="{top + 12}" text-anchor="end">{escape(peer)}</text>',
                f'<rect x="{_LABEL}" y="{top}" width="{length:.1f}" height="{_BAR - 3}" fill="{colour}"/>',
                f'<text x="{_LABEL + length + 6:.1f}" y="{top + 12}">{figure.cpu:,.1f} µs</text>',
            ]
            top += _BAR
        top += _GAP - 22
    parts.append(f'<text x="0" y="{top + 14}" fill="#667">{escape(source)}</text>')
    size = f'width="{_WIDTH}" height="{top + 24}" viewBox="0 0 {_WIDTH} {top + 24}"'
    style = 'font-family="sans-serif" font-size="12" fill="#222"'
    ground = '<rect width="100%" height="100%" fill="white"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n{ground}\n' + "\n".join(parts) + "\n</svg>\n"
