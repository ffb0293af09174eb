# Hot path: compares what requests say.
"""Conditions of routes: Istio's C{HTTPMatchRequest} and C{StringMatch}, and what a text has to be for one to hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from edgegate.model.expressions import compiled
from edgegate.model.picklable import Picklable


class Kind(Enum):
    """The three forms of Istio's C{StringMatch}, and presence (C{{}} for headers)."""

    EXACT = "exact"
    PREFIX = "prefix"
    REGEX = "regex"
    PRESENT = "present"

    __hash__ = object.__hash__  # Enum's own is slow, and matches are hashed by the thousand when files are read


@dataclass(frozen=True, slots=True)
class StringMatch(Picklable):
    """A condition on a text. A regular expression is RE2 and must match the whole text."""

    kind: Kind
    value: str = ""
    ignore_case: bool = False  # exact and prefix only


@dataclass(frozen=True, slots=True)
class HTTPMatch(Picklable):
    """
    Conditions that must all hold; one that is L{None} or empty always holds.

    Of several fields of one name each is looked at alone, and one that fits
    is enough (Envoy's C{match_headers_individually}); those of the names in
    L{JOINED} are one value. A pseudo-header of HTTP/2 is a header, too:
    C{:path} is the target with its query.

    @ivar stat_prefix: What statistics of the requests would be called; no condition.
    """

    uri: StringMatch | None = None
    method: StringMatch | None = None
    authority: StringMatch | None = None
    headers: tuple[tuple[str, StringMatch], ...] = ()  # names in lower case
    port: int | None = None  # the server's number in the Gateway
    scheme: StringMatch | None = None
    without_headers: tuple[tuple[str, StringMatch], ...] = ()  # none of these may hold
    query_params: tuple[tuple[str, StringMatch], ...] = ()
    stat_prefix: str = ""


def text_condition(match: StringMatch) -> Callable[[bytes], bool]:
    """Return a function that tells whether a text satisfies a L{StringMatch}."""
    if match.kind is Kind.PRESENT:
        return lambda text: True
    if match.kind is Kind.REGEX:
        full = compiled(match.value).fullmatch
        return lambda text: full(text) is not None
    value = match.value.encode()
    if match.ignore_case:
        value = value.lower()
        if match.kind is Kind.EXACT:
            return lambda text: text.lower() == value
        return lambda text: text.lower().startswith(value)
    if match.kind is Kind.EXACT:
        return value.__eq__
    return lambda text: text.startswith(value)


def any_path(uri: StringMatch) -> bool:
    """Whether a condition on the path holds for every path, in one of the ways to say so that Istio knows, too."""
    return uri.kind is Kind.PRESENT or (uri.kind, uri.value) in _ANY_PATH


_ANY_PATH = ((Kind.PREFIX, ""), (Kind.PREFIX, "/"), (Kind.REGEX, ".*"))
