"""What was found, for people, for programs and for pull requests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from edgegate.diff.curl import command, request_line
from edgegate.diff.fields import FieldChange
from edgegate.diff.findings import Change, Difference, Findings, Section, Witness
from edgegate.diff.wording import shown_field
from edgegate.model.claims import claim_path
from edgegate.model.origin import Origin

SHOWN: Final = 3
"""Witnesses of a change that are shown to people, and hosts."""

_MOST_CHANGES: Final = 40
"""Changes that a pull request is told of: GitHub takes 65,536 characters."""


@dataclass(frozen=True, slots=True)
class Report:
    """
    What was found between two sides.

    @ivar old: What the user calls the one; C{new} likewise.
    """

    old: str
    new: str
    findings: Findings

    @property
    def verdict(self) -> str:
        """C{equal}, C{differs} or C{not decided}."""
        if self.findings.differences:
            return "differs"
        return "not decided" if self.findings.undecided else "equal"


def heading(report: Report) -> str:
    """Return the outcome in a line."""
    changes, undecided = len(report.findings.changes()), len(report.findings.undecided)
    if report.verdict == "equal":
        return "no change of behaviour (proved)"
    parts = [_count(changes, "change") + " of behaviour"] if changes else []
    parts += [f"{undecided} not decided"] if undecided else []
    return ", ".join(parts)


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def title(change: Change) -> str:
    """Return what a change is about, in a line: what becomes of it on both sides, or what only differs in details."""
    first = change.first
    if first.old != first.new:
        return f"{first.old} -> {first.new}"
    subjects = dict.fromkeys(each.old or each.place for each in change.differences)
    if len(subjects) == 1:
        return next(iter(subjects))
    return f"{len(subjects):,} {_SUBJECTS[first.section]}"


_SUBJECTS: Final = {
    Section.PORTS: "ports",
    Section.TLS: "SNI names",
    Section.HOSTS: "hosts",
    Section.REQUESTS: "destinations",
    Section.CONNECTIONS: "destinations",
    Section.CLUSTERS: "clusters",
    Section.GATEWAY: "settings",
}


def where(change: Change) -> str:
    """Return where a change is seen: the hosts, or the places."""
    if change.first.section is Section.CLUSTERS:
        return _clusters(change)
    names = change.hosts or list(dict.fromkeys(each.place for each in change.differences))
    ports = list(dict.fromkeys(each.place.partition(",")[0] for each in change.differences))
    listed = _listed(names)
    more = _count(len(names), "host") + ": " if change.hosts and len(names) > 1 else ""
    return f"{', '.join(ports[:SHOWN])}; {more}{listed}" if change.hosts else listed


def _clusters(change: Change) -> str:
    return "; ".join(f"{each.host}, used by {_count(each.used_by, 'route')}" for each in change.differences[:SHOWN]) + (
        f" and {len(change.differences) - SHOWN} more" if len(change.differences) > SHOWN else ""
    )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _origins(witness: Witness) -> str:
    old, new = (str(each) if each is not None else "nothing" for each in (witness.old, witness.new))
    return old if old == new else f"{old} -> {new}"


def as_text(report: Report) -> str:
    """Return it for a terminal."""
    findings = report.findings
    lines = [f"{report.old} -> {report.new}: {heading(report)}"]
    section = None
    for change in findings.changes():
        first = change.first
        if first.section is not section:
            section = first.section
            lines += ["", section.value]
        lines.append(f"  {title(change)}")
        lines += [f"    {each}" for each in _shown_fields(first)]
        lines.append(f"    {where(change)}")
        for witness in list(change.witnesses)[:SHOWN]:
            lines.append(f"    {request_line(witness.question)}    {_origins(witness)}")
            lines.append(f"      {command(witness)}")
    lines += _rest(findings)
    return "\n".join(lines) + "\n"


def _shown_fields(first: Difference) -> Iterator[FieldChange]:
    """Yield the fields that the title does not say already."""
    for each in first.fields:
        if (first.old, first.new) not in ((each.old, each.new), (f"to {each.old}", f"to {each.new}")):
            yield each


def _rest(findings: Findings) -> list[str]:
    lines: list[str] = []
    if findings.undecided:
        lines += ["", "Not decided"]
        lines += [f"  {each.place}: {each.reason}" for each in findings.undecided]
    if findings.notes:
        lines += ["", "The same by another name"]
        lines += [f"  {each}" for each in findings.notes]
    return lines


# JSON ----------------------------------------------------------------------------------------------------------------


def as_json(report: Report) -> str:
    """Return all of it."""
    findings = report.findings
    value = {
        "old": report.old,
        "new": report.new,
        "verdict": report.verdict,
        "changes": [_change(each) for each in findings.changes()],
        "undecided": [{"place": e.place, "host": e.host, "reason": e.reason} for e in findings.undecided],
        "notes": findings.notes,
    }
    return json.dumps(value, indent=2) + "\n"


def _change(change: Change) -> dict[str, object]:
    first = change.first
    return {
        "section": first.section.name.lower(),
        "title": title(change),
        "fields": [{"name": each.what, "old": each.old, "new": each.new} for each in first.fields],
        "places": [_place(each) for each in change.differences],
    }


def _place(difference: Difference) -> dict[str, object]:
    found: dict[str, object] = {
        "place": difference.place,
        "host": difference.host,
        "old": difference.old,
        "new": difference.new,
    }
    if difference.section is Section.CLUSTERS:
        found["used_by"] = difference.used_by
    if difference.witness is not None:
        found["witness"] = _witness(difference.witness)
    return found


def _witness(witness: Witness) -> dict[str, object]:
    question = witness.question
    said: dict[str, object] = {"port": question.port, "bound": witness.bound, "tls": question.tls}
    if question.tls:
        said["sni"] = question.server_name
    if question.method:
        said |= {
            "method": question.method.decode("latin-1"),
            "authority": question.authority.decode("latin-1"),
            "target": question.target.decode("latin-1"),
            "headers": [[name.decode("latin-1"), shown_field(name, value)] for name, value in question.headers],
        }
        if question.claims:
            named = ((claim_path(name.decode("latin-1")), value) for name, value in question.claims)
            said["claims"] = [[list(path), value.decode("utf-8", "replace")] for path, value in named]
    elif question.local is not None:
        said |= {"source": str(question.peer), "destination": str(question.local)}
    return {**said, "old": _origin(witness.old), "new": _origin(witness.new), "command": command(witness)}


def _origin(origin: Origin | None) -> dict[str, object] | None:
    return None if origin is None else {"file": origin.file, "line": origin.line, "resource": origin.resource}


# Markdown ------------------------------------------------------------------------------------------------------------


def as_markdown(report: Report) -> str:
    """Return it for a pull request."""
    findings = report.findings
    lines = [f"### edgegate diff: {heading(report)}", "", f"{_code(report.old)} to {_code(report.new)}", ""]
    section, changes = None, findings.changes()
    for change in changes[:_MOST_CHANGES]:
        first = change.first
        if first.section is not section:
            section = first.section
            lines += [f"#### {section.value}", ""]
        lines += [f"**{_plain(title(change))}** ({_plain(where(change))})", "", *_table(first), *_examples(change)]
    if len(changes) > _MOST_CHANGES:
        lines += [f"and {_count(len(changes) - _MOST_CHANGES, 'more change')}", ""]
    if findings.undecided:
        lines += ["#### Not decided", ""]
        lines += [f"- {_plain(each.place)}: {_plain(each.reason)}" for each in findings.undecided[:_MOST_CHANGES]]
        lines.append("")
    if findings.notes:
        lines += ["#### The same by another name", "", *(f"- {_plain(each)}" for each in findings.notes), ""]
    return "\n".join(lines)


def _table(first: Difference) -> list[str]:
    rows = [f"| {_plain(each.what)} | {_code(each.old)} | {_code(each.new)} |" for each in _shown_fields(first)]
    if not rows:
        return []
    return ["| | before | after |", "| --- | --- | --- |", *rows, ""]


def _examples(change: Change) -> list[str]:
    witnesses = list(change.witnesses)[:SHOWN]
    if not witnesses:
        return []
    lines = ["<details><summary>How to see it</summary>", "", "```sh"]
    for witness in witnesses:
        lines += [f"# {request_line(witness.question)} ({_origins(witness)})", command(witness)]
    return [*lines, "```", "", "</details>", ""]


def _plain(text: str) -> str:
    """Return a text of which Markdown makes nothing."""
    return "".join(f"\\{each}" if each in "\\`*_{}[]<>#|~@" else each for each in text)


def _code(text: str) -> str:
    """Return a text as code; what would end it, or a table's cell, is replaced."""
    return "`" + text.replace("`", "'").replace("|", "\\|").replace("\n", " ") + "`"


FORMATS: Final[dict[str, Callable[[Report], str]]] = {"text": as_text, "json": as_json, "markdown": as_markdown}
