"""What a replay has found, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, TextIO

from edgegate.replay.findings import Example, Finding, Group, Tally, Told, Verdict
from edgegate.replay.worker import Log

_TITLES: Final = {
    Verdict.OTHERWISE: "answered otherwise",
    Verdict.MAYBE: "may be answered otherwise",
    Verdict.UNSAID: "sent to a backend; the log does not say where they went",
}
_STYLES: Final = {Verdict.OTHERWISE: "bold red", Verdict.MAYBE: "bold yellow", Verdict.UNSAID: "bold cyan"}
_SHOWN: Final = 50
"""Groups of each kind that people are shown."""


def write_text(tally: Tally, logs: Sequence[Log], against: bool, out: TextIO) -> None:
    """
    Write the groups, the largest first, and how many requests each has.

    @param against: Whether files were compared with files, and not with what the log says.
    @param out: Gets colours where it is a terminal.
    """
    from rich.console import Console  # noqa: PLC0415 (as in edgegate.config.report)

    console = Console(file=out, soft_wrap=True, highlight=False, markup=False, emoji=False)
    for verdict, title in _TITLES.items():
        groups = tally.found(verdict)
        if not groups:
            continue
        console.print(f"{_number(tally.count(verdict))} {title}", style=_STYLES[verdict])
        for finding, group in groups[:_SHOWN]:
            for line in (*_lines(finding, group), *_examples(tally, group, logs)):
                console.print(line)
        if len(groups) > _SHOWN:
            console.print(f"  and {_number(len(groups) - _SHOWN)} more groups: -o json has them all")
        console.print()
    unread = tally.unread()
    if unread:
        console.print(f"{_number(sum(group.count for _, group in unread))} lines not replayed", style="bold")
        for why, group in unread:
            console.print(f"  {_number(group.count)}  {why}")
            for line in _examples(tally, group, logs):
                console.print(line)
        console.print()
    for at, log in enumerate(logs):
        console.print(f"{log.name}: {_number(_lines_of(tally, at))} lines, {log.format.name}")
    console.print(summary(tally, against))


def summary(tally: Tally, against: bool) -> str:
    """Return the last line."""
    requests = tally.count(*Verdict)
    parts = [
        f"{_number(tally.count(Verdict.OTHERWISE))} answered otherwise",
        f"{_number(tally.count(Verdict.MAYBE))} perhaps",
        f"{_number(tally.count(Verdict.SAME))} as before",
    ]
    if not against:
        parts.append(f"{_number(tally.count(Verdict.UNSAID))} that the log does not say enough of")
    return f"{_number(requests)} requests: {', '.join(parts)}"


def _lines(finding: Finding, group: Group) -> list[str]:
    count = _number(group.count)
    indent = " " * (len(count) + 4)
    found = [f"  {count}  {_told(finding.new)}"] if not finding.old.summary else []
    if not found:
        found = [f"  {count}  {_told(finding.old)}", f"{indent}-> {_told(finding.new)}"]
    found += [f"{indent}   {change}" for change in finding.changes]
    if finding.depends:
        what = "if, depends on" if finding.verdict is Verdict.MAYBE else "how, depends on"
        found.append(f"{indent}   {what} {', '.join(finding.depends)}: the log does not say it")
    return found


def _told(told: Told) -> str:
    inner = ", ".join(part for part in (f"route {told.route}" if told.route else "", told.place) if part)
    return f"{told.summary} ({inner})" if inner else told.summary


def _examples(tally: Tally, group: Group, logs: Sequence[Log]) -> list[str]:
    return [f"      {_place(tally, each, logs)}: {each.text}" for each in group.examples]


def _place(tally: Tally, example: Example, logs: Sequence[Log]) -> str:
    return f"{logs[example.log].name}:{tally.line_number(example)}"


def _lines_of(tally: Tally, log: int) -> int:
    return sum(count for (each, _), count in tally.lines.items() if each == log)


def _number(count: int) -> str:
    return f"{count:,}"


# Programs -------------------------------------------------------------------------------------------------------------


def as_json(tally: Tally, logs: Sequence[Log]) -> str:
    """Return all that was found as an object of JSON, with a newline."""
    value = {
        "logs": [
            {"name": log.name, "format": log.format.name, "lines": _lines_of(tally, at)} for at, log in enumerate(logs)
        ],
        "requests": tally.count(*Verdict),
        **{verdict.value: tally.count(verdict) for verdict in Verdict},
        "decided": tally.decided,
        "groups": [_group(tally, each, logs) for verdict in _TITLES for each in tally.found(verdict)],
        "not_replayed": [
            {"reason": why, "count": group.count, "examples": _shown(tally, group, logs)}
            for why, group in tally.unread()
        ],
    }
    return json.dumps(value, indent=2) + "\n"


def _group(tally: Tally, each: tuple[Finding, Group], logs: Sequence[Log]) -> dict[str, object]:
    finding, group = each
    return {
        "verdict": finding.verdict.value,
        "count": group.count,
        "old": finding.old._asdict() if finding.old.summary else None,
        "new": finding.new._asdict(),
        "changes": finding.changes,
        "depends_on": finding.depends,
        "examples": _shown(tally, group, logs),
    }


def _shown(tally: Tally, group: Group, logs: Sequence[Log]) -> list[dict[str, str]]:
    return [{"at": _place(tally, each, logs), "text": each.text} for each in group.examples]
