# Hot path: looked up for each request.
"""The hosts that requests name, and tables that find what belongs to one; see L{edgegate.model.hosts} for patterns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv6Address
from typing import Final, Generic, TypeVar

from edgegate.model.hosts import IPV6, MAX_NAME

T = TypeVar("T")


def host_of(authority: bytes) -> str:
    """
    Return the host of a C{Host} header or C{:authority} (RFC 9110 section 7.2): lower case, without port and final dot.

    An IPv6 literal keeps its brackets, and has the one spelling that patterns have.

    @raise ValueError: It is no C{uri-host [":" port]} of RFC 3986 section 3.2.2.
    """
    text = authority.decode("ascii").lower()  # UnicodeDecodeError is a ValueError
    if text.startswith("["):
        host, bracket, port = text.partition("]")
        if not bracket or (port and not port.startswith(":")) or not IPV6.issuperset(host[1:]):
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
