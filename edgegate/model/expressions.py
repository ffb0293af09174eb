# Hot path: rewrites the paths of routes that say so.
"""Regular expressions of RE2: which texts are some, and what they do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Protocol

MAX_REGEX = 1024
"""Characters of a regular expression, as Istio's validation has it."""


@lru_cache(maxsize=1024)  # the expressions of thousands of routes are few, and each is checked twice
def check_regex(expression: str) -> None:
    """
    @raise ValueError: Not a regular expression of RE2, or longer than L{MAX_REGEX}.
    """
    if len(expression) > MAX_REGEX:
        raise ValueError(f"longer than {MAX_REGEX} characters")
    compiled(expression)


@lru_cache(maxsize=4096)  # asked for with each path
def substitution(expression: str, replacement: str) -> Callable[[bytes], bytes]:
    """
    Return a function that replaces everything in a text that an expression of RE2 finds.

    @param replacement: C{\\0} is what was found, C{\\1} to C{\\9} are groups of it, C{\\\\} is a backslash.
    @raise ValueError: The expression is none, or the replacement names a group that it has not.
    """
    engine = _re2(expression)
    parts = _parts(replacement, engine.groups)

    def substitute(text: bytes) -> bytes:
        pieces: list[bytes] = []
        end = 0
        for found in engine.finditer(text):
            start, stop = found.span()
            # RE2's GlobalReplace finds nothing empty where something ended; this module's own substitution would
            if start == stop == end and pieces:
                continue
            pieces.append(text[end:start])
            pieces += ((found.group(part) or b"") if isinstance(part, int) else part for part in parts)
            end = stop
        pieces.append(text[end:])
        return b"".join(pieces)

    return substitute


def _parts(replacement: str, groups: int) -> list[bytes | int]:
    """Tell texts from numbers of groups in a replacement."""
    parts: list[bytes | int] = []
    for text, escaped in re.findall(r"([^\\]*)(\\.?)?", replacement, re.DOTALL):
        parts.append(text.encode())
        if escaped == "\\\\":
            parts.append(b"\\")
        elif escaped[1:] in tuple("0123456789") and int(escaped[1:]) <= groups:
            parts.append(int(escaped[1:]))
        elif escaped:
            what = f"there is no group {escaped[1:]}" if escaped[1:].isdecimal() else "write \\\\ for a backslash"
            raise ValueError(f"{escaped}: {what}")
    return [part for part in parts if part != b""]


class _Found(Protocol):
    def group(self, number: int, /) -> bytes | None: ...
    def span(self) -> tuple[int, int]: ...


class Pattern(Protocol):
    """Matches whole texts."""

    def fullmatch(self, text: bytes, /) -> object: ...


class _Substitutes(Pattern, Protocol):
    @property
    def groups(self) -> int: ...
    def finditer(self, text: bytes, /) -> Iterator[_Found]: ...


# Quantifiers, alternation and groups are what a backtracking engine can be slow at. An expression of single characters
# and classes, of which one at most is repeated, goes back over the text once at most and compares the short rest: that
# is linear on either engine, and `re` is much faster to call. Only what both read alike is let through.
_LITERAL = r"[A-Za-z0-9/_~=,;:@%!&'<>\" -]|\\[./-]"
_CLASS = r"\.|\\[dw]|\[(?:[A-Za-z0-9_.](?:-[A-Za-z0-9_.])?)+-?\]"
_LINEAR = re.compile(rf"(?:{_LITERAL}|(?:{_CLASS})(?![*+?{{]))*(?:(?:{_CLASS})[*+](?:{_LITERAL}){{0,64}})?")


def compiled(expression: str) -> Pattern:
    """
    Return an expression as what matches texts.

    @raise ValueError: It is none.
    """
    found = _re2(expression)
    if _LINEAR.fullmatch(expression) and expression.isascii():
        # RE2's `.` matches no newline either; \d and \w on bytes are ASCII in both (\s differs).
        return re.compile(expression.encode())
    return found


def _re2(expression: str) -> _Substitutes:
    import re2  # noqa: PLC0415 (megabytes, for files with expressions that need it)

    options = re2.Options()
    options.log_errors = False
    options.encoding = re2.Options.Encoding.LATIN1
    try:
        engine: _Substitutes = re2.compile(expression.encode(), options)
    except re2.error as error:
        detail = error.args[0]
        raise ValueError(detail.decode() if isinstance(detail, bytes) else str(detail)) from error
    return engine
