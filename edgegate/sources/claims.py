"""What Istio says of matches in error: a request that reaches a match which it takes for ineffective (IST0131)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from edgegate.analysis.boxes import Box
from edgegate.analysis.limits import TooMuch
from edgegate.analysis.search import find
from edgegate.analysis.spaces import Space
from edgegate.analysis.wire import Surroundings, Witness
from edgegate.config.document import format_path
from edgegate.config.problems import Problem, Problems
from edgegate.model import codes
from edgegate.model.matching import HTTPMatch
from edgegate.model.notes import Notes
from edgegate.model.origin import Origin
from edgegate.routing.snapshot import Snapshot

_Place = tuple[str, str, str]
"""File, document and path: what a problem's place is known by."""


def contradict(problems: Problems, snapshot: Snapshot, notes: Notes) -> None:
    """
    Add to each of Istio's claims that is false a request that shows it.

    @param notes: From compiling this Snapshot.
    """
    claims: dict[_Place, Problem] = {
        (each.file, each.resource, each.path): each for each in problems if each.code == codes.INEFFECTIVE_MATCH
    }
    for rows, surroundings in _lists(snapshot, notes) if claims else ():
        asked = [row for row, (place, _) in enumerate(rows) if _key(place) in claims]
        for row in asked:
            claim = claims.get(_key(rows[row][0]))
            found = None if claim is None else _reaching([match for _, match in rows[: row + 1]], surroundings)
            if claim is not None and found is not None:
                del claims[_key(rows[row][0])]
                problems.replace(
                    claim, replace(claim, message=f"{claim.message}; but it is not so: {found} reaches it")
                )


def _lists(snapshot: Snapshot, notes: Notes) -> Iterator[tuple[list[tuple[Origin, HTTPMatch]], Surroundings]]:
    """Yield the matches of each virtual host in order, with where they are said."""
    for listener in snapshot.listeners:
        for chain in listener.chains():
            schemes = (b"http",) if chain.tls is None else (b"https",)
            for domain, host in chain.http.items() if chain.http is not None else ():
                rows = [
                    (place, match)
                    for route in host.routes
                    for place, match in zip(notes.of(route).matches, route.matches, strict=False)
                ]
                yield rows, Surroundings(listener.port, schemes, domain)


def _key(origin: Origin) -> _Place:
    return origin.file, origin.resource, format_path(origin.path)


def _reaching(matches: list[HTTPMatch], surroundings: Surroundings) -> Witness | None:
    """Return a request that only the last of some matches takes; L{None}: there is none, or none is known."""
    try:
        space = Space(matches, surroundings)
        boxes: list[Box | None] = [space.box(match) for match in matches]
        if boxes[-1] is None:
            return None
        return find(space, boxes[-1], [box for box in boxes[:-1] if box is not None])
    except TooMuch:
        return None
