"""
Writes C{codes.md}: what each code of C{edgegate check} means, from C{edgegate/istio/analysis/codes.yaml}.

    python docs/codes.py

A test fails where the page does not say what the code says.
"""

from __future__ import annotations

from pathlib import Path

from edgegate.istio.analysis.catalogue import Explanation, catalogue

PAGE = Path(__file__).parent / "codes.md"

BEGIN = """\
# Codes

Each problem that [`edgegate check`](checking.md) tells of has a code. Those that begin with `IST` are Istio's, and mean
what `istioctl analyze` means by them; those with `EG` are for what it does not say. A terminal has
what stands here: `edgegate check --explain-code EG101`.

The level of Istio's codes is Istio's. Here an error is only what keeps files from being served; the rest is a warning
or a note.

"""

BESIDE = """\
## Examples

Beside every example that has no Gateway is this one:

"""

GROUPS = {
    "IST": "Istio's codes",
    "EG0": "Files and documents",
    "EG1": "Gateways and hosts",
    "EG2": "Routes",
    "EG3": "Backends",
    "EG4": "TLS",
    "EG5": "Telemetry",
    "EG6": "Access policies",
}
"""The titles of the sections, by how their codes begin."""


def written() -> str:
    """Return the page."""
    known = catalogue()
    parts = [BEGIN + "| code | | level |\n| --- | --- | --- |\n"]
    parts.extend(f"| [{code}](#{code.lower()}) | {each.name} | {each.level} |\n" for code, each in known.codes.items())
    parts.append(f"\n{BESIDE}```yaml\n{known.beside}```\n")
    for begin, title in GROUPS.items():
        parts.append(f"\n## {title}\n")
        parts.extend(_section(code, each) for code, each in known.codes.items() if code.startswith(begin))
    return "".join(parts)


def _section(code: str, each: Explanation) -> str:
    level = f"{each.level} in Istio" if code.startswith("IST") else each.level
    text = f"\n({code.lower()})=\n\n### {code} {each.name}\n\n*{level}* · {each.says}\n\n**To mend it:** {each.mend}\n"
    if each.example:
        options = f"With `{' '.join(each.options)}`:\n\n" if each.options else ""
        text += f"\n{options}```yaml\n{each.example}```\n"
    for old, new in each.instead:
        text += f"\n```diff\n{_marked('-', old)}{_marked('+', new)}```\n"
    return text


def _marked(sign: str, text: str) -> str:
    lines = text.strip("\n").split("\n")
    return "".join(f"{sign} {line.strip() if len(lines) == 1 else line}\n" for line in lines if line.strip())


if __name__ == "__main__":
    PAGE.write_text(written())
