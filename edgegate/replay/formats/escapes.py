"""How programs write into a line what would break it, read back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from enum import Enum
from typing import Final


class Escapes(Enum):
    """How what clients sent is written."""

    BACKSLASH = "backslash"
    r"""
    C{\xNN}, and a backslash before a quote or a backslash: edgegate. nginx writes those in hexadecimal, too; Apache
    writes C{\n} and its like for control characters.
    """

    JSON = "json"
    """As within a string of JSON (nginx with C{escape=json})."""

    NONE = "none"
    """As it came: Envoy, quotes included (envoy#4191); nginx with C{escape=none}."""


_ESCAPE: Final = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_CONTROLS: Final = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"v": b"\v", b"f": b"\f"}


def _backslashes(text: bytes) -> bytes:
    return _ESCAPE.sub(_character, text) if b"\\" in text else text


def _character(found: re.Match[bytes]) -> bytes:
    if found[1] is not None:
        return bytes.fromhex(found[1].decode("ascii"))
    return _CONTROLS.get(found[2], found[2])


def _json(text: bytes) -> bytes:
    if b"\\" not in text:
        return text
    try:
        value = json.loads(b'"%b"' % text, strict=False)
        return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else text
    except ValueError:
        # it is no JSON, or has half a character in it, which has no bytes
        return text


def _as_it_is(text: bytes) -> bytes:
    return text


UNESCAPE: Final[dict[Escapes, Callable[[bytes], bytes]]] = {
    Escapes.BACKSLASH: _backslashes,
    Escapes.JSON: _json,
    Escapes.NONE: _as_it_is,
}
"""What makes of a value in a line what was sent."""
