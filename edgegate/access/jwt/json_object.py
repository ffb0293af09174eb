"""
Objects of JSON, read so strictly that no two readers can read different things in them (RFC 8259, RFC 7519 section 4).
"""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, Final

MOST_DEPTH: Final = 100
"""How deep lists and objects may stand in each other (as protobuf has it)."""


def json_object(data: bytes) -> dict[str, Any]:
    """
    Read an object: UTF-8, no name twice, finite numbers, no half of a surrogate pair.

    @raise ValueError: It is something else. The text is not repeated.
    """
    try:
        value = _DECODER.decode(data.decode("utf-8"))
        if not isinstance(value, dict) or _too_deep(value):
            raise ValueError("no object of JSON")
        if b"\\u" in data:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise ValueError("too deep") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError("a number that is too large")
    return number


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_constant, parse_float=_finite)


def _too_deep(value: Any) -> bool:
    """Whether there are more levels than L{MOST_DEPTH}: without recursion, as a client says how many there are."""
    level = [value]
    for _ in range(MOST_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True
