# Hot path: tells the requests of a limit apart.
"""
What a limit tells requests apart by: a key of bytes for each request.

Whatever a client sends, the keys of two different values differ: a value that was sent begins with C{=}, an address in
its place with C{@}, and parts have their lengths in front.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final, Protocol

from edgegate.model.expressions import compiled
from edgegate.model.guards.rate_limit import Absent, KeyPart, KeySource
from edgegate.routing.hosts import host_of
from edgegate.routing.matching import Request, values_of

CLAIMS: Final = "envoy.filters.http.jwt_authn"
"""Where in dynamic metadata a verified token's claims are (Envoy's C{jwt_authn}), under C{payload}."""


class LimitedRequest(Request, Protocol):
    """What a request shows to limits."""

    @property
    def client_address(self) -> bytes:
        """The trusted address of the client."""

    @property
    def metadata(self) -> Mapping[str, Mapping[str, object]] | None:
        """Dynamic metadata by namespaces; L{None}: there is none."""


Key = Callable[[LimitedRequest], bytes | None]
"""Returns the key of a request; L{None}: it is not counted."""


def key_of(parts: Sequence[KeyPart]) -> Key:
    """Return what makes the key of a request, of all parts together."""
    if not parts:
        return lambda request: b""
    found = [_part(part) for part in parts]
    if len(found) == 1:
        return found[0]

    def joined(request: LimitedRequest) -> bytes | None:
        pieces: list[bytes] = []
        for part in found:
            piece = part(request)
            if piece is None:
                return None
            pieces.append(b"%d:%b" % (len(piece), piece))
        return b"".join(pieces)

    return joined


def _part(part: KeyPart) -> Key:
    address = _address(part)
    if part.source is KeySource.CLIENT_ADDRESS:
        return address
    value = _VALUES[part.source](part)

    def key(request: LimitedRequest) -> bytes | None:
        given = value(request)
        if given is not None:
            return b"=" + given
        if part.absent is Absent.SHARED:
            return b""
        if part.absent is Absent.SKIP:
            return None
        return b"@%b" % address(request)

    return key


def _address(part: KeyPart) -> Callable[[LimitedRequest], bytes]:
    ipv4, ipv6 = part.ipv4_prefix, part.ipv6_prefix

    def key(request: LimitedRequest) -> bytes:
        address = request.client_address
        if ipv4 == 32 and b":" not in address:
            return address
        return prefix_of(address, ipv4, ipv6)

    return key


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


def _header(part: KeyPart) -> Value:
    values = values_of(part.name[0].encode("latin-1"))

    def value(request: LimitedRequest) -> bytes | None:
        given = values(request)
        return given[0] if given else None

    return value


def _cookie(part: KeyPart) -> Value:
    begin = part.name[0].encode() + b"="

    def value(request: LimitedRequest) -> bytes | None:
        for name, field in request.headers:
            if name == b"cookie":
                for piece in field.split(b";"):
                    pair = piece.strip(b" \t")
                    if pair.startswith(begin):
                        return pair[len(begin) :]
        return None

    return value


def _claim(part: KeyPart) -> Value:
    names = part.name

    def value(request: LimitedRequest) -> bytes | None:
        metadata = request.metadata
        found: object = None if metadata is None else metadata.get(CLAIMS, {}).get("payload")
        for name in names:
            if not isinstance(found, Mapping):
                return None
            found = found.get(name)
        if found is None:
            return None
        text = found if isinstance(found, str) else json.dumps(found, sort_keys=True, separators=(",", ":"))
        return text.encode("utf-8", "surrogatepass")

    return value


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
    KeySource.HEADER: _header,
    KeySource.COOKIE: _cookie,
    KeySource.CLAIM: _claim,
    KeySource.HOST: _host,
    KeySource.PATH: _path,
}
