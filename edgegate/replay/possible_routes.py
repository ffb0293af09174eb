"""
Which routes may take a request of which not all is known.

A condition on what the log does not say neither holds nor fails. What is known is decided by the tables that serve.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from edgegate.model.match_parts import Part, parts
from edgegate.model.matching import HTTPMatch, StringMatch
from edgegate.model.routes import HTTPRoute
from edgegate.routing.matching import Condition, Request, condition
from edgegate.routing.table import first_match

AUTHORITY: Final = "the port of the Host header"
QUERY: Final = "the query"


def header_subject(name: str) -> str:
    """Return what a condition on a header asks about."""
    return f"header {name}"


@dataclass(frozen=True, slots=True)
class Unsaid:
    """
    A condition on what a log does not say.

    @ivar subject: What it asks about.
    @ivar match: The condition alone.
    """

    subject: str
    match: HTTPMatch


Possible = tuple[tuple[frozenset[Unsaid], HTTPRoute | None], ...]
"""
Routes in the order of precedence, each with what must hold of what is not known. The last one has nothing of that: it
takes the request where no other does; L{None}: then none does.
"""

Resolve = Callable[[Unsaid], bool | None]
"""Tells whether a condition holds, by what a log hints at; L{None}: it can't be told."""


@lru_cache(maxsize=65536)
def conditions_on(match: HTTPMatch) -> tuple[tuple[str, HTTPMatch], ...]:
    """Return the conditions of a match that a log may not tell, each alone and with what it asks about."""
    found = ((_subject_of(part), part.alone) for part in parts(match))
    return tuple(each for each in found if each[0])


def _subject_of(part: Part) -> str:
    """Return what a condition asks about; empty: what every log says."""
    if part.field in ("headers", "withoutHeaders"):
        return _subject(part.name)
    return {"authority": AUTHORITY, "queryParams": QUERY}.get(part.field, "")


def _subject(name: str) -> str:
    """Return what a condition on a header asks about; empty: on what every log says."""
    if name.startswith(":"):
        return {":authority": AUTHORITY, ":path": QUERY}.get(name, "")
    return AUTHORITY if name == "host" else header_subject(name)


def asked_by(routes: Sequence[HTTPRoute]) -> frozenset[str]:
    """Return all that routes ask about and that a log may not tell."""
    return frozenset(subject for route in routes for match in route.matches for subject, _ in conditions_on(match))


class PossibleRoutes:
    """The routes of a virtual host, for requests of which the same things are unknown."""

    def __init__(self, routes: Sequence[HTTPRoute], unknown: frozenset[str]) -> None:
        """
        @param unknown: What is not known of the requests; see L{asked_by}.
        """
        self._rows: list[tuple[HTTPMatch, frozenset[Unsaid], HTTPRoute]] = []
        for route in routes:
            for match in route.matches or (_ALWAYS,):
                self._rows.append((*_split(match, unknown), route))
        self._conditions: list[Condition | None] | None = None
        self._find = first_match(((known,), at) for at, (known, _, _) in enumerate(self._rows))

    def find(self, request: Request, resolve: Resolve) -> Possible:
        """Return the routes that may take a request."""
        found: list[tuple[frozenset[Unsaid], HTTPRoute | None]] = []
        for unsaid, route in self._held(request):
            left = _left(unsaid, resolve)
            if left is not None:
                found.append((left, route))
                if not left:
                    return tuple(found)
        found.append((_NOTHING, None))
        return tuple(found)

    def _held(self, request: Request) -> Iterator[tuple[frozenset[Unsaid], HTTPRoute]]:
        """Yield the rows of which all holds that is known."""
        at = self._find(request)
        if at is None:
            return
        yield self._rows[at][1:]
        if self._conditions is None:
            self._conditions = [condition(known) for known, _, _ in self._rows]
        for later in range(at + 1, len(self._rows)):
            holds = self._conditions[later]
            if holds is None or holds(request):
                yield self._rows[later][1:]


_ALWAYS: Final = HTTPMatch()
_NOTHING: Final[frozenset[Unsaid]] = frozenset()


def _left(unsaid: frozenset[Unsaid], resolve: Resolve) -> frozenset[Unsaid] | None:
    """Return the conditions of which nothing can be told; L{None}: one fails."""
    left = unsaid
    for each in unsaid:
        holds = resolve(each)
        if holds is False:
            return None
        if holds:
            left = left - {each}
    return left


def _split(match: HTTPMatch, unknown: frozenset[str]) -> tuple[HTTPMatch, frozenset[Unsaid]]:
    """Return what of a match can be decided, and what can't."""
    unsaid = [Unsaid(subject, alone) for subject, alone in conditions_on(match) if subject in unknown]
    if not unsaid:
        return match, _NOTHING
    known = replace(
        match,
        authority=None if AUTHORITY in unknown else match.authority,
        headers=_known(match.headers, unknown),
        without_headers=_known(match.without_headers, unknown),
        query_params=() if QUERY in unknown else match.query_params,
    )
    return known, frozenset(unsaid)


def _known(
    headers: tuple[tuple[str, StringMatch], ...], unknown: frozenset[str]
) -> tuple[tuple[str, StringMatch], ...]:
    return tuple(each for each in headers if _subject(each[0]) not in unknown)
