"""
Cookies that keep sessions and logins (RFC 6265bis): for one host, sent over TLS only, out of the reach of scripts.

What is longer than a cookie may be is cut into several, of which the first says how many there are. The names of all
that belong to one begin with its own and a dot, which no name in a policy has: so C{wiki} is never a part of C{wiki-1}.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

Field = tuple[bytes, bytes]

PIECE: Final = 3_800
"""Bytes of a cookie's value: browsers take 4,096 with its name and attributes."""
MOST_PIECES: Final = 3

_PREFIX: Final = b"__Host-"
_ATTRIBUTES: Final = b"; Path=/; Secure; HttpOnly; SameSite=Lax"
_OWN = re.compile(rb"(?:\.[12]|\.login\.[A-Za-z0-9_-]*)?")
_FIRST = re.compile(rb"([1-3])\.([A-Za-z0-9_-]*)")


class TooLarge(ValueError):
    """More than fits into cookies."""


def cookie_name(name: bytes, *parts: bytes) -> bytes:
    """Return the name of a cookie that no other host can set (section 4.1.3.2)."""
    return _PREFIX + b".".join((name, *parts))


def received(fields: Iterable[Field], prefix: bytes) -> dict[bytes, bytes]:
    """
    Return the cookies of a request whose names begin with something.

    Of two of one name there is none: one of them is not ours.
    """
    found: dict[bytes, bytes] = {}
    twice: set[bytes] = set()
    for key, value in fields:
        if key != b"cookie":
            continue
        for pair in value.split(b";"):
            name, equals, content = pair.strip(b" \t").partition(b"=")
            if equals and name.startswith(prefix):
                if name in found:
                    twice.add(name)
                found[name] = content
    for name in twice:
        del found[name]
    return found


def own(fields: Iterable[Field], name: bytes) -> dict[bytes, bytes]:
    """
    Return the cookies of a request that are those of one policy: a session's pieces, and its logins.

    Others whose names begin alike are an application's or another policy's.

    @param name: Of its sessions.
    """
    return {each: value for each, value in received(fields, name).items() if _OWN.fullmatch(each[len(name) :])}


def joined(cookies: Mapping[bytes, bytes], name: bytes) -> bytes | None:
    """Return the text that cookies of a name are the pieces of; L{None}: there is none, or a piece is missing."""
    first = _FIRST.fullmatch(cookies.get(name, b""))
    if first is None:
        return None
    pieces = [first[2]]
    for number in range(1, int(first[1])):
        piece = cookies.get(b"%b.%d" % (name, number))
        if piece is None:
            return None
        pieces.append(piece)
    return b"".join(pieces)


def set_cookies(name: bytes, text: bytes, seconds: int, before: Collection[bytes]) -> list[Field]:
    """
    Return the fields of a response that keep a text with the client.

    @param seconds: How long.
    @param before: The names of what it has now: pieces that are not needed any more go.
    @raise TooLarge: It does not fit.
    """
    pieces = [text[at : at + PIECE] for at in range(0, len(text), PIECE)] or [b""]
    if len(pieces) > MOST_PIECES:
        raise TooLarge(f"{len(text)} bytes")
    names = [name, *(b"%b.%d" % (name, number) for number in range(1, len(pieces)))]
    values = [b"%d.%b" % (len(pieces), pieces[0]), *pieces[1:]]
    fields = [_set(each, value, seconds) for each, value in zip(names, values, strict=True)]
    return fields + clear_cookies(each for each in pieces_of(name) if each in before and each not in names)


def clear_cookies(names: Iterable[bytes]) -> list[Field]:
    """Return the fields that have a client forget cookies."""
    return [(b"set-cookie", b"%b=%b; Max-Age=0" % (name, _ATTRIBUTES)) for name in names]


def pieces_of(name: bytes) -> list[bytes]:
    """Return all names that the pieces of a text may have."""
    return [name, *(b"%b.%d" % (name, number) for number in range(1, MOST_PIECES))]


def _set(name: bytes, value: bytes, seconds: int) -> Field:
    return b"set-cookie", b"%b=%b%b; Max-Age=%d" % (name, value, _ATTRIBUTES, seconds)
