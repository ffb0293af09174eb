# Hot path: looked up for each request.
"""
Host names: their one normal form, and tables that find what belongs to a name.

A pattern is an exact name, C{*.suffix} (which matches one or more labels before
the suffix, never the suffix itself) or C{*}, as in Istio's C{Gateway.servers.hosts}
and C{VirtualService.hosts}. A wildcard may also stand for the beginning of a label,
C{*-v1.suffix}: as in Envoy's domains, for one character or more, dots among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv6Address
from typing import Final, Generic, TypeVar

import idna

T = TypeVar("T")

MAX_NAME: Final = 253
"""Characters of a DNS name (RFC 1035 section 2.3.4, without the final dot)."""


def normalise(name: str) -> str:
    """
    Return the form in which names are compared: lower case, IDNA-encoded, without a trailing dot.

    Patterns keep their C{*}. An IPv6 literal gets the brackets that it has in
    a C{Host} header, without a zone, which stands in none. Underscores are let
    through: names of services have them.

    @raise ValueError: The name cannot be a host name.
    """
    text = name.strip().lower().removesuffix(".")
    star = "*." if text.startswith("*.") else "*" if text.startswith("*") and text != "*" else ""
    rest = text[len(star) :]
    if not rest.isascii():
        if star == "*":
            raise ValueError(f"{name!r} is no pattern: a part of a label is ASCII, as in *-v1.example.com")
        try:
            rest = idna.encode(rest, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError) as error:
            raise ValueError(f"{name!r} is not a host name: {error}") from error
    if len(star + rest) <= MAX_NAME and _LABELS.fullmatch(rest):
        return star + rest
    if text == "*":
        return text
    literal = (rest[1:-1] if rest[:1] == "[" and rest[-1:] == "]" else rest).partition("%")[0]
    if not star and ":" in literal and _IPV6.issuperset(literal):
        return f"[{IPv6Address(literal).compressed}]"  # its AddressValueError is a ValueError
    raise ValueError(f"{name!r} is not a host name")


def host_of(authority: bytes) -> str:
    """
    Return the host of a C{Host} header or C{:authority} (RFC 9110 section 7.2): lower case, without port and final dot.

    An IPv6 literal keeps its brackets, and has the one spelling that patterns have.

    @raise ValueError: It is no C{uri-host [":" port]} of RFC 3986 section 3.2.2.
    """
    text = authority.decode("ascii").lower()  # UnicodeDecodeError is a ValueError
    if text.startswith("["):
        host, bracket, port = text.partition("]")
        if not bracket or (port and not port.startswith(":")) or not _IPV6.issuperset(host[1:]):
            raise ValueError("malformed IPv6 literal")
        host, port = f"[{IPv6Address(host[1:]).compressed}]", port[1:]  # its AddressValueError is a ValueError
    else:
        host, _, port = text.partition(":")
        if not host or not _NAME.issuperset(host) or ".." in host or host[0] == ".":
            raise ValueError("malformed host")
        host = host[:-1] if host[-1] == "." else host
        if len(host) > MAX_NAME:
            raise ValueError("host name too long")
    if port and not (port.isdigit() and port.isascii() and len(port) <= 5 and int(port) <= 65535):
        raise ValueError("malformed port")
    return host


# unreserved and sub-delims of RFC 3986, without percent-encoding, which no host name needs
_NAME: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=")
_IPV6: Final = frozenset("0123456789abcdef:.")
_LABELS: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")


def covers(pattern: str, name: str) -> bool:
    """Whether a pattern matches a name, or every name of another pattern. Both are in normal form."""
    if pattern[0] == "*":
        return len(name) >= len(pattern) and name.endswith(pattern[1:])
    return pattern == name


def subset_of(name: str, pattern: str) -> bool:
    """
    Whether one host of the files lies within another, as Istio compares them (C{host.Name.SubsetOf}).

    So C{example.com} lies within C{*example.com}, where Envoy, which asks for at least one character more, does not
    find it (L{covers}).
    """
    return name == pattern or (pattern[0] == "*" and name.endswith(pattern[1:]))


def is_partial(pattern: str) -> bool:
    """Whether a pattern's wildcard stands for the beginning of a label: C{*-v1.example.com}."""
    return pattern[0] == "*" and len(pattern) > 1 and pattern[1] != "."


def intersection(one: str, other: str) -> str | None:
    """Return the narrower of two patterns where one lies within the other, else L{None}. Both are in normal form."""
    if subset_of(other, one):
        return other
    return one if subset_of(one, other) else None


class HostTable(Generic[T]):
    """
    Find the value of the narrowest pattern that matches a name: exact, then the longest wildcard, then C{*}.

    A lookup costs one dictionary access per label of the name, however many
    patterns there are; where wildcards stand for parts of labels, one for each
    length that wildcards have. Built once, never changed.
    """

    __slots__ = ("_any", "_exact", "_lengths", "_suffixes")

    def __init__(self, items: Iterable[tuple[str, T]] = ()) -> None:
        """
        @param items: Patterns in normal form with their values.

        @raise ValueError: A pattern comes twice.
        """
        self._exact: dict[str, T] = {}
        self._suffixes: dict[str, T] = {}
        self._any: T | None = None
        for pattern, value in items:
            if pattern in self:
                raise ValueError(f"{pattern} comes twice")
            if pattern == "*":
                self._any = value
            elif pattern.startswith("*"):
                self._suffixes[pattern[1:]] = value
            else:
                self._exact[pattern] = value
        lengths = {len(suffix) for suffix in self._suffixes}
        partial = any(suffix[0] != "." for suffix in self._suffixes)
        self._lengths = tuple(sorted(lengths, reverse=True)) if partial else ()

    def lookup(self, name: str) -> T | None:
        """Return what belongs to a name in normal form, or L{None}."""
        found = self._exact.get(name)
        if found is not None:
            return found
        if self._lengths:
            return self._longest(name)
        if self._suffixes:
            at = name.find(".")
            while at != -1:
                found = self._suffixes.get(name[at:])
                # ".foo.com" itself is no name below foo.com
                if found is not None and at > 0:
                    return found
                at = name.find(".", at + 1)
        return self._any

    def _longest(self, name: str) -> T | None:
        """Return what belongs to the longest wildcard, wherever in a label it begins."""
        for length in self._lengths:
            if length < len(name):
                found = self._suffixes.get(name[-length:])
                if found is not None:
                    return found
        return self._any

    def items(self) -> Iterator[tuple[str, T]]:
        """Yield all patterns with their values, narrowest kind first."""
        yield from self._exact.items()
        for suffix, value in self._suffixes.items():
            yield "*" + suffix, value
        if self._any is not None:
            yield "*", self._any

    def __contains__(self, pattern: str) -> bool:
        if pattern == "*":
            return self._any is not None
        return pattern[1:] in self._suffixes if pattern.startswith("*") else pattern in self._exact

    def __len__(self) -> int:
        return len(self._exact) + len(self._suffixes) + (self._any is not None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HostTable) and dict(self.items()) == dict(other.items())

    def __reduce__(self) -> tuple[type[HostTable[T]], tuple[tuple[tuple[str, T], ...]]]:
        return HostTable, (tuple(self.items()),)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"HostTable({dict(self.items())!r})"
