"""What a code means, in print."""

from __future__ import annotations

from textwrap import fill, indent

from edgegate.istio.analysis.catalogue import Explanation, explanations

_WIDTH = 100
_ALL = "all"


def explained(code: str) -> str:
    """
    Return what a code means, with an example and its mend; of C{all} a line each.

    @raise ValueError: There is no such code.
    """
    if code.lower() == _ALL:
        return "".join(f"{each}  {known.level:7}  {known.name}\n" for each, known in explanations().items())
    known = explanations().get(code.upper())
    if known is None:
        raise ValueError(f'"{code}" is no code: "{_ALL}" lists them')
    return f"{code.upper()} {known.name} ({_level(code.upper(), known)})\n\n" + _body(known)


def _level(code: str, known: Explanation) -> str:
    return f"{known.level} in Istio" if code.startswith("IST") else known.level


def _body(known: Explanation) -> str:
    parts = [fill(known.says, _WIDTH)]
    if known.example:
        options = f" with {' '.join(known.options)}" if known.options else ""
        beside = (
            "" if "kind: Gateway\n" in known.example else ", beside the Gateway shop of port 80 and shop.example.com"
        )
        parts.append(f"Told{options} of these documents{beside}:\n\n{indent(known.example, '    ')}".rstrip())
    else:
        parts.append(f"There is no example: {known.without_example}.")
    parts.append(fill(f"To mend it: {known.mend}", _WIDTH))
    parts.extend(f"{_marked('-', old)}\n{_marked('+', new)}".rstrip() for old, new in known.instead)
    return "\n\n".join(parts) + "\n"


def _marked(sign: str, text: str) -> str:
    lines = text.strip("\n").split("\n")
    return "\n".join(f"  {sign} {line.strip() if len(lines) == 1 else line}" for line in lines if line.strip())
