"""
Writes the tables of C{configuration.md} that say which fields are honoured, from the notes at the fields themselves.

    python docs/fields.py

A test fails where the page does not say what the code says.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgegate.config.honoured import fields
from edgegate.config.kinds import KINDS, UNENFORCED, UNSERVED
from edgegate.config.kinds.base import Note

PAGE = Path(__file__).with_name("configuration.md")
BEGIN, END = "<!-- fields of {kind} -->\n", "<!-- end of fields of {kind} -->"
ISTIO = ("Gateway", "VirtualService", "ServiceEntry", "DestinationRule", "WorkloadEntry", "WorkloadGroup")

_PARTS = ("loadBalancer", "connectionPool", "outlierDetection", "tls")
SAME = {
    "subsets[].trafficPolicy": "trafficPolicy",
    **{f"trafficPolicy.portLevelSettings[].{part}": f"trafficPolicy.{part}" for part in _PARTS},
}
"""Fields that are what another one is, and are not listed again."""


def said(note: Note | None) -> str:
    """Return what a table says of a field with this note."""
    if note is None:
        return "honoured"
    if note.message:
        return note.message
    if note.remark:
        return note.remark
    return "honoured, but for " + ", ".join(f"`{value}` ({message})" for value, message in note.values)


def table(kind: str) -> Iterator[str]:
    """Yield the lines of a kind's table: all fields that hold a value, and whole messages where none of it is read."""
    struct = next(each.struct for each in KINDS if each.name == kind)
    found = list(fields(struct))
    yield f"| `{kind}.spec` | |"
    yield "| --- | --- |"
    for path, note in found:
        message = note is not None and note.message
        if path in SAME:
            yield f"| `{path}` | as `{SAME[path]}` |"
        elif any(path.startswith(f"{same}.") for same in SAME):
            continue
        elif message or not any(other.startswith((f"{path}.", f"{path}[].")) for other, _ in found):
            yield f"| `{path}` | {said(note)} |"


def kinds() -> Iterator[str]:
    """Yield the lines of the table of Istio's other kinds."""
    yield "| kind | |"
    yield "| --- | --- |"
    for (_, name), message in UNSERVED.items():
        yield f"| `{name}` | {message} |"
    for (_, name), message in UNENFORCED.items():
        yield f"| `{name}` | {message}: an error where one could be for this gateway |"


def written(page: str) -> str:
    """Return the page with its tables as they should be."""
    for name in (*ISTIO, "other kinds"):
        begin, end = BEGIN.format(kind=name), END.format(kind=name)
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        lines = kinds() if name == "other kinds" else table(name)
        page = f"{before}{begin}\n{chr(10).join(lines)}\n\n{end}{after}"
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
