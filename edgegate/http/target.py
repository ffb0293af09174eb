# Hot path: each new target of a request passes here.
"""
The one form of a path in which it is matched and sent on (Istio's C{MeshConfig.pathNormalization}).

What the gateway decides by and what a backend acts on must not differ: else
C{/public/../admin} passes for C{/public}. The rules are Envoy's: its
C{normalize_path} (RFC 3986 section 6.2.2 as browsers apply it), C{merge_slashes}
and C{path_with_escaped_slashes_action: UNESCAPE_AND_FORWARD}. Beyond them an
escape that is none is refused, as nginx does: two programs could read it in two
ways.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final


class PathNormalisation(Enum):
    """
    How much is done to a path; the names are Istio's.

    A path that climbs above its root stays at the root. C{%00} is refused in every one of them.
    """

    NONE = "none"
    """Nothing: what came is matched and sent on."""

    BASE = "base"
    """Dot segments are resolved, C{\\} is C{/}, escapes of unreserved characters are decoded, others are checked."""

    MERGE_SLASHES = "merge-slashes"
    """Then several slashes are one."""

    DECODE_AND_MERGE_SLASHES = "decode-and-merge-slashes"
    """As that, but C{%2F} and C{%5C} were slashes from the beginning."""


def normal_path(path: bytes, how: PathNormalisation) -> bytes:
    """
    Return a path in its normal form; what is in it already is returned as it is.

    @param path: It begins with a slash and has no query.
    @raise ValueError: It holds C{%00}, or C{%} without two hexadecimal digits.
    """
    # find() does not make an exception first, as `in` does of bytes that look for bytes
    if path.find(b"/.") < 0 and not path.translate(None, _PLAIN) and (how is _BASE or path.find(b"//") < 0):
        return path
    if how is not PathNormalisation.NONE:
        return _normalised(path, how)
    if b"%00" in path:
        raise ValueError("%00 in a path")
    return path


_BASE: Final = PathNormalisation.BASE

_UNRESERVED: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_PLAIN: Final = _UNRESERVED + b"/!$&'()*+,;=:@[]"
"""Bytes that stand for themselves in a path (RFC 3986 section 3.3; browsers leave the brackets, too)."""

_HEX: Final = "0123456789ABCDEFabcdef"
_FORMS: Final = {
    # as browsers do, the case of an escape that stays is left
    **{f"%{high}{low}".encode("ascii"): f"%{high}{low}".encode("ascii") for high in _HEX for low in _HEX},
    **{spelt % byte: b"%c" % byte for byte in _UNRESERVED for spelt in (b"%%%02X", b"%%%02x")},
    **{b"%c" % byte: b"%%%02X" % byte for byte in range(1, 256) if byte not in _PLAIN + b"%\\"},
}
"""Escapes, and bytes that have no place in a path, with what they become."""
del _FORMS[b"%00"]

_ODD: Final = re.compile(rb"%(?:[0-9A-Fa-f]{2})?|[^" + re.escape(_PLAIN) + rb"]")
_ESCAPED_SLASH: Final = re.compile(rb"%(?:2[Ff]|5[Cc])")
_SLASHES: Final = re.compile(rb"//+")


def _normalised(path: bytes, how: PathNormalisation) -> bytes:
    if how is PathNormalisation.DECODE_AND_MERGE_SLASHES:
        path = _ESCAPED_SLASH.sub(b"/", path)
    try:
        path = _ODD.sub(_form, path.replace(b"\\", b"/"))
    except KeyError:
        raise ValueError("no escape of a character in a path") from None
    if b"/." in path:
        path = _without_dots(path)
    return path if how is _BASE else _SLASHES.sub(b"/", path)


def _form(odd: re.Match[bytes]) -> bytes:
    return _FORMS[odd[0]]


def _without_dots(path: bytes) -> bytes:
    """
    Resolve the segments C{.} and C{..} (RFC 3986 section 5.2.4); an empty segment is one like any other.

    They are what they are with path parameters behind them, too: many a backend
    takes C{..;a=b} for C{..}, after it has cut the parameters off.
    """
    kept: list[bytes] = []
    name = b""
    for segment in path.split(b"/")[1:]:
        name = segment.partition(b";")[0]
        if name == b"..":
            if kept:
                kept.pop()
        elif name != b".":
            kept.append(segment)
    if name in (b".", b".."):
        kept.append(b"")
    return b"/" + b"/".join(kept)
