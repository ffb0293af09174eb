"""Values and names in messages: shown short and safe, and suggested where they are misspelt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from difflib import get_close_matches

_WITH_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/\[\]]+)):([0-9]{1,5})")

MAX_SHOWN = 60
"""Characters of a value that a message repeats."""


def type_name(value: object) -> str:
    """Return what JSON's schemas call the type of a value."""
    names = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object", list: "array"}
    return "null" if value is None else names.get(type(value), "value")


def show(value: object) -> str:
    """Return a scalar as JSON writes it, shortened."""
    text = value if isinstance(value, str) else json.dumps(value)
    short = text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."
    return json.dumps(short, ensure_ascii=False) if isinstance(value, str) else short


def describe(value: object) -> str:
    """Return type and value: C{string "80"}; of collections and null the type alone."""
    if value is None or isinstance(value, dict | list):
        return type_name(value)
    return f"{type_name(value)} {show(value)}"


def quoted(value: object) -> str:
    """Return C{': quote it'} of a scalar that would be a string in quotes, else nothing."""
    return ": quote it" if isinstance(value, bool | int | float) else ""


def with_port(text: str) -> tuple[str, str] | None:
    """Return the two parts of C{HOST:PORT} or C{[ADDRESS]:PORT}; L{None} where a text is something else."""
    found = _WITH_PORT.fullmatch(text)
    return (found[1] or found[2], found[3]) if found is not None else None


def closest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the known word that a misspelt one resembles, if one does."""
    by_case = {each.lower(): each for each in known}
    close = get_close_matches(word[:MAX_SHOWN].lower(), by_case, n=1, cutoff=cutoff)
    return by_case[close[0]] if close else None


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return C{'; did you mean "mode"?'}, or nothing where no known word is close."""
    close = closest(word, known)
    return f'; did you mean "{close}"?' if close else ""
