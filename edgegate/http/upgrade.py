"""
C{Upgrade} (RFC 9110 section 7.8): which protocols a request asks for, and whether a C{101} is the response to it.

Pure. What a client says of C{Upgrade} is read here and said anew towards the
backend, and the other way round; the two are held together by L{fits}.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha1
from typing import Protocol

from edgegate.http.fields import Field

Protocols = tuple[bytes, ...]
"""Names of protocols, each with its version if it has one, as they were spelled."""


class Upgradable(Protocol):
    """The head of a request or of a response."""

    @property
    def upgrade(self) -> Protocols:
        """The protocols that it names."""

    @property
    def fields(self) -> list[Field]:
        """What passes, names in lower case."""


_REFUSED = frozenset((b"h2", b"h2c", b"h3", b"http", b"tls"))
"""
Names that are never passed on: behind their 101 HTTP goes on, and the gateway would not see whom it asks for what.

For C{tls} see RFC 2817. HAProxy leaves out h2 and h2c too.
"""

_WEBSOCKET = b"websocket"
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY = re.compile(rb"[0-9A-Za-z+/]{22}==")
_PROTOCOL = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:/[!#$%&'*+.^_`|~0-9A-Za-z-]+)?")


def protocols(values: list[bytes]) -> Protocols:
    """Return what C{Upgrade} fields name; what is no protocol's name is passed over."""
    items = (item.strip(b" \t") for value in values for item in value.split(b","))
    return tuple(item for item in items if _PROTOCOL.fullmatch(item))


def offered(values: list[bytes]) -> Protocols:
    """Return those of a request's protocols that a backend may be asked for."""
    return tuple(protocol for protocol in protocols(values) if _name(protocol) not in _REFUSED)


def sound(asked: Protocols, method: bytes, fields: list[Field]) -> bool:
    """
    Whether a request may ask for these protocols like that.

    For WebSocket (RFC 6455 section 4.1) it has to be GET with one key of 16
    bytes in base64, and version 13: without the key no response can be checked.
    """
    if not _has_websocket(asked):
        return True
    key = _only(fields, b"sec-websocket-key")
    return method == b"GET" and _KEY.fullmatch(key) is not None and _only(fields, b"sec-websocket-version") == b"13"


def fits(request: Upgradable, answer: Upgradable) -> bool:
    """
    Whether a C{101} is one that its request asked for.

    It names only what was asked for; for WebSocket it proves that the backend
    has read the key, and is no server that repeats what it is told (RFC 6455
    section 4.2.2). That it has no body was checked with its head.
    """
    asked = {protocol.lower() for protocol in request.upgrade}
    chosen = answer.upgrade
    if not chosen or not asked.issuperset(map(bytes.lower, chosen)):
        return False
    if not _has_websocket(chosen):
        return True
    return _only(answer.fields, b"sec-websocket-accept") == accept(_only(request.fields, b"sec-websocket-key"))


def accept(key: bytes) -> bytes:
    """Return the C{Sec-WebSocket-Accept} that belongs to a C{Sec-WebSocket-Key}."""
    return b64encode(sha1(key + _GUID, usedforsecurity=False).digest())


def upgrade_lines(chosen: Protocols) -> bytes:
    """Return the field lines that ask for protocols, or that accept them."""
    return b"connection: upgrade\r\nupgrade: %b\r\n" % b", ".join(chosen)


def _has_websocket(chosen: Protocols) -> bool:
    return any(_name(protocol) == _WEBSOCKET for protocol in chosen)


def _name(protocol: bytes) -> bytes:
    return protocol.partition(b"/")[0].lower()


def _only(fields: list[Field], name: bytes) -> bytes:
    """Return the value of the only field of a name; empty where there is none, or more than one."""
    values = [value.strip(b" \t") for each, value in fields if each == name]
    return values[0] if len(values) == 1 else b""
