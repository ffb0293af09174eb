"""
YAML's syntax errors in plain words, where the mistake is rather than where the parser noticed it.
"""

from __future__ import annotations

import json
import re

Place = tuple[int, int]
"""Line and column, both from 0, as the parser counts."""

BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What the parser counts as the end of a line (YAML 1.1 section 4.2)."""

_KEY = re.compile(r"\s*(?:- +)*[^\s#'\"\[{:]+:(?:\s|$)")
_COLONLESS = re.compile(r"(\s*(?:- +)*)[A-Za-z][A-Za-z0-9_-]*\s*$")
_SPACELESS = re.compile(r"(\s*(?:- +)*)[A-Za-z][A-Za-z0-9_-]*:\S+\s*$")
_EQUALS = re.compile(r"(\s*(?:- +)*)[A-Za-z][A-Za-z0-9_-]*\s*=")
_CONFLICT = re.compile(r"<{7}(?: |$)|={7}$|>{7}(?: |$)")
_DASHES = re.compile(r"\s+---\s*$|\s*(?:--|-{4,})\s*$")


def explain(text: str, problem: str, at: Place, context: str, since: Place | None) -> tuple[Place, str]:
    """
    Return where a syntax error is, and what it is.

    @param problem: The parser's words for what it found.
    @param at: Where.
    @param context: Its words for what it was reading.
    @param since: Where that began.
    """
    lines = BREAK.split(text, at[0] + 1)
    line = lines[at[0]] if at[0] < len(lines) else ""
    dashes = _like(_DASHES, lines, at, since)
    if dashes is not None:
        return dashes, "documents are separated by a line that is --- and begins in the first column"
    conflict = _like(_CONFLICT, lines, at, since)
    if conflict is not None:
        return conflict, "a conflict of a merge was left here: choose one of the two sides"
    message = _at_once(line, problem, at)
    if message:
        return at, message
    if "mapping values are not allowed" in problem:
        return _second_colon(lines, line, at)
    if since is not None:
        return _within(line, problem, at, context, since)
    return at, f"not YAML: {problem}"


def _like(pattern: re.Pattern[str], lines: list[str], at: Place, since: Place | None) -> Place | None:
    """Return the line that is like a pattern, if one of those that the parser speaks of is."""
    numbers = (at[0], at[0] if since is None else since[0], at[0] - 1)
    return next(((each, 0) for each in numbers if 0 <= each < len(lines) and pattern.match(lines[each])), None)


def _at_once(line: str, problem: str, at: Place) -> str:
    """Return what is wrong where the parser stumbled, where its words alone tell; else nothing."""
    found = line[at[1] : at[1] + 1]
    if "\t" in (found, line[: at[1] + 1].strip(" ")[:1]) and ("token" in problem or "tab" in problem):
        return "a tab where only spaces may indent"
    if "cannot start any token" in problem:
        return f"no value begins with {found}: quote it"
    if "sequence entries are not allowed" in problem:
        return "the items of a list begin on a line of their own"
    return ""


def _second_colon(lines: list[str], line: str, at: Place) -> tuple[Place, str]:
    if _KEY.match(line[: at[1]] + " "):
        return at, "a second colon: quote the value if the colon belongs to it"
    indent = len(line) - len(line.lstrip(" "))
    above = next((number for number in range(at[0] - 1, -1, -1) if lines[number].strip()), None)
    if above is not None:
        colonless, spaceless = _COLONLESS.match(lines[above]), _SPACELESS.match(lines[above])
        if colonless is not None and len(colonless[1]) <= indent:
            return (above, len(colonless[1])), "a colon is missing behind the key"
        equals = _EQUALS.match(lines[above])
        if equals is not None and len(equals[1]) == indent:
            return (above, indent), "a colon belongs in the place of ="
        if spaceless is not None and len(spaceless[1]) == indent:
            return (above, indent), "a space is missing behind the colon"
    return (at[0], indent), "a key where none can be: is the indentation right?"


# What the context and the problem say; whether the mistake is where the context began; what it is.
_EXPLANATIONS = (
    ("scanning an alias", "", True, '* begins an alias, unless it is quoted: write "*"'),
    ("quoted scalar", "end of stream", True, "this quote is never closed"),
    ("quoted scalar", "unexpected document", True, "this quote is never closed"),
    ("flow", "expected", False, "a comma or the closing bracket is missing"),
    ("", "escape", False, 'no such escape after \\: within "..." write \\\\ for a backslash, or use single quotes'),
    ("block mapping", "", False, "expected a key with a colon: is the indentation right?"),
    ("block collection", "", False, "expected an item with a dash: is the indentation right?"),
    ("simple key", "", True, "a colon is missing behind the key"),
    ("", "node content", False, "a value was expected"),
)


def _within(line: str, problem: str, at: Place, context: str, since: Place) -> tuple[Place, str]:
    if "flow" in context and line.startswith("---"):
        return since, f"this bracket is never closed: a document begins on line {at[0] + 1}"
    if "flow" in context and at[0] != since[0]:
        return since, "this bracket is never closed"
    for in_context, in_problem, at_start, message in _EXPLANATIONS:
        if in_context in context and in_problem in problem:
            return (since if at_start else at), message
    return at, f"not YAML: {context}, {problem}"


def json_fault(text: str) -> tuple[Place, str] | None:
    """Return where a file of JSON is none, and why; L{None} where it is JSON."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return (error.lineno - 1, error.colno - 1), f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
    except RecursionError:
        pass  # said otherwise
    return None
