# Compiled: clusters that hash and limits look for cookies in each request.
"""Cookies and query parameters of a request: what they say, and the request without them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from urllib.parse import unquote_to_bytes

Field = tuple[bytes, bytes]


def cookies(fields: Collection[Field], name: bytes) -> Iterator[bytes]:
    """
    Yield the values of a cookie, of all C{cookie} fields (RFC 6265 section 5.4; names are case-sensitive).

    Space around its name and its value and quotes do not count: many backends read it so.
    """
    for key, value in fields:
        if key == b"cookie":
            for pair in value.split(b";"):
                own, equals, content = pair.partition(b"=")
                if equals and own.strip(b" \t") == name:
                    yield content.strip(b' \t"')


def without_cookies(fields: Collection[Field], names: Collection[bytes]) -> list[Field]:
    """Return the C{cookie} fields of a request that are left without some cookies."""
    found: list[Field] = []
    for key, value in fields:
        if key == b"cookie":
            pairs = [pair.strip(b" \t") for pair in value.split(b";")]
            kept = [pair for pair in pairs if pair and pair.partition(b"=")[0].rstrip(b" \t") not in names]
            if kept:
                found.append((key, b"; ".join(kept)))
    return found


def parameters(query: bytes, name: bytes) -> Iterator[bytes]:
    """Yield the values of a parameter of a query, decoded."""
    for pair in query.split(b"&"):
        key, _, value = pair.partition(b"=")
        if decoded(key) == name:
            yield decoded(value)


def without_parameter(target: bytes, name: bytes) -> bytes:
    """Return a target without a parameter of its query, however that is written."""
    path, mark, query = target.partition(b"?")
    if not mark:
        return target
    kept = [pair for pair in query.split(b"&") if decoded(pair.partition(b"=")[0]) != name]
    return path + mark + b"&".join(kept) if kept else path


def decoded(text: bytes) -> bytes:
    """Return a name or a value of a query as backends read it."""
    return unquote_to_bytes(text.replace(b"+", b" ")) if b"%" in text or b"+" in text else text
