"""
Numbers, strings and durations of CEL (U{https://github.com/google/cel-spec/blob/master/doc/langdef.md}), as they are
written in expressions and in strings that are made into them.

What is wrong raises C{ValueError} with a phrase that says why.
"""

from __future__ import annotations

import math
import re
from typing import Final

LEAST_INT: Final = -(1 << 63)
MOST_INT: Final = (1 << 63) - 1
_MOST_UINT: Final = (1 << 64) - 1

_MOST_DIGITS: Final = 1000
"""Python reads no thousands of them."""

_SECOND: Final = 1_000_000_000
MOST_NANOSECONDS: Final = 315_576_000_000 * _SECOND
"""Those of the longest duration: 10,000 years."""

_NUMBER: Final = re.compile(
    r"-?(?:(?P<hex>0x[0-9a-fA-F]+)|(?P<float>[0-9]+(?:\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)"
    r"|\.[0-9]+(?:[eE][+-]?[0-9]+)?)|[0-9]+)(?P<unsigned>[uU]?)"
)
_INT: Final = re.compile(r"[+-]?[0-9]+")
_DOUBLE: Final = re.compile(r"[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|(?i:inf|infinity|nan))")
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_DURATION: Final = re.compile(rf"[+-]?(?:0|(?:{_PART.pattern})+)")
_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": _SECOND,
    "m": 60 * _SECOND,
    "h": 3600 * _SECOND,
}

_ESCAPE: Final = re.compile(
    r"""\\(?:(?P<sign>[abfnrtv?"'`\\])|[xX](?P<byte>[0-9a-fA-F]{2})|u(?P<four>[0-9a-fA-F]{4})"""
    r"""|U(?P<eight>[0-9a-fA-F]{8})|(?P<octal>[0-3][0-7]{2})|(?P<wrong>[\s\S]?))"""
)
_SIGNS: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def number(token: str) -> int | float:
    """Return what a literal stands for: C{12}, C{-0x1F}, C{12u}, C{.5e3}."""
    found = _NUMBER.fullmatch(token)
    if found is None or (found["float"] and found["unsigned"]):
        raise ValueError("is no number")
    if found["float"]:
        value = float(token)
        if math.isinf(value):
            raise ValueError("is too large a number")
        return value
    least, most = (0, _MOST_UINT) if found["unsigned"] else (LEAST_INT, MOST_INT)
    digits = token.rstrip("uU")
    return _within(digits, 16 if found["hex"] else 10, least, most)


def integer(text: str) -> int:
    """Return the integer that a string has, as C{int()} does."""
    if _INT.fullmatch(text) is None:
        raise ValueError("is no integer")
    return _within(text, 10, LEAST_INT, MOST_INT)


def double(text: str) -> float:
    """Return the number that a string has, as C{double()} does."""
    if _DOUBLE.fullmatch(text) is None:
        raise ValueError("is no number")
    return float(text)


def nanoseconds(text: str) -> int:
    """Return how long a string says, as C{duration()} does: C{1h30m}, C{-1.5s}; what is less than one is cut."""
    if _DURATION.fullmatch(text) is None:
        raise ValueError("is no duration, as 1h30m and 1.5s are")
    total = 0
    for amount, unit in _PART.findall(text):
        whole, _, rest = amount.partition(".")
        # digits beyond those of 18 are less than a nanosecond even of hours
        total += _within(whole or "0", 10, 0, MOST_INT) * _UNITS[unit]
        total += int(rest[:18] or "0") * _UNITS[unit] // 10 ** len(rest[:18])
    if total > MOST_NANOSECONDS:
        raise ValueError("is longer than 10,000 years")
    return -total if text.startswith("-") else total


def string(token: str) -> str:
    """Return what a literal stands for, in whichever quotes; C{r"..."} is raw."""
    raw = token[0] in "rR"
    if raw:
        token = token[1:]
    quote = 3 if token[:3] in ('"""', "'''") else 1
    inner = token[quote:-quote]
    return inner if raw else _ESCAPE.sub(_unescaped, inner)


def _unescaped(found: re.Match[str]) -> str:
    kind = found.lastgroup or ""
    if kind == "wrong":
        raise ValueError(f"has {found[0]}, which is no escape of CEL")
    if kind == "sign":
        return _SIGNS.get(found[kind], found[kind])
    code = int(found[kind], 8 if kind == "octal" else 16)
    if 0xD800 <= code < 0xE000 or code > 0x10FFFF:
        raise ValueError(f"has {found[0]}, which is no character")
    return chr(code)


def _within(digits: str, base: int, least: int, most: int) -> int:
    """Return an integer that is in a range."""
    if len(digits) < _MOST_DIGITS:
        value = int(digits, base)
        if least <= value <= most:
            return value
    raise ValueError("is too large a number")
