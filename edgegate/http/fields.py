# Hot path: each field of each request and answer passes here.
"""
Header fields: which are the connection's own, which are the gateway's to set, and which pass.

Hop-by-hop fields follow RFC 9110 section 7.6.1; what is set anew towards the
backend follows Envoy's header sanitising with C{use_remote_address}.
"""

from __future__ import annotations

import re
from enum import IntEnum

Field = tuple[bytes, bytes]
"""A name in lower case and a value."""


class Role(IntEnum):
    """What a field is for the gateway."""

    PASS = 0  # end to end: goes on as it came
    DROP = 1  # hop-by-hop, or a name that only the gateway may say
    HOST = 2
    CONNECTION = 3
    CONTENT_LENGTH = 4
    TRANSFER_ENCODING = 5
    EXPECT = 6
    FORWARDED_FOR = 7
    FORWARDED_PROTO = 8
    REQUEST_ID = 9
    DATE = 10


_COMMON: dict[bytes, Role] = {
    b"connection": Role.CONNECTION,
    b"content-length": Role.CONTENT_LENGTH,
    b"transfer-encoding": Role.TRANSFER_ENCODING,
    b"keep-alive": Role.DROP,
    b"proxy-connection": Role.DROP,
    b"upgrade": Role.DROP,
}

_REQUEST: dict[bytes, Role] = {
    **_COMMON,
    b"host": Role.HOST,
    b"te": Role.DROP,
    b"http2-settings": Role.DROP,
    b"expect": Role.EXPECT,
    b"x-forwarded-for": Role.FORWARDED_FOR,
    b"x-forwarded-proto": Role.FORWARDED_PROTO,
    b"x-request-id": Role.REQUEST_ID,
    b"x-forwarded-client-cert": Role.DROP,
}

_ANSWER: dict[bytes, Role] = {
    **_COMMON,
    b"server": Role.DROP,
    b"date": Role.DATE,
    b"x-envoy-upstream-service-time": Role.DROP,
}

_MEMORY = 1024
"""How many names are remembered; a client that invents names costs time, never memory."""


class Roles:
    """
    Find the lower-case form and the role of a field name, remembering the names seen.

    @param roles: The names that do not simply pass.
    @param refuse: Prefixes of names that are dropped.
    """

    __slots__ = ("_known", "_refuse", "_roles")

    def __init__(self, roles: dict[bytes, Role], refuse: tuple[bytes, ...] = ()) -> None:
        self._roles = roles
        self._refuse = refuse
        self._known: dict[bytes, tuple[bytes, Role]] = {}

    def of(self, name: bytes) -> tuple[bytes, Role]:
        """Return the name in lower case with its role."""
        known = self._known.get(name)
        if known is None:
            known = self._classify(name)
            if len(self._known) < _MEMORY:
                self._known[name] = known
        return known

    def _classify(self, name: bytes) -> tuple[bytes, Role]:
        lower = name.lower()
        role = self._roles.get(lower, Role.PASS)
        if role is Role.PASS and lower.startswith(self._refuse):
            role = Role.DROP
        if role is Role.PASS and b"_" in lower:
            # To many backends (CGI, WSGI) X_Forwarded_For is X-Forwarded-For: one spelling must not smuggle the other.
            dashed = lower.replace(b"_", b"-")
            if dashed in self._roles or dashed.startswith(self._refuse):
                role = Role.DROP
        return lower, role


REQUEST_ROLES = Roles(_REQUEST, (b"x-envoy-",))
ANSWER_ROLES = Roles(_ANSWER)


def nominated(values: list[bytes]) -> frozenset[bytes]:
    """
    Return the lower-case names that C{Connection} fields declare to be the connection's own (RFC 9110 section 7.6.1).
    """
    return frozenset(option.strip(b" \t").lower() for value in values for option in value.split(b","))


_LENGTH = re.compile(rb"[0-9]{1,18}")


def content_length(value: bytes) -> int:
    """
    Return the number of a C{Content-Length} field (RFC 9110 section 8.6).

    @raise ValueError: Not C{1*DIGIT}, or too large to be meant.
    """
    if not _LENGTH.fullmatch(value):
        raise ValueError("malformed content-length")
    return int(value)
