# Hot path: looks for tokens in each request of a guarded host.
"""
Where tokens stand in a request (Envoy's C{jwt_authn/extractor.cc}), and the request without them.

Envoy takes the first of several parameters or cookies of one name; here all of them count, as fields of one name do: a
backend may take another one than the first for the token that was verified. Fields that are one value, as those of
C{Authorization} are, have one token: several are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote_to_bytes

from edgegate.model.guards.jwt import JWTRule, TokenHeader
from edgegate.routing.matching import JOINED

Field = tuple[bytes, bytes]
"""A name in lower case and a value."""

DEFAULT_HEADERS: Final = (TokenHeader(b"authorization", b"Bearer "),)
DEFAULT_PARAMS: Final = ("access_token",)

_TOKEN_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."


class Locations:
    """Where the tokens of one rule may stand."""

    __slots__ = ("_cookies", "_headers", "_params")

    def __init__(self, rule: JWTRule) -> None:
        headers, params = rule.headers, rule.params
        if not (headers or params or rule.cookies):
            headers, params = DEFAULT_HEADERS, DEFAULT_PARAMS
        self._headers = [(header.name, header.prefix) for header in sorted(headers, key=lambda header: header.name)]
        self._params = frozenset(name.encode() for name in params)
        self._cookies = frozenset(name.encode() for name in rule.cookies)

    def tokens(self, fields: Sequence[Field], target: bytes) -> list[bytes]:
        """
        Return the tokens of a request: those of fields first, those of cookies last.

        @param target: The path with its query.
        """
        found: list[bytes] = []
        for wanted, prefix in self._headers:
            before = len(found)
            for name, value in fields:
                if name == wanted:
                    if not prefix:
                        found.append(value)
                    else:
                        at = value.find(prefix)
                        if at >= 0:
                            found.append(_from(value, at + len(prefix)))
            if len(found) > before + 1 and wanted in JOINED:
                # there can be but one: others may take them for one, and that is no token
                found[before:] = [JOINED[wanted].join(found[before:])]
        if self._params:
            mark = target.find(b"?")
            if mark >= 0 and self._may_hold(target, mark):
                found.extend(_parameters(target[mark + 1 :], self._params))
        if self._cookies:
            for name, value in fields:
                if name == b"cookie":
                    found.extend(_cookies(value, self._cookies))
        return found

    def _may_hold(self, target: bytes, mark: int) -> bool:
        """Whether a query, behind a place, may have a parameter that holds a token: most have not, and are not read."""
        for name in self._params:
            if target.find(name, mark) >= 0:
                return True
        return bool(self._params) and target.find(b"%", mark) >= 0

    def fields_with_tokens(self, fields: Sequence[Field]) -> frozenset[bytes]:
        """Return the names of a request's fields, cookies aside, that hold its tokens: they are taken out whole."""
        found: list[bytes] = []
        for wanted, prefix in self._headers:
            for name, value in fields:
                if name == wanted and value.find(prefix) >= 0:
                    found.append(name)
        return frozenset(found)

    def without_parameters(self, target: bytes) -> bytes:
        """Return a path and its query without the parameters that hold tokens; all else stays as it is."""
        mark = target.find(b"?")
        if mark < 0 or not self._may_hold(target, mark):
            return target
        parts = target[mark + 1 :].split(b"&")
        kept = [part for part in parts if unquote_to_bytes(part.partition(b"=")[0]) not in self._params]
        if len(kept) == len(parts):
            return target
        return target[:mark] + b"?" + b"&".join(kept) if kept else target[:mark]


def _from(value: bytes, at: int) -> bytes:
    """Return what begins with the first byte of a token's at or behind a place; the whole, where there is none."""
    for index in range(at, len(value)):
        if value[index] in _TOKEN_BYTES:
            return value[index:]
    return value


def _parameters(query: bytes, names: frozenset[bytes]) -> list[bytes]:
    found: list[bytes] = []
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        if (unquote_to_bytes(name) if b"%" in name else name) in names:
            found.append(unquote_to_bytes(value) if b"%" in value else value)
    return found


def _cookies(value: bytes, names: frozenset[bytes]) -> list[bytes]:
    found: list[bytes] = []
    for part in value.split(b";"):
        name, equals, text = part.strip(b" \t").partition(b"=")
        if equals and name in names:
            found.append(text[1:-1] if len(text) > 1 and text[0] == text[-1] == 34 else text)
    return found
