"""The conditions of a match, one by one, and in the words of the files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from edgegate.model.matching import HTTPMatch, Kind, StringMatch


@dataclass(frozen=True, slots=True)
class Part:
    """
    One condition of a match.

    @ivar field: Istio's name of what it is about: C{uri}, C{port}, C{headers}, C{withoutHeaders}.
    @ivar name: Of the header or the parameter of the query; empty for others.
    @ivar wanted: The condition on its value; L{None} for a port.
    @ivar alone: A match that has this condition and no other.
    """

    field: str
    name: str
    wanted: StringMatch | None
    alone: HTTPMatch


def parts(match: HTTPMatch) -> Iterator[Part]:
    """Yield the conditions of a match in the order in which they are tried."""
    if match.uri is not None:
        yield Part("uri", "", match.uri, HTTPMatch(uri=match.uri))
    if match.port is not None:
        yield Part("port", "", None, HTTPMatch(port=match.port))
    if match.method is not None:
        yield Part("method", "", match.method, HTTPMatch(method=match.method))
    if match.scheme is not None:
        yield Part("scheme", "", match.scheme, HTTPMatch(scheme=match.scheme))
    if match.authority is not None:
        yield Part("authority", "", match.authority, HTTPMatch(authority=match.authority))
    for each in match.headers:
        yield Part("headers", *each, HTTPMatch(headers=(each,)))
    for each in match.without_headers:
        yield Part("withoutHeaders", *each, HTTPMatch(without_headers=(each,)))
    for each in match.query_params:
        yield Part("queryParams", *each, HTTPMatch(query_params=(each,)))


def as_written(match: StringMatch, shown: Callable[[str], str] = str) -> str:
    """
    Return a condition on a text much as files have it: C{prefix /cart}.

    @param shown: Writes its value.
    """
    if match.kind is Kind.PRESENT:
        return "present"
    return f"{match.kind.value} {shown(match.value)}" + (" in any case" if match.ignore_case else "")
