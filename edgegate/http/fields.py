# Hot path: each field of each request and answer passes here.
"""
Header fields: which are the connection's own, which are the gateway's to set, and which pass.

Hop-by-hop fields follow RFC 9110 section 7.6.1; what is set anew towards the
backend follows Envoy's header sanitising with C{use_remote_address}.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

Field = tuple[bytes, bytes]
"""A name in lower case and a value."""


Role = int
"""What a field is for the gateway: one of the numbers that follow."""

PASS: Final = 0
"""End to end: goes on as it came."""
DROP: Final = 1
"""Hop-by-hop, or a name that only the gateway may say."""
HOST: Final = 2
CONNECTION: Final = 3
CONTENT_LENGTH: Final = 4
TRANSFER_ENCODING: Final = 5
EXPECT: Final = 6
FORWARDED_FOR: Final = 7
FORWARDED_PROTO: Final = 8
REQUEST_ID: Final = 9
DATE: Final = 10
GRPC_STATUS: Final = 11
UPGRADE: Final = 12
REJECT: Final = 13
"""No request may have it."""
TE: Final = 14
EXPLAIN: Final = 15
"""Asks for an explanation; never goes on."""

_COMMON: dict[bytes, Role] = {
    b"connection": CONNECTION,
    b"content-length": CONTENT_LENGTH,
    b"transfer-encoding": TRANSFER_ENCODING,
    b"keep-alive": DROP,
    b"proxy-connection": DROP,
    b"upgrade": UPGRADE,
}

_REQUEST: dict[bytes, Role] = {
    **_COMMON,
    b"host": HOST,
    b"te": TE,
    b"http2-settings": DROP,
    b"expect": EXPECT,
    b"x-forwarded-for": FORWARDED_FOR,
    b"x-forwarded-proto": FORWARDED_PROTO,
    b"x-request-id": REQUEST_ID,
    b"x-forwarded-client-cert": DROP,
    b"x-edgegate-explain": DROP,
}

_OWN: Final = (b"x-envoy-",)
"""How names begin that only the gateway may say."""

_PROXIES: Final = (b"forwarded", b"x-real-ip", b"proxy")
_FROM_PROXIES: Final = (b"x-forwarded-",)
"""Names, and how names begin, that are believed of a trusted proxy only; C{proxy}: U{https://httpoxy.org}."""

_RESPONSE: dict[bytes, Role] = {
    **_COMMON,
    b"server": DROP,
    b"date": DATE,
    b"grpc-status": GRPC_STATUS,
    b"x-envoy-upstream-service-time": DROP,
}

_MEMORY: Final = 1024
"""How many names are remembered; a client that invents names costs time, never memory."""

_LONGEST: Final = 64
"""Bytes of a name that is remembered."""


class Underscores(Enum):
    """
    What becomes of a request's fields with an underscore in their name (Envoy's C{headers_with_underscores_action}).
    """

    ALLOW = "allow"
    DROP = "drop"
    REJECT = "reject"


class Roles:
    """
    Find the lower-case form and the role of a field name, remembering the names seen.

    @ivar known: The names seen, with what L{of} returns for them: to look at before calling it.
    """

    __slots__ = ("_refuse", "_respelled", "_roles", "_underscores", "known")

    def __init__(
        self,
        roles: dict[bytes, Role],
        refuse: tuple[bytes, ...] = (),
        respelled: tuple[bytes, ...] = (),
        underscores: Underscores = Underscores.ALLOW,
    ) -> None:
        """
        @param roles: The names that do not simply pass, and others that have one spelling only.
        @param refuse: Prefixes of names that are dropped.
        @param respelled: Prefixes of names that have one spelling only: every other one is dropped.
        """
        self._roles = roles
        self._refuse = refuse
        self._respelled = respelled
        self._underscores = underscores
        self.known: dict[bytes, tuple[bytes, Role]] = {}

    def of(self, name: bytes) -> tuple[bytes, Role]:
        """Return the name in lower case with its role."""
        known = self.known.get(name)
        if known is None:
            known = self._classify(name)
            if len(self.known) < _MEMORY and len(name) <= _LONGEST:
                self.known[name] = known
        return known

    def _classify(self, name: bytes) -> tuple[bytes, Role]:
        lower = name.lower()
        if b"_" in lower and self._underscores is not Underscores.ALLOW:
            return lower, REJECT if self._underscores is Underscores.REJECT else DROP
        role = self._roles.get(lower, PASS)
        if role == PASS and lower.startswith(self._refuse):
            role = DROP
        if role == PASS:
            # To many backends (CGI, PHP) X_Forwarded_For and X.Forwarded.For are X-Forwarded-For: one spelling must not
            # smuggle the other.
            spelt = dashed(lower)
            if spelt != lower and (spelt in self._roles or spelt.startswith(self._respelled)):
                role = DROP
        return lower, role


_DASHED: Final = bytes(byte if byte in b"0123456789abcdefghijklmnopqrstuvwxyz" else 45 for byte in range(256))
"""Lower-case letters and digits as they are, all else as a dash."""


def dashed(name: bytes) -> bytes:
    """Return a name in lower case as backends may read it to which all that is no letter or digit is the same."""
    return name.translate(_DASHED)


def request_roles(trusted: bool, underscores: Underscores = Underscores.ALLOW, explains: bool = False) -> Roles:
    """
    Return the roles of requests' fields.

    @param trusted: Whether the gateway is asked by proxies whose word counts.
    @param explains: Whether somebody may ask for explanations.
    """
    roles = {**_REQUEST, **dict.fromkeys(_PROXIES, PASS if trusted else DROP)}
    if explains:
        roles[b"x-edgegate-explain"] = EXPLAIN
    spelled = (*_OWN, *_FROM_PROXIES)
    # what a client spells otherwise a proxy may have let through, which has its own spelling of all that it says
    return Roles(roles, _OWN if trusted else spelled, spelled, underscores)


REQUEST_ROLES: Final = request_roles(trusted=False)
RESPONSE_ROLES: Final = Roles(_RESPONSE)


def check_field(name: bytes, value: bytes) -> None:
    """
    Check a field that a filter wants to set.

    @raise ValueError: The name, in lower case, or the value is none.
    """
    if _NAME.fullmatch(name) is None or _UNSAFE.search(value) is not None:
        raise ValueError(f"no header field: {name!r}: {value!r}")


def check_response_fields(fields: list[Field]) -> None:
    """
    Check what a filter sets in a response.

    @raise ValueError: See L{check_field}; or it says how the body is framed or what becomes of the connection, which is
        said by whoever writes the response.
    """
    for name, value in fields:
        check_field(name, value)
        if name in _COMMON:
            raise ValueError(f"{name!r} is not a filter's to set")


_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
_UNSAFE: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def nominated(values: list[bytes]) -> frozenset[bytes]:
    """
    Return the lower-case names that C{Connection} fields declare to be the connection's own (RFC 9110 section 7.6.1).
    """
    if len(values) == 1 and (values[0] == b"keep-alive" or values[0] == b"close"):
        return _PLAIN
    return frozenset(option.strip(b" \t").lower() for value in values for option in value.split(b","))


def may_nominate(names: frozenset[bytes]) -> bool:
    """
    Whether a request's C{Connection} may name these: few, and none that says who asks for what (as in Envoy).

    To Envoy these are the names with a colon in front as well, as HTTP/2 has them.
    """
    return (
        len(names) <= _MOST_NOMINATED
        and _NEVER_NOMINATED.isdisjoint(names)
        and not any(name.startswith(b":") for name in names)
    )


_MOST_NOMINATED: Final = 9
_NEVER_NOMINATED: Final = frozenset((b"host", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"))


_PLAIN: frozenset[bytes] = frozenset((b"keep-alive", b"close"))


UNKNOWN_LENGTH: Final = -1
"""The length of a request's body whose end will be told."""

_LENGTH: Final = re.compile(rb"[0-9]{1,18}")


def content_length(value: bytes) -> int:
    """
    Return the number of a C{Content-Length} field (RFC 9110 section 8.6).

    @raise ValueError: Not C{1*DIGIT}, or too large to be meant.
    """
    if not _LENGTH.fullmatch(value):
        raise ValueError("malformed content-length")
    return int(value)
