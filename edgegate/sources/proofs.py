"""
Routes that no request ever reaches, as it is proved of the Snapshot: told where the files say them.

A route counts only where it is reached on no host of any listener. It is looked for when files are checked, not when
they are served.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from edgegate.analysis.reachability import Searches, impossible, reaching
from edgegate.analysis.wire import Surroundings
from edgegate.config.document import format_path
from edgegate.config.problems import Problem, Problems, Severity
from edgegate.istio.resources import Resources
from edgegate.istio.translate.reporting import Reporter
from edgegate.model import codes
from edgegate.model.diagnostics import Diagnostic
from edgegate.model.matching import HTTPMatch
from edgegate.model.notes import Notes
from edgegate.model.origin import Origin, Path
from edgegate.routing.snapshot import Snapshot, VirtualHost

_Place = tuple[str, str, Path]
"""File, document and path: what an origin is known by, as two matches may stand in one line."""


@dataclass(slots=True)
class _Match:
    """
    A match in the files, on all hosts.

    @ivar why: Why nothing reaches it where it was looked at first.
    @ivar among: Where it is reached: all matches there, its place among them, and what is known of requests.
    """

    origin: Origin
    reached: bool
    why: str = ""
    code: str = ""
    among: tuple[tuple[HTTPMatch, ...], int, Surroundings] | None = None


def warn_of_unreached(snapshot: Snapshot, notes: Notes, resources: Resources, problems: Problems) -> None:
    """
    Warn of routes, or of single matches of routes, that nothing reaches, but for those that were told already.

    @param notes: From compiling this Snapshot.
    """
    reporter = Reporter([*resources.gateways, *resources.virtual_services], problems)
    told = _Told(problems)
    doubts = _Doubts(told.ineffective, problems)
    for origin, matches in _by_route(snapshot, notes, doubted=bool(told.ineffective)):
        for match in matches:
            doubts.contradict(match)
        if told.of(origin):
            continue
        missed = [match for match in matches if not match.reached]
        alike = {(match.why, match.code) for match in missed}
        missed = [match for match in missed if not told.of(match.origin)]
        if len(missed) == len(matches) and len(alike) == 1:
            reporter.report(_diagnostic(origin, missed[0]))
        else:
            for match in missed:
                reporter.report(_diagnostic(match.origin, match))
        for match in missed:
            doubts.leave_out(match)


class _Told:
    """What was told of routes without a proof."""

    def __init__(self, problems: Problems) -> None:
        self._unreachable: set[tuple[str, str, str]] = set()
        self.ineffective: dict[tuple[str, str, str], list[Problem]] = {}
        self._never_holds: dict[tuple[str, str], list[str]] = {}
        for problem in problems:
            if problem.code in (codes.UNREACHABLE_ROUTE, codes.UNREACHABLE_RULE):
                self._unreachable.add((problem.file, problem.resource, problem.path))
            elif problem.code == codes.INEFFECTIVE_MATCH:
                self.ineffective.setdefault((problem.file, problem.resource, problem.path), []).append(problem)
            elif problem.code == codes.CONDITION_NEVER_HOLDS:
                self._never_holds.setdefault((problem.file, problem.resource), []).append(problem.path)

    def of(self, origin: Origin) -> bool:
        """Whether it was told that nothing reaches a route or a match, or that a condition of a match never holds."""
        path = format_path(origin.path)
        if (origin.file, origin.resource, path) in self._unreachable:
            return True
        conditions = self._never_holds.get((origin.file, origin.resource), ())
        return "match" in origin.path and any(each.startswith(f"{path}.") or each == path for each in conditions)


_MOST_DOUBTED: Final = 100
"""Matches for which a request is looked for: in a list of thousands each takes a while."""


class _Doubts:
    """Looks whether it is so what Istio says of matches of no effect."""

    def __init__(self, claims: Mapping[tuple[str, str, str], list[Problem]], problems: Problems) -> None:
        self._claims = claims
        self._problems = problems
        self._left = _MOST_DOUBTED

    def contradict(self, match: _Match) -> None:
        """Say with which request Istio is wrong that says that a match is of no effect."""
        claims = self._of(match)
        if not claims or match.among is None or not self._left:
            return
        self._left -= 1
        request = reaching(*match.among)
        for claim in claims if request is not None else ():
            message = f"{claim.message}; not so: {request} comes to it"
            self._problems.replace(claim, replace(claim, message=message))

    def leave_out(self, match: _Match) -> None:
        """Leave out what Istio says of a match that is proved to be unreachable: that was told."""
        for claim in self._of(match):
            self._problems.replace(claim)

    def _of(self, match: _Match) -> Sequence[Problem]:
        origin = match.origin
        return self._claims.get((origin.file, origin.resource, format_path(origin.path)), ())


def _diagnostic(origin: Origin, match: _Match) -> Diagnostic:
    return Diagnostic(Severity.WARNING, origin, f"never reached: {match.why}", code=match.code)


def _by_route(snapshot: Snapshot, notes: Notes, doubted: bool) -> Iterator[tuple[Origin, list[_Match]]]:
    """
    Yield the routes in the files that have matches, with these.

    @param doubted: Whether requests may be asked for that come to a match.
    """
    found: dict[_Place, tuple[Origin, dict[_Place, _Match]]] = {}
    searches = Searches()
    for surroundings, host in _virtual_hosts(snapshot):
        rows = [
            (route.origin, place, match)
            for route in host.routes
            for place, match in zip(notes.of(route).matches, route.matches, strict=False)
        ]
        asked = tuple(match for _, _, match in rows)
        missed = searches.unreached(asked, surroundings)
        for row, (origin, place, _) in enumerate(rows):
            matches = found.setdefault(_key(origin), (origin, {}))[1]
            lost = missed.get(row)
            known = matches.get(_key(place))
            if lost is None:
                if known is None or not known.reached:
                    matches[_key(place)] = _Match(place, True, among=(asked, row, surroundings) if doubted else None)
            elif known is None:
                by = [rows[each][1] for each in lost.by]
                why, code = _why(by) if by else _why_never(rows[row][2], surroundings)
                matches[_key(place)] = _Match(place, False, why, code)
    for origin, matches in found.values():
        yield origin, list(matches.values())


def _virtual_hosts(snapshot: Snapshot) -> Iterator[tuple[Surroundings, VirtualHost]]:
    for listener in snapshot.listeners:
        for chain in listener.chains():
            for domain, host in chain.http.items() if chain.http is not None else ():
                yield Surroundings(listener.port, domain=domain), host


def _key(origin: Origin) -> _Place:
    return origin.file, origin.resource, origin.path


def _why_never(match: HTTPMatch, surroundings: Surroundings) -> tuple[str, str]:
    """Return why a match never holds, and the code for that."""
    what = impossible(match, surroundings)
    if what is not None:
        return f"no request satisfies its condition on {what}", codes.CONDITION_NEVER_HOLDS
    why = "its conditions exclude each other, so that no request satisfies them all"
    return why, codes.CONDITIONS_EXCLUDE_EACH_OTHER


_SHOWN: Final = 4


def _why(by: Iterable[Origin]) -> tuple[str, str]:
    """Return why nothing reaches a match, and the code for that."""
    places = list(dict.fromkeys(map(str, by)))
    if len(places) == 1:
        return f"the match at {places[0]} takes all that it asks for", codes.UNREACHABLE_ROUTE
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    shown = ", ".join(places[:_SHOWN]) if more else f"{', '.join(places[:-1])} and {places[-1]}"
    return f"together the matches at {shown}{more} take all that it asks for", codes.UNREACHABLE_ROUTE
