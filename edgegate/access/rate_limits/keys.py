# Hot path: tells the requests of a limit apart.
"""
What a limit tells requests apart by: a key of bytes for each request.

Whatever a client sends, the keys of two different values differ: a value that was sent begins with C{=}, an address in
its place with C{@}, and parts have their lengths in front.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final, Protocol

from edgegate.access.request_parts import cookies
from edgegate.model.claims import claim_at
from edgegate.model.expressions import compiled
from edgegate.model.guards.rate_limit import Absent, KeyPart, KeySource
from edgegate.routing.hosts import host_of
from edgegate.routing.matching import Request, values_of

_NAMES: Final = (("envoy.filters.http.basic_auth", "username"), ("envoy.filters.http.api_key_auth", "client"))
"""Where in dynamic metadata the name is of a user with a password, and of who has a key."""


class LimitedRequest(Request, Protocol):
    """What a request shows to limits."""

    @property
    def client_address(self) -> bytes:
        """The trusted address of the client."""

    @property
    def metadata(self) -> Mapping[str, Mapping[str, object]] | None:
        """Dynamic metadata by namespaces; L{None}: there is none."""


class RequestKey(ABC):
    """Makes the keys of requests."""

    __slots__ = ()

    @abstractmethod
    def of(self, request: LimitedRequest) -> bytes | None:
        """Return the key of a request; L{None}: it is not counted."""


def key_of(parts: Sequence[KeyPart]) -> RequestKey:
    """Return what makes the key of a request, of all parts together."""
    if not parts:
        return _One()
    found: list[RequestKey] = [
        _AddressKey(part) if part.source is KeySource.CLIENT_ADDRESS else _ValueKey(part) for part in parts
    ]
    return found[0] if len(found) == 1 else _JoinedKey(found)


class _One(RequestKey):
    """All requests have one."""

    __slots__ = ()

    def of(self, request: LimitedRequest) -> bytes | None:
        """See L{RequestKey.of}."""
        return b""


class _AddressKey(RequestKey):
    __slots__ = ("_ipv4", "_ipv6")

    def __init__(self, part: KeyPart) -> None:
        self._ipv4, self._ipv6 = part.ipv4_prefix, part.ipv6_prefix

    def of(self, request: LimitedRequest) -> bytes | None:
        """See L{RequestKey.of}."""
        return self.address_of(request)

    def address_of(self, request: LimitedRequest) -> bytes:
        """Return the address of a request's client, as far as it counts."""
        address = request.client_address
        if self._ipv4 == 32 and b":" not in address:
            return address
        return prefix_of(address, self._ipv4, self._ipv6)


class _ValueKey(RequestKey):
    __slots__ = ("_absent", "_address", "_value")

    def __init__(self, part: KeyPart) -> None:
        self._value = _VALUES[part.source](part)
        self._absent = part.absent
        self._address = _AddressKey(part)

    def of(self, request: LimitedRequest) -> bytes | None:
        """See L{RequestKey.of}."""
        value = self._value(request)
        if value is not None:
            return b"=" + value
        if self._absent is Absent.SHARED:
            return b""
        if self._absent is Absent.SKIP:
            return None
        return b"@" + self._address.address_of(request)


class _JoinedKey(RequestKey):
    __slots__ = ("_parts",)

    def __init__(self, parts: Sequence[RequestKey]) -> None:
        self._parts = tuple(parts)

    def of(self, request: LimitedRequest) -> bytes | None:
        """See L{RequestKey.of}."""
        pieces: list[bytes] = []
        for part in self._parts:
            piece = part.of(request)
            if piece is None:
                return None
            pieces.append(b"%d:%b" % (len(piece), piece))
        return b"".join(pieces)


@lru_cache(maxsize=4096)  # a client asks many times
def prefix_of(address: bytes, ipv4: int, ipv6: int) -> bytes:
    """
    Return the network of an address, C{2001:db8::/64}, or an address of IPv4 of which all bits count as it is.

    An IPv4 address within IPv6 is one of IPv4. What is no address stays what it is.
    """
    try:
        parsed = ip_address(address.partition(b"%")[0].decode("ascii"))
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        if mapped is None:
            return str(ip_network((parsed, ipv6), strict=False)).encode("ascii")
        parsed = mapped
    if ipv4 == 32:
        return str(parsed).encode("ascii")
    return str(ip_network((parsed, ipv4), strict=False)).encode("ascii")


Value = Callable[[LimitedRequest], bytes | None]


def first_field(name: str) -> Value:
    """
    Return a function that finds the value of the first field of a header.

    @param name: In lower case.
    """
    values = values_of(name.encode("latin-1"))

    def value(request: LimitedRequest) -> bytes | None:
        given = values(request)
        return given[0] if given else None

    return value


def _header(part: KeyPart) -> Value:
    return first_field(part.name[0])


def _cookie(part: KeyPart) -> Value:
    name = part.name[0].encode()
    return lambda request: next(cookies(request.headers, name), None)


def _claim(part: KeyPart) -> Value:
    names = part.name

    def value(request: LimitedRequest) -> bytes | None:
        found = claim_at(request.claims, names)
        if found is None:
            return None
        text = found if isinstance(found, str) else json.dumps(found, sort_keys=True, separators=(",", ":"))
        return text.encode("utf-8", "surrogatepass")

    return value


def _identity(part: KeyPart) -> Value:
    return _identified


def _identified(request: LimitedRequest) -> bytes | None:
    """Return who a client is, as guards before have found out: two that are found in other ways are two clients."""
    subject = request.claims.get("sub")
    if isinstance(subject, str) and subject:
        return b"token " + json.dumps([request.claims.get("iss"), subject]).encode()
    metadata = request.metadata or {}
    for namespace, name in _NAMES:
        found = metadata.get(namespace, {}).get(name)
        if isinstance(found, str):
            return f"{name} {found}".encode("utf-8", "surrogatepass")
    return None


def _host(part: KeyPart) -> Value:
    return lambda request: _named(request.authority)


@lru_cache(maxsize=1024)
def _named(authority: bytes) -> bytes | None:
    """Return the normal form of a host; L{None}: an old client names none."""
    try:
        return host_of(authority).encode("ascii")
    except ValueError:
        return None


def _path(part: KeyPart) -> Value:
    fits = compiled(part.name[0]).fullmatch

    def value(request: LimitedRequest) -> bytes | None:
        path = request.path
        found: Any = fits(path)
        if found is None:
            return None
        groups: tuple[bytes | None, ...] = found.groups()
        return b"/".join(group or b"" for group in groups) if groups else path

    return value


_VALUES: Final[dict[KeySource, Callable[[KeyPart], Value]]] = {
    KeySource.IDENTITY: _identity,
    KeySource.HEADER: _header,
    KeySource.COOKIE: _cookie,
    KeySource.CLAIM: _claim,
    KeySource.HOST: _host,
    KeySource.PATH: _path,
}
