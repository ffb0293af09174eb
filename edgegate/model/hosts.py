# Compiled: values that hot modules read.
"""
Patterns of host names, and the one normal form of names.

A pattern is an exact name, C{*.suffix} (which matches one or more labels before
the suffix, never the suffix itself) or C{*}, as in Istio's C{Gateway.servers.hosts}
and C{VirtualService.hosts}. A wildcard may also stand for the beginning of a label,
C{*-v1.suffix}: as in Envoy's domains, for one character or more, dots among them.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import Final

import idna

MAX_NAME: Final = 253
"""Characters of a DNS name (RFC 1035 section 2.3.4, without the final dot)."""

IPV6: Final = frozenset("0123456789abcdef:.")
"""What addresses of IPv6 are written with."""

_LABELS: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")


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
    if not star and ":" in literal and IPV6.issuperset(literal):
        return f"[{IPv6Address(literal).compressed}]"  # its AddressValueError is a ValueError
    raise ValueError(f"{name!r} is not a host name")


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
