"""Templates that were not rendered, told from YAML that is merely wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable

from edgegate.config.syntax import BREAK

_HELM = re.compile(r"\{\{.*?\}\}|\{\{[-\s]")
_VARIABLE = re.compile(r"\$\{\w+[^}]*\}|\$[A-Z][A-Z0-9_]+\b")
_QUOTES = re.compile("[\u201c\u201d\u201e\u2018\u2019]")

RENDER = "this looks like a template ({{ }}): render it first, as `helm template` does, and check what comes of it"


def template_at(text: str, lines: Iterable[int]) -> tuple[int, int] | None:
    """
    Return line and column, from 0, of a template's brackets.

    @param lines: Where to look for them, from 0, as the parser counts.
    """
    all_lines = BREAK.split(text)
    for number in lines:
        found = _HELM.search(all_lines[number]) if number < len(all_lines) else None
        if found is not None:
            return number, found.start()
    return None


def hint(message: str) -> str:
    """
    Return what to do about a value that a message repeats, beginning with C{; }; nothing where it looks like any other.
    """
    if _HELM.search(message):
        return f"; {RENDER}"
    variable = _VARIABLE.search(message)
    if variable is not None:
        return f"; {variable[0]} looks like a variable of a template: put its value in first, as envsubst does"
    quote = _QUOTES.search(message)
    if quote is not None:
        return f"; {quote[0]} is no quote to YAML: use \" or '"
    return "; a no-break space (U+00A0) is no space to YAML" if "\u00a0" in message else ""
